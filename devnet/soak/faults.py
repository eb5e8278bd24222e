"""What goes wrong in a rehearsal: processes killed without warning and started again, dependencies that hang, reorganisations."""

import asyncio
import random
from collections import Counter
from typing import Final

import structlog

from devnet.errors import ProcessFailed
from devnet.network import Network
from devnet.services import runner_name
from devnet.soak.plan import SoakPlan
from protocol.errors import ChainError

_DEEPEST_REORG: Final = 3
_REORGANISATION: Final = "reorganisation"
_DEPENDENCIES: Final = ("anvil", "postgres", "ipfs", "engine")
_HANGS_S: Final = (2.0, 8.0)

log = structlog.get_logger()


class Faults:
    """Makes faults at random moments, one at a time."""

    def __init__(self, network: Network, plan: SoakPlan) -> None:
        self._network, self._plan = network, plan
        self._chance = random.Random(plan.seed + 1)  # noqa: S311 (a rehearsal must be the same again)
        self._due: list[str] = []
        self.made: Counter[str] = Counter()

    async def run(self, over: asyncio.Event) -> None:
        """Make faults until it is over, and leave the network whole."""
        while not over.is_set():
            pause_s = (
                self._chance.expovariate(1 / self._plan.fault_every_s) if self._plan.fault_every_s else None
            )
            try:
                await asyncio.wait_for(over.wait(), pause_s)
            except TimeoutError:
                await self.make_one()

    async def make_one(self) -> None:
        """Make the next fault: each kind comes up once before any comes up again."""
        if not self._due:
            crashing = [runner_name(number) for number in self._plan.crashing]
            self._due = [*crashing, "indexer", "server", *_DEPENDENCIES, _REORGANISATION, _REORGANISATION]
            self._chance.shuffle(self._due)
        kind = self._due.pop()
        log.info("fault", kind=kind)
        if kind == _REORGANISATION:
            await self._reorganise(self._chance.randint(1, _DEEPEST_REORG))
            self.made[kind] += 1
        elif kind in _DEPENDENCIES:
            await self._network.processes[kind].hang(self._chance.uniform(*_HANGS_S))
            self.made[f"{kind} hung"] += 1
        else:
            await self._kill(kind)
            self.made[f"kill -9 of {kind}"] += 1

    async def _kill(self, name: str) -> None:
        await self._network.processes[name].kill()
        try:
            await self._network.start_again(name)
        except ProcessFailed as error:
            log.warning("slow_to_come_back", name=name, error=error.message)

    async def _reorganise(self, depth: int) -> None:
        """Replace the last blocks by others, whose first has all their transactions, as it would be on a chain of many nodes."""
        anvil = self._network.anvil
        try:
            head = await anvil.block_number()
            blocks = [
                await anvil.rpc("eth_getBlockByNumber", hex(number), False)
                for number in range(head - depth + 1, head + 1)
            ]
            raw = [
                await anvil.rpc("eth_getRawTransactionByHash", hash_)
                for block in blocks
                for hash_ in block["transactions"]
            ]
            await anvil.rpc("anvil_reorg", depth, [[one, 0] for one in raw])
        except ChainError as error:
            log.warning("reorganisation_refused", error=str(error))
