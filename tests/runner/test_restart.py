"""A runner that dies between any two lines takes its claims up again, and promises nothing twice."""

import asyncio
import contextlib

from devnet.accounts import LOCAL
from protocol.enums import SeatState
from protocol.money import USDFC
from runner.jobs import Stage
from tests.runner.bench import Bench, Hand
from tests.runner.kills import Killed, Killer


async def live_and_die(bench: Bench, task: bytes, *, killer: Killer, others: list[Hand]) -> Hand:
    """Let runner 0 work on a task, killed at each new boundary and started again; give its last incarnation."""
    for _ in range(60):
        hand = await bench.hand(0)
        hand.parts = killer.armed(hand.parts)
        with contextlib.suppress(Killed):
            await bench.run(task, hand, *others)
            return hand
    raise AssertionError("still dying after 60 restarts")


async def lives(bench: Bench, killer: Killer, **order: int) -> None:
    """Live the whole life of one task, dying on the way, and check that nothing was lost or done twice."""
    owner = LOCAL.owner(0).address
    others = [await bench.hand(number) for number in range(1, order["replicas"])]
    before = await bench.free(owner)
    task = await bench.submit(**order)
    hand = await live_and_die(bench, task, killer=killer, others=others)
    job = hand.job(task)
    assert job.stage is Stage.SETTLED
    assert job.paid
    assert await bench.free(owner) - before == job.paid
    assert await bench.stake(owner) == (400 * USDFC, 0)
    # Whoever finds all others bound needs no commitment.
    commitments = {0} if order["replicas"] == 1 else {0, 1}
    for event, times in (("SeatClaimed", {1}), ("SeatCommitted", commitments), ("SeatRevealed", {1})):
        ours = [log for log in await bench.logs(event, task) if log["args"]["node"] == hand.parts.node]
        assert len(ours) in times


async def test_kill_at_every_boundary_loses_no_promise_and_makes_none_twice(bench: Bench) -> None:
    killer = Killer()
    await lives(bench, killer, replicas=3, quorum=2)
    # A death after a transaction leaves what follows it to the chain; further lives come to those lines too.
    for _ in range(10):
        deaths = len(killer.boundaries)
        await lives(bench, killer, replicas=3, quorum=2)
        if len(killer.boundaries) == deaths:
            break
    await lives(bench, Killer(), replicas=1, quorum=1)
    reached = set(killer.boundaries)
    for label in ("claim", "commit", "reveal"):
        assert {f"before sending {label}", f"after sending {label}"} <= reached
    for write in ("keep_spec", "seated", "promise", "record_transaction", "end"):
        assert {f"before {write}", f"after {write}"} <= reached
    for stage in ("claiming", "stored", "committing", "committed", "revealing", "revealed", "settled"):
        assert {f"before move {stage}", f"after move {stage}"} <= reached


async def test_a_claim_that_is_on_its_way_when_the_runner_dies_is_not_sent_again(bench: Bench) -> None:
    hand = await bench.hand(0)
    task = await bench.submit()
    await bench.until_turn(hand, task)
    await bench.anvil.rpc("evm_setAutomine", False)
    dying = asyncio.ensure_future(hand.step(task))
    for _ in range(200):
        pool = await bench.anvil.rpc("txpool_status")
        if int(pool["pending"], 16):
            break
        await asyncio.sleep(0.02)
    dying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await dying
    assert hand.job(task).stage is Stage.CLAIMING
    again = await bench.hand(0)
    await again.step(task)
    assert int((await bench.anvil.rpc("txpool_status"))["pending"], 16) == 1
    await bench.anvil.rpc("evm_setAutomine", True)
    await bench.anvil.mine()
    assert await bench.seat_state(task) is SeatState.CLAIMED
    await bench.run(task, again)
    assert again.job(task).stage is Stage.SETTLED
    assert again.job(task).paid


async def test_a_journal_that_was_lost_with_a_commitment_in_it_reveals_nothing_else(bench: Bench) -> None:
    first = await bench.hand(0)
    others = [await bench.hand(1), await bench.hand(2)]
    task = await bench.submit(replicas=3, quorum=2)
    for _ in range(12):
        for hand in (first, *others):
            await hand.look()
        while await first.step(task):
            pass
        if await bench.seat_state(task) is SeatState.COMMITTED:
            break
        for hand in others:
            if hand.job(task).seat is None:
                await hand.step(task)
        await bench.anvil.mine()
    assert first.job(task).stage is Stage.COMMITTED
    amnesiac = await bench.hand(0, home=bench.home / "empty")
    for hand in others * 2:
        while await hand.step(task):
            pass
    await amnesiac.step(task)
    assert "not in this journal" in amnesiac.job(task).reason
    await bench.anvil.mine(130)
    await bench.run(task, amnesiac, *others)
    assert amnesiac.job(task).slashed == 5 * USDFC
    assert all(hand.job(task).paid for hand in others)
