"""kill -9 of the daemon's own process at random instants of its claims' lives: seeded, told as a table with `pytest -s`."""

import asyncio
import contextlib
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from devnet.accounts import LOCAL
from protocol.deployment import save_deployment
from protocol.enums import SeatState, TaskStatus
from protocol.money import USDFC
from runner.errors import JournalError
from runner.jobs import Stage
from runner.journal import Journal, journal_path
from tests.runner.bench import Bench, Hand
from tests.runner.mortal import Mother

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("SEED", "20261129"))
IN_VIEW = 3
_LONGEST_LIFE_S = 6.0
"""Of a life with a seat: some are too short to do anything, and some finish what others began."""


@dataclass
class Mortal:
    """Runner 0, killed again and again; two others, who live, sit beside it where a task has three seats."""

    bench: Bench
    mother: Mother
    home: Path
    rng: random.Random
    beside: list[Hand] = field(default_factory=list)
    tasks: list[bytes] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)

    @property
    def settings(self) -> dict[str, Any]:
        bench = self.bench
        return {
            "filecoin_rpc": bench.anvil.url,
            "deployments_dir": self.home,
            "ollama_url": bench.engine_url,
            "ipfs_api": bench.ipfs_api,
            "runner_home": self.home,
            "runner_slots": 2,
            "runner_compared_prompts": True,
            "runner_learning": False,
            "runner_monitoring": False,
            "runner_auditing": False,
        }

    def journal(self) -> Journal:
        deployment, node = self.bench.chain.deployment, LOCAL.node(0).address
        path = journal_path(
            self.home, chain_id=deployment.chain_id, genesis_hash=deployment.genesis_hash, node=node
        )
        return Journal.open(path, exclusive=False)

    async def order(self) -> None:
        """Keep some tasks in view: with one seat, and with three."""
        live = [task for task in self.tasks if not (await self.bench.status(task)).is_terminal]
        for _ in range(IN_VIEW - len(live)):
            seats = {"replicas": 3, "quorum": 2} if len(self.tasks) % 3 == 2 else {}
            self.tasks.append(await self.bench.submit(**seats))

    async def live_and_die(self) -> None:
        """Start, live for a random while, be killed in the middle of whatever it is, and check what is left."""
        await self.mother.bear(self.settings)
        if not self._has_a_seat():
            async with asyncio.timeout(60):
                while not self._has_a_seat():  # noqa: ASYNC110 (another process rings no bell here)
                    await asyncio.sleep(0.02)
        await asyncio.sleep(self.rng.uniform(0.0, _LONGEST_LIFE_S))
        assert self.mother.has_a_living_child, "the daemon ended by itself"
        await self.mother.kill()
        await self.check_promises()

    def _has_a_seat(self) -> bool:
        with contextlib.suppress(JournalError), contextlib.closing(self.journal()) as journal:
            return any(job.stage is not Stage.WAITING for job in journal.live())
        return False

    async def check_promises(self) -> None:
        """Check that the journal can open whatever the chain has sealed, and note where the kill fell."""
        node = LOCAL.node(0).address
        with contextlib.closing(self.journal()) as journal:
            for job in journal.live():
                self.deaths[job.stage.value] += 1
                if job.seat is None:
                    continue
                seat = await self.bench.chain.call(
                    self.bench.chain.escrow.functions.seatOf(job.task_id, job.seat)
                )
                if SeatState(seat[1]) is SeatState.COMMITTED:
                    assert bytes(seat[-1]) == job.commitment_of(node), job.stage

    @contextlib.asynccontextmanager
    async def world(self) -> AsyncIterator[None]:
        """Let blocks come and the other runners work meanwhile."""
        turning = asyncio.ensure_future(self._turn())
        try:
            yield
        finally:
            turning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await turning

    async def _turn(self) -> None:
        while True:
            await self.bench.anvil.mine()
            for hand in self.beside:
                await hand.look()
                for job in hand.journal.live():
                    if job.order.replicas > 1:
                        await hand.step(job.task_id)
            await asyncio.sleep(0.2)

    async def _all_over(self, journal: Journal) -> bool:
        ended = [(await self.bench.status(task)).is_terminal for task in self.tasks]
        return all(ended) and not journal.live()

    async def last_life(self) -> list[bytes]:
        """Start once more, and give the tasks that it held a seat of, when all are over."""
        await self.mother.bear(self.settings)
        async with asyncio.timeout(240):
            with contextlib.closing(self.journal()) as journal:
                while not await self._all_over(journal):  # noqa: ASYNC110 (another process ends it)
                    await asyncio.sleep(0.5)
                ours = [task for task in self.tasks if journal.job(task).stage is Stage.SETTLED]
        await self.mother.kill()
        return ours


def show(one: Mortal, ours: list[bytes], paid: int) -> None:
    lines = [
        f"\nseed {SEED}: {KILLS} kills; {len(ours)} of {len(one.tasks)} tasks were runner 0's, {paid / USDFC} USDFC paid",
        f"{'stage at the kill':<20}{'jobs':>6}",
        *[f"{stage:<20}{count:>6}" for stage, count in one.deaths.most_common()],
    ]
    sys.stderr.write("\n".join(lines) + "\n")


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_killed_at_a_hundred_random_instants_it_loses_nothing_and_does_nothing_twice(
    bench: Bench, tmp_path: Path
) -> None:
    bench.claim_for = 2_000
    home, owner, node = tmp_path / "mortal", LOCAL.owner(0).address, LOCAL.node(0).address
    save_deployment(bench.chain.deployment, folder=home)
    before = await bench.free(owner)
    async with Mother(tmp_path / "log") as mother:
        one = Mortal(bench, mother, home, random.Random(SEED))
        one.beside = [await bench.hand(1), await bench.hand(2)]
        async with one.world():
            for number in range(KILLS):
                await one.order()
                await one.live_and_die()
                sys.stderr.write(f"\r  {number + 1} of {KILLS} kills")
            ours = await one.last_life()
    with contextlib.closing(one.journal()) as journal:
        jobs = [journal.job(task) for task in ours]
    paid = sum(job.paid or 0 for job in jobs)
    show(one, ours, paid)
    assert {await bench.status(task) for task in one.tasks} == {TaskStatus.FINAL}
    assert await bench.free(owner) - before == paid
    assert all(job.paid and not job.slashed for job in jobs)
    assert await bench.stake(owner) == (400 * USDFC, 0)
    assert await bench.books_balance()
    for task in ours:
        for event, times in (("SeatClaimed", {1}), ("SeatCommitted", {0, 1}), ("SeatRevealed", {1})):
            mine = [log for log in await bench.logs(event, task) if log["args"]["node"] == node]
            assert len(mine) in times, event
    assert set(one.deaths) - {Stage.WAITING}, "no kill fell into the life of a claim"
    assert ours
