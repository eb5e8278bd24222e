"""Claims without a server: who claims what follows from the chain alone, and hardly a claim is for nothing.

Every runner decides by the last block, none sees what the others have sent, and nothing is simulated before it is sent: two
that want one seat at one block both pay for it, and the block shows it.
"""

import sys
from statistics import median

import pytest

from protocol.enums import TaskStatus
from runner.claiming import STAGGER_BLOCKS
from tests.runner.bench import Bench
from tests.runner.fleet import Fleet, Member


async def flow(bench: Bench, fleet: Fleet, *, tasks: int, in_view: int) -> tuple[list[bytes], int, int]:
    """Submit tasks as fast as others end, and see them all through; give them, the claims sent and the wasted ones."""
    spec = await bench.spec()
    begin = await bench.chain.block_number()
    submitted: list[bytes] = []
    open_: set[bytes] = set()
    for _ in range(40 * tasks):
        while len(submitted) < tasks and len(open_) < in_view:
            task = await bench.submit(spec, claim_by=await bench.chain.block_number() + 400)
            submitted.append(task)
            open_.add(task)
        await fleet.block()
        ended = {task for task in open_ if (await bench.status(task)).is_terminal}
        open_ -= ended
        sys.stderr.write(f"\r  {len(submitted) - len(open_)} of {tasks} tasks done")
        if len(submitted) == tasks and not open_:
            break
    assert {await bench.status(task) for task in submitted} == {TaskStatus.FINAL}
    sent, wasted = await fleet.claims(since=begin)
    return submitted, sent, wasted


def show(*, runners: int, tasks: int, sent: int, wasted: int, counts: list[int]) -> None:
    """Tell what was measured, for `pytest -s` and docs/benchmarks.md."""
    sys.stderr.write(
        f"\n{runners} runners, {tasks} tasks: {sent} claims sent, {wasted} wasted ({100 * wasted / sent:.1f} %);"
        f" tasks by runner: least {counts[0]}, median {median(counts):g}, most {counts[-1]}; {len(counts)} runners got any\n"
    )


@pytest.mark.parametrize(
    ("runners", "tasks", "in_view"),
    [
        pytest.param(5, 15, 8, id="small"),
        pytest.param(
            20, 200, 30, id="20 runners, 200 tasks", marks=[pytest.mark.slow, pytest.mark.timeout(1_200)]
        ),
    ],
)
async def test_at_most_two_percent_of_claims_are_wasted_and_everyone_gets_work(
    bench: Bench, runners: int, tasks: int, in_view: int
) -> None:
    fleet = await Fleet.of(bench, runners)
    done, sent, wasted = await flow(bench, fleet, tasks=tasks, in_view=in_view)
    assert wasted <= 0.02 * sent, f"{wasted} of {sent} claims"
    counts = await fleet.done_by(done)
    share = tasks / runners
    show(runners=runners, tasks=tasks, sent=sent, wasted=wasted, counts=sorted(counts.values()))
    if share >= 10:  # of fewer tasks one may get none by chance
        assert len(counts) == runners, counts
    assert max(counts.values()) <= 2 * share + 2, counts


@pytest.mark.slow
async def test_a_runner_with_less_free_capacity_does_less(bench: Bench) -> None:
    fleet = await Fleet.of(bench, 4)
    slow = fleet.members[0]
    slow.engine.mean_blocks = 20
    done, _, wasted = await flow(bench, fleet, tasks=16, in_view=6)
    counts = await fleet.done_by(done)
    assert wasted == 0
    others = [counts[one.parts.node] for one in fleet.members[1:]]
    assert counts[slow.parts.node] < sum(others) / len(others), counts


async def test_a_dead_first_choice_costs_no_more_than_one_widening_step(bench: Bench) -> None:
    fleet = await Fleet.of(bench, 3)
    step = await bench.chain.call(bench.chain.escrow.functions.wideningStep())
    spec = await bench.spec()
    for _ in range(3):
        task = await bench.submit(spec)
        view = await bench_view(fleet, task)
        first = await first_choice(fleet, task)
        first.alive = False
        for _ in range(40):
            await fleet.block()
            if (await bench.status(task)).is_terminal:
                break
        first.alive = True
        (claimed,) = await bench.logs("SeatClaimed", task)
        assert claimed["args"]["node"] != first.parts.node
        late = claimed["blockNumber"] - (view + 1)
        assert late == STAGGER_BLOCKS <= step
        for _ in range(2):
            await fleet.block()


async def bench_view(fleet: Fleet, task: bytes) -> int:
    """Return a task's seed block, once the lottery is open after it."""
    seed_block = int((await fleet.bench.chain.call(fleet.bench.chain.escrow.functions.taskOf(task)))[4])
    await fleet.bench.anvil.mine(max(0, seed_block - await fleet.bench.chain.block_number()))
    return seed_block


async def first_choice(fleet: Fleet, task: bytes) -> Member:
    """Return the runner with the lowest ticket."""
    escrow = fleet.bench.chain.escrow.functions
    tickets = {
        await fleet.bench.chain.call(escrow.ticketOf(task, one.parts.node), block="pending"): one
        for one in fleet.members
    }
    return tickets[min(tickets)]
