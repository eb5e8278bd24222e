"""The relay: checks a signed order, and sends it with this server's gas. It can move nobody's funds but by signature."""

import asyncio
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog
from eth_account.signers.local import LocalAccount

from api.chain_link import ChainLink
from api.metrics import RELAYED
from api.rejections import BudgetExhausted, Rejected, RelayerUnavailable, rejection_of
from api.relay_checks import RelayRequest, SignedDomain, check_domain, check_order, submission
from protocol.errors import InsufficientFunds, ParityError, TransactionReverted
from protocol.sender import Sender
from protocol.typed_data import escrow_domain, task_id

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction

__all__ = ["Relay", "RelayRequest", "Sent", "SignedDomain"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """An order on its way: its task's id and the transaction that carries it."""

    task_id: bytes
    transaction_hash: bytes


class Budget:
    """How many orders one client may have relayed within a sliding window of seconds."""

    def __init__(self, *, orders: int, window_s: float) -> None:
        self._orders = orders
        self._window_s = window_s
        self._spent: defaultdict[str, deque[float]] = defaultdict(deque)

    def spend(self, client: str) -> None:
        """Count one order; `BudgetExhausted` if that is one too many."""
        now = time.monotonic()
        spent = self._spent[client]
        while spent and spent[0] <= now - self._window_s:
            spent.popleft()
        if len(spent) >= self._orders:
            wait_s = int(spent[0] + self._window_s - now) + 1
            raise BudgetExhausted(
                f"{self._orders} orders of {client} were relayed within {self._window_s:.0f} s",
                hint=f"Try again in {wait_s} s, or send the transaction yourself.",
                more={"retryAfter": wait_s},
            )
        spent.append(now)


class Relay:
    """One relayer account. The same order again, while it is on its way, gets the same answer."""

    def __init__(self, link: ChainLink, account: LocalAccount | None, budget: Budget) -> None:
        self._link = link
        self._account = account
        self._budget = budget
        self._sender: Sender | None = None
        self._on_their_way: dict[bytes, asyncio.Future[Sent]] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._tasks = asyncio.TaskGroup()

    @property
    def address(self) -> str | None:
        """Give the relayer's address; None if this server sends nothing."""
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

    async def submit(self, request: RelayRequest) -> Sent:
        """Check an order and send it; give its task's id and transaction as soon as the node has taken it.

        Raises a `Rejected`, each kind for its own reason, or `ChainError` when the chain does not answer.
        """
        try:
            sent = await self._submit(request)
        except Rejected as rejected:
            RELAYED.labels(rejected.slug).inc()
            log.info(
                "order rejected", reason=rejected.slug, client=request.order.client, detail=rejected.message
            )
            raise
        RELAYED.labels("sent").inc()
        return sent

    async def _submit(self, request: RelayRequest) -> Sent:
        deployment = self._link.deployment
        check_domain(request.domain, deployment)
        identity = task_id(request.order, escrow_domain(deployment.chain_id, deployment.task_escrow))
        if identity in self._on_their_way:
            return await asyncio.shield(self._on_their_way[identity])
        chain = await self._link.chain()
        await check_order(chain, request, identity)
        call = submission(chain, request)
        await self._simulate(call)
        sender = await self._ready_sender(call)
        # From here to the entry in `_on_their_way` nothing waits, so that no order is sent twice.
        if identity in self._on_their_way:
            return await asyncio.shield(self._on_their_way[identity])
        self._budget.spend(request.order.client)
        return await self._send(sender, call, identity)

    async def _simulate(self, call: "AsyncContractFunction") -> None:
        try:
            await (await self._link.chain()).call(call, sender=self.address, block="pending")
        except TransactionReverted as revert:
            raise rejection_of(revert) from revert

    async def _ready_sender(self, call: "AsyncContractFunction") -> Sender:
        if self._account is None:
            raise _unavailable("this server has no account that pays for relayed orders", call, self._link)
        chain = await self._link.chain()
        if self._sender is None:
            self._sender = Sender(chain, self._account)
        return self._sender

    async def _send(self, sender: Sender, call: "AsyncContractFunction", identity: bytes) -> Sent:
        answer: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._on_their_way[identity] = answer
        job = self._tasks.create_task(self._carry(sender, call, identity=identity, answer=answer))
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
        def sent(transaction_hash: str) -> None:
            if not answer.done():
                answer.set_result(Sent(identity, bytes.fromhex(transaction_hash.removeprefix("0x"))))

        try:
            await sender.send(call, label="relay order", on_sent=sent)
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


def _fail(answer: "asyncio.Future[Sent]", error: ParityError, identity: bytes) -> None:
    if answer.done():
        # The sender has its hash already; the index will show that no task came of it.
        log.warning("relayed order failed", task_id="0x" + identity.hex(), error=error.message)
    else:
        answer.set_exception(error)


def _unavailable(why: str, call: "AsyncContractFunction", link: ChainLink) -> RelayerUnavailable:
    deployment = link.deployment
    data = call._encode_transaction_data()  # noqa: SLF001  # web3 has no public way without a node
    return RelayerUnavailable(
        why,
        hint="The order passed every check: send `transaction` from any account that can pay the network fee.",
        more={"transaction": {"to": deployment.task_escrow, "data": data, "chainId": deployment.chain_id}},
    )
