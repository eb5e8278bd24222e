"""Blocks that are full to their gas limit with Parity's own transactions, one after another, and an indexer that follows them.

Payers place orders, withdraw half of them and pay in, all signed before the clock starts: the node and the indexer then have the
processors to themselves.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from benchmarks.load.following import Follower
from benchmarks.load.pool import Pool
from devnet.anvil import Anvil
from protocol import typed_data
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.order import Order

PAYERS: Final = 40
_PAID_IN: Final = 1_000_000 * USDFC
_REWARD: Final = USDFC // 100
_OPEN_FOR: Final = 2_000
_AHEAD: Final = 1.5
"""How many blocks' transactions wait in the pool, so that each block can be filled."""
_A_BLOCK: Final = 900
"""More transactions than fit into a block of 60 million gas."""

_BASE_FEE: Final = 10**9
"""Wei per gas, of every block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """What was mined, and how far behind the index was when each block came, in blocks and in milliseconds until it had it.

    `filled` is the part of its gas limit that the least full block used; `caught_up_ms` the wait after the last one.
    """

    blocks: int
    seconds: float
    transactions: int
    logs: int
    filled: float
    behind: list[int]
    lags_ms: list[float]
    caught_up_ms: float


class Payers:
    """Accounts with money paid in, whose orders never run out."""

    def __init__(self, chain: Chain, pool: Pool) -> None:
        self._chain, self._pool = chain, pool
        self._payers: list[LocalAccount] = [
            Account.from_key(keccak(text=f"payer {number}")) for number in range(PAYERS)
        ]

    async def pay_in(self) -> None:
        """Give everybody tokens, and have them paid in."""
        chain, pool = self._chain, self._pool
        for payer in self._payers:
            pool.add(payer, chain.token.functions.mint(payer.address, 2 * _PAID_IN))
            pool.add(payer, chain.token.functions.approve(chain.wallet.address, 2 * _PAID_IN))
            pool.add(payer, chain.wallet.functions.deposit(_PAID_IN))
        await pool.mine_all()

    def transactions(self, *, claim_by: int) -> Iterator[str]:
        """Sign without end: everybody in turn places two orders, withdraws the first, and pays in a little."""
        escrow, deployment = self._chain.escrow, self._chain.deployment
        domain = typed_data.escrow_domain(deployment.chain_id, deployment.task_escrow)
        cancel = _head(escrow.functions.cancel(bytes(32)))
        deposit = _head(self._chain.wallet.functions.deposit(0))
        submits = {
            payer.address: _head(escrow.functions.submit(self._order(payer, 0, claim_by).as_tuple()))
            for payer in self._payers
        }
        number = 0
        while True:
            for payer in self._payers:
                first = self._order(payer, number, claim_by)
                calls = (
                    (escrow.address, submits[payer.address], first.salt),
                    (escrow.address, submits[payer.address], (number + 1).to_bytes(32, "big")),
                    (escrow.address, cancel, typed_data.task_id(first, domain)),
                    (self._chain.wallet.address, deposit, (1 + number).to_bytes(32, "big")),
                )
                for to, head, last in calls:
                    yield self._pool.signed_data(payer, to=to, data=head + last.hex())
                number += 2

    def _order(self, payer: LocalAccount, salt: int, claim_by: int) -> Order:
        return Order(
            client=payer.address, payer=payer.address, reward=_REWARD, bond=USDFC, input_price=0, output_price=0,
            params_id=self._chain.deployment.params_id, replicas=1, quorum=1, claim_by=claim_by, retention=0,
            client_epoch=0, spec=keccak(text="a question"), salt=salt.to_bytes(32, "big"),
        )  # fmt: skip


def _head(call: Any) -> str:
    """Return a call's data without its last word, an order's salt among them: to encode each call anew takes twice as long as to sign it."""
    data: str = call._encode_transaction_data()  # noqa: SLF001 (web3 has no public way to it without asking the node)
    return data[:-64]


async def press(anvil: Anvil, chain: Chain, pool: Pool, dsn: str, *, blocks: int, every_s: float) -> Pressure:
    """Mine `blocks` full blocks, one every `every_s` seconds or as fast as the node can, and watch the index follow."""
    payers = Payers(chain, pool)
    await payers.pay_in()
    claim_by = await anvil.block_number() + _OPEN_FOR
    ready = list(islice(payers.transactions(claim_by=claim_by), int((blocks + _AHEAD) * _A_BLOCK)))
    waiting = iter(ready)
    mined: dict[int, float] = {}
    behind: list[int] = []
    filled, transactions, logs = 1.0, 0, 0
    with Follower.of(dsn) as follower:
        await pool.broadcast(list(islice(waiting, int(_AHEAD * _A_BLOCK))))
        first = await anvil.block_number() + 1
        began = due = time.perf_counter()
        for number in range(first, first + blocks):
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due = max(due, time.perf_counter() - every_s) + every_s
            await anvil.mine()
            mined[number] = time.perf_counter()
            # Each full block raises it by an eighth, so that nobody's limit would be high enough after some eighty of them.
            await anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(_BASE_FEE))
            behind.append(number - max(follower.newest, first - 1))
            block = await anvil.rpc("eth_getBlockByNumber", hex(number), False)
            transactions += len(block["transactions"])
            filled = min(filled, int(block["gasUsed"], 16) / int(block["gasLimit"], 16))
            await pool.broadcast(list(islice(waiting, len(block["transactions"]))))
        seconds = time.perf_counter() - began
        await follower.reach(first + blocks - 1)
        lags_ms = follower.lags_ms(mined)
    for number in mined:
        receipts = await anvil.rpc("eth_getBlockReceipts", hex(number))
        logs += sum(len(one["logs"]) for one in receipts)
        pool.failed += sum(one["status"] != "0x1" for one in receipts)
    if pool.failed:
        raise RuntimeError(f"{pool.failed} of the transactions that fill the blocks were refused")
    return Pressure(
        blocks=blocks,
        seconds=seconds,
        transactions=transactions,
        logs=logs,
        filled=filled,
        behind=behind,
        lags_ms=lags_ms,
        caught_up_ms=lags_ms[-1],
    )
