"""The relay: checks what a wallet signed and sends it with this server's gas. It moves no funds without their owner's signature."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import structlog
from eth_account.signers.local import LocalAccount

from api.chain_link import ChainLink
from api.intents.order_checks import RelayRequest
from api.intents.signatures import SignedDomain
from api.intents.signed import Intent
from api.metrics import RELAYED
from api.rejections import BudgetExhausted, Rejected, RelayerUnavailable, rejection_of
from api.shared import buckets, relaying
from api.shared.state import SharedState
from protocol.errors import InsufficientFunds, ParityError, TransactionReverted
from protocol.sender import Sender

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction

__all__ = ["Budget", "Relay", "RelayRequest", "Sent", "SignedDomain"]

_LOOK_AGAIN_S = 0.1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """An intent on its way: its id (of an order, its task's) and the transaction that carries it."""

    id: bytes
    transaction_hash: bytes


class Budget:
    """How many intents of one account all processes together relay within a window of seconds."""

    def __init__(self, state: SharedState, *, intents: int, window_s: float) -> None:
        self._state = state
        self._intents = intents
        self._window_s = window_s

    async def spend(self, account: str) -> None:
        """Count one intent; `BudgetExhausted` if that is one too many."""
        key = f"relay:{account}"
        taken = await buckets.take(self._state, key, amount=1, limit=self._intents, window_s=self._window_s)
        if taken.granted:
            return
        wait_s = int(taken.wait_s) + 1
        raise BudgetExhausted(
            f"{self._intents} intents of {account} were relayed within {self._window_s:.0f} s",
            hint=f"Try again in {wait_s} s, or send the transaction yourself.",
            more={"retryAfter": wait_s},
        )


class Relay:
    """One relayer account, shared by all processes. What is on its way gets the same answer when it comes again."""

    def __init__(
        self, link: ChainLink, account: LocalAccount | None, *, state: SharedState, budget: Budget
    ) -> None:
        self._link = link
        self._account = account
        self._state = state
        self._budget = budget
        self._sender: Sender | None = None
        self._on_their_way: dict[bytes, asyncio.Future[Sent]] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._tasks = asyncio.TaskGroup()

    @property
    def address(self) -> str | None:
        """Return the relayer's address; None if this server sends nothing."""
        return self._account.address if self._account else None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was broadcast needs nobody to wait for it.
        for job in self._jobs:
            job.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    async def submit(self, intent: Intent) -> Sent:
        """Check an intent and send it; give its id and transaction as soon as a node has taken it.

        Raises a `Rejected`, each kind for its own reason, or `ChainError` when the chain does not answer.
        """
        try:
            sent = await self._submit(intent)
        except Rejected as rejected:
            RELAYED.labels(intent.kind, rejected.slug).inc()
            log.info(
                "intent rejected",
                kind=intent.kind,
                reason=rejected.slug,
                account=intent.account,
                detail=rejected.message,
            )
            raise
        RELAYED.labels(intent.kind, "sent").inc()
        return sent

    async def _submit(self, intent: Intent) -> Sent:
        identity = intent.identity(self._link.deployment)
        if identity in self._on_their_way:
            return await asyncio.shield(self._on_their_way[identity])
        began = time.monotonic()
        chain = await self._link.chain()
        call = intent.call(chain)
        try:
            await intent.check(chain)
            await self._simulate(call)
        except Rejected:
            # Perhaps only because the same intent, given twice at once, has reached the chain meanwhile.
            sent = await self._meanwhile(identity, began=began)
            if sent is None:
                raise
            return sent
        sender = await self._ready_sender(call)
        # From here to the entry in `_on_their_way` nothing waits, so that this process sends nothing twice.
        if identity in self._on_their_way:
            return await asyncio.shield(self._on_their_way[identity])
        answer: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._on_their_way[identity] = answer
        try:
            elsewhere = await self._claim(intent, identity)
        except BaseException as error:
            self._on_their_way.pop(identity, None)
            _fail(answer, error, identity) if isinstance(error, ParityError) else answer.cancel()
            raise
        if elsewhere is not None:
            self._on_their_way.pop(identity, None)
            answer.set_result(elsewhere)
            return elsewhere
        return await self._send(sender, call, identity=identity, answer=answer)

    async def _meanwhile(self, identity: bytes, *, began: float) -> Sent | None:
        """Return what any process sent of an intent since `began`, on the clock of `time.monotonic`."""
        while True:
            if identity in self._on_their_way:
                return await asyncio.shield(self._on_their_way[identity])
            other = await relaying.seen(self._state, identity, within_s=time.monotonic() - began)
            if other is None:
                return None
            if other.transaction_hash is not None:
                return Sent(identity, other.transaction_hash)
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _claim(self, intent: Intent, identity: bytes) -> Sent | None:
        """Take it upon this process, and upon its account's budget; gives what another process has sent."""
        while (other := await relaying.claim(self._state, identity)) is not None:
            if other.transaction_hash is not None:
                return Sent(identity, other.transaction_hash)
            # Another process is about to send it: its hash comes in a moment, or its lease ends.
            await asyncio.sleep(_LOOK_AGAIN_S)
        try:
            await self._budget.spend(intent.account)
        except ParityError:
            await relaying.given_up(self._state, identity)
            raise
        return None

    async def _simulate(self, call: "AsyncContractFunction") -> None:
        try:
            await (await self._link.chain()).call(call, sender=self.address, block="pending")
        except TransactionReverted as revert:
            raise rejection_of(revert) from revert

    async def _ready_sender(self, call: "AsyncContractFunction") -> Sender:
        if self._account is None:
            raise _unavailable("this server has no account that pays for relayed intents", call, self._link)
        chain = await self._link.chain()
        if self._sender is None:
            self._sender = Sender(chain, self._account, turn=self._turn)
        return self._sender

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._state.turn(f"nonces of {self.address} on chain {self._link.deployment.chain_id}")

    async def _send(
        self,
        sender: Sender,
        call: "AsyncContractFunction",
        *,
        identity: bytes,
        answer: "asyncio.Future[Sent]",
    ) -> Sent:
        job = self._tasks.create_task(
            _alone(self._carry(sender, call, identity=identity, answer=answer), identity)
        )
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return await asyncio.shield(answer)

    async def _carry(
        self,
        sender: Sender,
        call: "AsyncContractFunction",
        *,
        identity: bytes,
        answer: "asyncio.Future[Sent]",
    ) -> None:
        async with asyncio.TaskGroup() as notes:

            def sent(transaction_hash: str) -> None:
                taken = bytes.fromhex(transaction_hash.removeprefix("0x"))
                notes.create_task(self._note_sent(identity, taken))
                if not answer.done():
                    answer.set_result(Sent(identity, taken))

            try:
                await sender.send(call, label="relay", on_sent=sent)
            except TransactionReverted as revert:
                _fail(answer, rejection_of(revert), identity)
            except InsufficientFunds as dry:
                log.warning("relayer cannot pay the network fee", address=sender.address)
                _fail(answer, _unavailable(dry.message, call, self._link), identity)
            except ParityError as error:
                _fail(answer, error, identity)
            finally:
                self._on_their_way.pop(identity, None)
                answer.cancel()
        try:
            await relaying.finished(self._state, identity)
        except ParityError as error:
            log.warning("relaying not noted", intent="0x" + identity.hex(), error=error.message)

    async def _note_sent(self, identity: bytes, transaction_hash: bytes) -> None:
        chain = await self._link.chain()
        try:
            await relaying.sent(
                self._state, identity, transaction_hash, lease_s=chain.network.receipt_timeout_s
            )
        except ParityError as error:
            # Whoever else has this intent then finds it on the chain.
            log.warning("relaying not noted", intent="0x" + identity.hex(), error=error.message)


async def _alone(carrying: Coroutine[Any, Any, None], identity: bytes) -> None:
    """Carry one intent. What goes wrong with it must not end the carrying of all others."""
    try:
        await carrying
    except Exception:
        log.exception("relaying failed", intent="0x" + identity.hex())


def _fail(answer: "asyncio.Future[Sent]", error: ParityError, identity: bytes) -> None:
    if answer.done():
        # The sender has its hash already; the index will show that nothing came of it.
        log.warning("relayed intent failed", intent="0x" + identity.hex(), error=error.message)
    else:
        answer.set_exception(error)
        answer.exception()


def _unavailable(why: str, call: "AsyncContractFunction", link: ChainLink) -> RelayerUnavailable:
    data = call._encode_transaction_data()  # noqa: SLF001  # web3 has no public way without a node
    transaction = {"to": call.address, "data": data, "chainId": link.deployment.chain_id}
    return RelayerUnavailable(
        why,
        hint="The intent passed every check: send `transaction` from any account that can pay the network fee.",
        more={"transaction": transaction},
    )
