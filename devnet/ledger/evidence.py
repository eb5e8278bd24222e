"""What the audit reads: the events of wallet, escrow and token up to one block, and the contracts' state at that block."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from client.logs import Span, read_events
from devnet.ledger.books import Books, Holding
from protocol.chain import Chain
from protocol.enums import TaskStatus

_AT_ONCE: Final = 16
_ZERO: Final = "0x" + "00" * 20
_TASKS: Final = ("TaskSubmitted",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Both sides of the ledger at `block`. Amounts are USDFC base units.

    `books` follow from events alone; `holdings` and `channels` are what the contracts say of the same accounts. `owed` and
    `held` are the wallet's debts and tokens. `supply` and `spread` (the sum over everybody who ever held a token) are
    known on local chains only, where the token's whole history is at hand.
    """

    block: int
    books: Books
    holdings: dict[str, Holding]
    channels: dict[bytes, int]
    owed: int
    held: int
    supply: int | None
    spread: int | None
    tasks: dict[bytes, TaskStatus]


async def gather_evidence(chain: Chain) -> Evidence:
    """Read everything as of the newest block. Raises `RpcUnavailable`."""
    block = await chain.block_number()
    reader = _Reader(chain, block)
    books = await reader.books()
    wallet, token = chain.wallet.functions, chain.token.functions
    local = chain.deployment.local
    return Evidence(
        block=block,
        books=books,
        holdings=await reader.holdings(books.accounts),
        channels=await reader.channels(books),
        owed=await reader.ask(wallet.liabilities()),
        held=await reader.ask(token.balanceOf(chain.deployment.stake_wallet)),
        supply=await reader.ask(token.totalSupply()) if local else None,
        spread=await reader.spread() if local else None,
        tasks=await reader.tasks(),
    )


class _Reader:
    """Reads one chain as of one block, a few questions at a time."""

    def __init__(self, chain: Chain, block: int) -> None:
        self._chain, self._block = chain, block
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._span = Span(chain.deployment.start_block, block)

    async def ask(self, function: Any) -> Any:
        async with self._places:
            return await self._chain.call(function, block=self._block)

    async def books(self) -> Books:
        books = Books()
        events = await read_events(self._chain, "StakeWallet", names=books.names, span=self._span)
        return books.enter((event.name, event.arguments) for event in events)

    async def holdings(self, accounts: Iterable[str]) -> dict[str, Holding]:
        names = list(accounts)
        return dict(zip(names, await asyncio.gather(*map(self._holding, names)), strict=True))

    async def _holding(self, account: str) -> Holding:
        wallet = self._chain.wallet.functions
        free, escrowed = await self.ask(wallet.accountOf(account))
        bonded, locked = await self.ask(wallet.stakeOf(account))
        unbonding, _ = await self.ask(wallet.unbondingOf(account))
        return Holding(free=free, escrowed=escrowed, bonded=bonded, locked=locked, unbonding=unbonding)

    async def channels(self, books: Books) -> dict[bytes, int]:
        """Return what is left in each channel."""
        wallet = self._chain.wallet.functions
        funds = await asyncio.gather(
            *(
                self.ask(wallet.channelOf(channel_id, channel.payer, channel.owner))
                for channel_id, channel in books.channels.items()
            )
        )
        return {
            channel_id: deposited - redeemed
            for channel_id, (deposited, redeemed, *_) in zip(books.channels, funds, strict=True)
        }

    async def spread(self) -> int:
        """Sum the token's balances over everybody who ever received any."""
        transfer = self._chain.token.events.Transfer()
        holders: set[str] = set()
        for part in Span(0, self._block).parts(self._chain.network.max_log_blocks):
            logs = await transfer.get_logs(from_block=part.first, to_block=part.last)
            holders.update(log["args"]["to"] for log in logs)
        balance_of = self._chain.token.functions.balanceOf
        return sum(await asyncio.gather(*(self.ask(balance_of(holder)) for holder in holders - {_ZERO})))

    async def tasks(self) -> dict[bytes, TaskStatus]:
        events = await read_events(self._chain, "TaskEscrow", names=_TASKS, span=self._span)
        ids = [bytes(event.arguments["taskId"]) for event in events]
        task_of = self._chain.escrow.functions.taskOf
        states = await asyncio.gather(*(self.ask(task_of(task_id)) for task_id in ids))
        return {task_id: TaskStatus(state[-1]) for task_id, state in zip(ids, states, strict=True)}
