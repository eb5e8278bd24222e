"""One cell of the matrix on a running network: the fault is made, mended, and everything waited for that it held up."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from client import Parity
from client.logs import Event, Span, read_events
from devnet.demo import indexed, name_of
from devnet.faults.customer import Customer
from devnet.faults.matrix import CUSTOMER, RUNNER, Cell, Step
from devnet.faults.waiting import until
from devnet.faults.wiring import WiredNetwork
from devnet.ledger.evidence import gather_evidence
from devnet.ledger.findings import findings
from devnet.services import answers_ok, runner_home, runner_name
from protocol.enums import TaskStatus
from runner.jobs import Stage
from runner.status import read_status

PATIENCE_S: Final = 150.0
_EVENTS: Final = {
    Step.OPEN: "TaskSubmitted",
    Step.CLAIMED: "SeatClaimed",
    Step.COMMITTED: "SeatCommitted",
    Step.REVEALED: "SeatRevealed",
    Step.SETTLED: "TaskFinalized",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a cell. Seconds count from the end of the fault; 0 is what had been done before it ended.

    `slashed` is USDFC base units of all runners together; `unbalanced` names what does not hold of the ledger.
    """

    key: str
    how: str
    down_s: float
    status: str
    orders: int
    said: list[str]
    settled_s: float
    answered_s: float
    indexed_s: float
    slashed: int
    unbalanced: list[str]

    @property
    def whole_s(self) -> float:
        """Return when everything was as if the fault had never been."""
        return max(self.settled_s, self.answered_s, self.indexed_s)

    @property
    def holds(self) -> bool:
        """Return whether there was one order, answered, paid, balanced and punished for nobody."""
        return (
            self.status == TaskStatus.FINAL.name.lower()
            and self.orders == 1
            and not self.slashed
            and not self.unbalanced
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


class Trial:
    """Tries cells, one after another, on one network."""

    def __init__(self, network: WiredNetwork, parity: Parity, *, model: str) -> None:
        self._network, self._parity, self._chain, self._model = network, parity, parity.chain, model

    async def run(self, cell: Cell) -> Outcome:
        """Try a cell. Raises TimeoutError when the network is not whole again in time."""
        before = await gather_evidence(self._chain)
        since = before.block + 1
        customer = Customer(
            chain=self._chain,
            environment=self._network.settings_of(CUSTOMER),
            folder=self._network.plan.state / CUSTOMER,
            model=self._model,
            since=since,
        )
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            settling = group.create_task(self._settled(customer))
            ordering = None if cell.step is Step.ORDERING else group.create_task(_ended(customer.run()))
            subject = await self._reached(cell.step, since)
            async with self._fault(cell, customer, subject):
                ordering = ordering or group.create_task(_ended(customer.run()))
                await asyncio.sleep(cell.down_s)
                mended = time.monotonic()
                serving = group.create_task(_ended(self._served(customer)))
            await self._journals((await self._ordered(customer))[0])
        orders = await customer.orders()
        after = await gather_evidence(self._chain)
        slashed = sum(one.slashed for one in after.books.fortunes.values())
        slashed -= sum(one.slashed for one in before.books.fortunes.values())
        return Outcome(
            key=cell.key,
            how="" if cell.fault.dependency is None else cell.how.value,
            down_s=cell.down_s,
            status=after.tasks[orders[0]].name.lower(),
            orders=len(orders),
            said=customer.errors,
            settled_s=_since(mended, settling.result()),
            answered_s=_since(mended, ordering.result()),
            indexed_s=_since(mended, serving.result()),
            slashed=slashed,
            unbalanced=[one.what for one in findings(after, ended=True) if not one.holds],
        )

    @asynccontextmanager
    async def _fault(self, cell: Cell, customer: Customer, subject: str) -> AsyncIterator[None]:
        """Have the fault while the block runs; what was killed is back, and serves, when it has been left."""
        fault, network = cell.fault, self._network
        if fault.dependency is not None:
            network.cut(fault, runner=subject, how=cell.how)
            try:
                yield
            finally:
                network.mend(fault, runner=subject)
        elif fault.process == CUSTOMER:
            await customer.kill()
            yield
            customer.back()
        else:
            name = subject if fault.process == RUNNER else fault.process
            await network.kill_one(name)
            yield
            await network.bring_back(name)

    async def _reached(self, step: Step, since: int) -> str:
        """Wait for a step, and give the name of the runner that reached it first; runner-1 where none can have."""
        if step is Step.ORDERING:
            return runner_name(0)
        found = await until(lambda: self._events(_EVENTS[step], since))
        node = found[0].arguments.get("node")
        return name_of(node) if node else runner_name(0)

    async def _events(self, name: str, since: int) -> list[Event]:
        head = await self._chain.block_number()
        if head < since:
            return []
        return await read_events(self._chain, "TaskEscrow", names=(name,), span=Span(since, head))

    async def _ordered(self, customer: Customer) -> list[bytes]:
        return await until(customer.orders)

    async def _settled(self, customer: Customer) -> float:
        """Return the moment at which no order is under way any more."""
        await self._ordered(customer)
        await until(lambda: self._all_over(customer))
        return time.monotonic()

    async def _all_over(self, customer: Customer) -> bool:
        states = [await self._parity.progress(task_id) for task_id in await customer.orders()]
        return all(state.status.is_terminal for state in states)

    async def _served(self, customer: Customer) -> None:
        """Wait until the API shows the order's end, and index and server say that they are ready."""
        await indexed(self._parity, (await self._ordered(customer))[0])
        ends = self._network.endpoints
        for url in (f"{ends.indexer}/ready", f"{ends.server}/ready"):
            await until(partial(answers_ok, url))

    async def _journals(self, task_id: bytes) -> None:
        """Wait until both runners have closed their books on the task."""
        network = self._network
        for number in range(network.plan.runners):
            await until(partial(self._has_closed, runner_home(network.plan, number), task_id))

    async def _has_closed(self, home: Path, task_id: bytes) -> bool:
        jobs = read_status(home, chain_id=self._network.deployment.chain_id).jobs
        return any(job.task_id == task_id and job.stage is Stage.SETTLED for job in jobs)


async def _ended(doing: Awaitable[None]) -> float:
    """Return the moment at which something was done."""
    await doing
    return time.monotonic()


def _since(mended: float, moment: float) -> float:
    return round(max(0.0, moment - mended), 1)
