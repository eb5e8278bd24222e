"""Whole lives of claims on a real chain, with real content and a real model."""

import pytest

from devnet.accounts import LOCAL
from protocol import lottery
from protocol.commitment import Reveal, commitment, new_salt
from protocol.enums import Outcome, SeatState, TaskStatus
from protocol.money import USDFC
from protocol.sender import Sender
from runner.claiming import STAGGER_BLOCKS
from runner.jobs import Stage
from tests.runner.bench import Bench


async def test_one_of_three_runners_answers_and_its_owner_is_paid(bench: Bench) -> None:
    hands = [await bench.hand(number) for number in range(3)]
    before = [await bench.free(LOCAL.owner(number).address) for number in range(3)]
    task = await bench.submit()
    await bench.run(task, *hands)
    assert await bench.status(task) is TaskStatus.FINAL
    stages = sorted(hand.job(task).stage for hand in hands)
    assert stages == [Stage.DROPPED, Stage.DROPPED, Stage.SETTLED]
    (winner,) = [number for number in range(3) if hands[number].job(task).stage is Stage.SETTLED]
    job = hands[winner].job(task)
    earned = await bench.free(LOCAL.owner(winner).address) - before[winner]
    assert job.paid == earned
    assert earned > 0
    assert job.slashed == 0
    assert [step for step, _ in hands[winner].journal.transactions(task)] == ["claim", "reveal"]
    assert all(not hands[n].journal.transactions(task) for n in range(3) if n != winner)
    assert await bench.books_balance()


async def test_three_runners_agree_on_one_answer_and_all_are_paid(bench: Bench) -> None:
    hands = [await bench.hand(number) for number in range(3)]
    task = await bench.submit(replicas=3, quorum=2)
    await bench.run(task, *hands)
    jobs = [hand.job(task) for hand in hands]
    assert {job.stage for job in jobs} == {Stage.SETTLED}
    assert len({job.result for job in jobs}) == 1
    assert len({job.salt for job in jobs}) == 3
    assert all(job.paid for job in jobs)
    stored = await bench.store.get(bytes((await bench.logs("SeatRevealed", task))[0]["args"]["result"]))
    assert stored == jobs[0].result


async def test_a_runner_that_commits_garbage_loses_stake_and_the_honest_are_paid(bench: Bench) -> None:
    honest = [await bench.hand(number) for number in (0, 1)]
    cheat, owner = bench.sender(2), LOCAL.owner(2).address
    task = await bench.submit(replicas=3, quorum=2)
    await bench.anvil.mine(3)
    escrow = bench.chain.escrow.functions
    await cheat.send(escrow.claim(task), label="claim")
    opened = Reveal(result=b"\7" * 32, input_tokens=1, output_tokens=1, salt=new_salt())
    for _ in range(20):
        for hand in honest:
            await hand.look()
            while await hand.step(task):
                pass
        seat = await bench.seat_state(task)
        status = await bench.status(task)
        if status is TaskStatus.COMMITTING and seat is SeatState.CLAIMED:
            await cheat.send(escrow.commit(task, 0, commitment(task, cheat.address, opened)), label="commit")
        if status is TaskStatus.REVEALING and seat is SeatState.COMMITTED:
            await cheat.send(escrow.reveal(task, 0, opened.as_tuple()), label="reveal")
        await bench.anvil.mine()
    assert {hand.job(task).stage for hand in honest} == {Stage.SETTLED}
    assert all(hand.job(task).paid for hand in honest)
    assert await bench.stake(owner) == (395 * USDFC, 0)
    assert await bench.books_balance()


async def test_a_runner_that_never_reveals_is_waited_out_and_the_rest_are_paid(bench: Bench) -> None:
    honest = [await bench.hand(number) for number in (0, 1)]
    silent = bench.sender(2)
    task = await bench.submit(replicas=3, quorum=2)
    await bench.anvil.mine(3)
    escrow = bench.chain.escrow.functions
    await silent.send(escrow.claim(task), label="claim")
    for _ in range(8):
        for hand in honest:
            await hand.look()
            while await hand.step(task):
                pass
        if await bench.status(task) is TaskStatus.COMMITTING:
            with_seat = await bench.seat_state(task)
            if with_seat is SeatState.CLAIMED:
                await silent.send(escrow.commit(task, 0, b"\1" * 32), label="commit")
        await bench.anvil.mine()
    assert await bench.status(task) is TaskStatus.REVEALING
    await bench.anvil.mine(120)
    await bench.run(task, *honest)
    assert await bench.status(task) is TaskStatus.FINAL
    assert all(hand.job(task).paid for hand in honest)
    assert await bench.stake(LOCAL.owner(2).address) == (395 * USDFC, 0), (
        "silence costs as much as a wrong result"
    )


async def test_a_claim_whose_other_seats_nobody_takes_is_given_up_without_loss(bench: Bench) -> None:
    alone = await bench.hand(0)
    task = await bench.submit(replicas=3, quorum=2)
    for _ in range(12):
        await alone.look()
        while await alone.step(task):
            pass
        await bench.anvil.mine()
    assert alone.job(task).reason == "waiting for 2 more seats to be claimed"
    await bench.anvil.mine(200)
    await bench.run(task, alone)
    job = alone.job(task)
    assert (job.stage, job.status, job.paid, job.slashed) == (Stage.SETTLED, TaskStatus.CANCELLED, 0, 0)
    assert await bench.stake(LOCAL.owner(0).address) == (400 * USDFC, 0)
    assert await bench.books_balance()


async def test_an_outraced_claim_is_dropped_quietly(bench: Bench) -> None:
    slow, quick = await bench.hand(0), await bench.hand(1)
    task = await bench.submit()
    await bench.until_turn(quick, task)
    await slow.look()
    stale = await slow.parts.escrow.view(task, node=slow.parts.node)
    await quick.look()
    assert await quick.step(task)
    assert await bench.seat_state(task) is SeatState.CLAIMED
    job = slow.job(task)
    await slow.step(task)  # makes the work, and sees that it is too late
    slow.journal.move(task, Stage.WAITING)
    await slow.works[task]._candidacy._claim(job)
    assert slow.job(task).stage is Stage.WAITING
    assert stale.status is TaskStatus.OPEN
    await slow.look()
    await slow.step(task)
    assert slow.job(task).stage is Stage.DROPPED
    assert slow.job(task).reason == "other runners took the seats"
    assert slow.journal.transactions(task) == []


async def test_a_cancelled_task_is_dropped(bench: Bench) -> None:
    hand = await bench.hand(0)
    task = await bench.submit()
    await hand.look()
    await Sender(bench.chain, LOCAL.payer).send(bench.chain.escrow.functions.cancel(task), label="cancel")
    await bench.run(task, hand)
    assert (hand.job(task).stage, hand.job(task).reason) == (Stage.DROPPED, "the task is cancelled")


async def test_a_task_that_expired_unclaimed_is_dropped(bench: Bench) -> None:
    hand = await bench.hand(0, runner_models=("no-such-model",))
    task = await bench.submit()
    await hand.look()
    await hand.step(task)
    await bench.anvil.mine(250)
    await bench.run(task, hand)
    assert hand.job(task).stage is Stage.DROPPED
    assert "expired" in hand.job(task).reason


async def test_the_lottery_opens_for_each_of_eight_runners_at_exactly_the_block_it_computes(
    bench: Bench,
) -> None:
    for number in range(3, 8):
        await bench.enlist(number)
    await bench.anvil.mine(3)
    hand = await bench.hand(0)
    task = await bench.submit(spec=b"not looked at")
    await bench.anvil.mine(30)
    await hand.look()
    view = await hand.parts.escrow.view(task, node=hand.parts.node)
    draw = await hand.parts.escrow.draw(task, view=view)
    escrow = bench.chain.escrow.functions
    thresholds = {
        block: await bench.chain.call(escrow.thresholdOf(task), block=block)
        for block in range(view.seed_block + 1, view.head_block + 1)
    }
    opens = [draw.opens_block(LOCAL.node(number).address) for number in range(8)]
    for number in range(8):
        ticket = await bench.chain.call(escrow.ticketOf(task, LOCAL.node(number).address))
        assert opens[number] == min(block for block, limit in thresholds.items() if ticket <= limit)


async def test_a_dead_first_choice_costs_the_next_in_rank_two_blocks_each(bench: Bench) -> None:
    task = await bench.submit()
    await bench.anvil.mine(3)
    hands = [await bench.hand(number) for number in range(3)]
    view = await hands[0].parts.escrow.view(task, node=hands[0].parts.node)
    draw = await hands[0].parts.escrow.draw(task, view=view)
    tickets = {number: lottery.ticket(draw.seed, task, hands[number].parts.node) for number in range(3)}
    last = hands[max(tickets, key=lambda number: tickets[number])]
    await bench.run(task, last)
    (claimed,) = await bench.logs("SeatClaimed", task)
    assert claimed["args"]["node"] == last.parts.node
    assert claimed["blockNumber"] == view.seed_block + 1 + 2 * STAGGER_BLOCKS


async def test_eight_free_runners_send_one_claim_for_one_seat(bench: Bench) -> None:
    for number in range(3, 8):
        await bench.enlist(number)
    await bench.anvil.mine(3)
    hands = [await bench.hand(number) for number in range(8)]
    assert len(list(hands[0].journal.nodes())) == 8
    task = await bench.submit()
    await bench.run(task, *hands)
    claims = [step for hand in hands for step, _ in hand.journal.transactions(task) if step == "claim"]
    assert claims == ["claim"]
    assert sum(hand.job(task).stage is Stage.SETTLED for hand in hands) == 1


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_reorganisation_that_undoes_a_claim_is_answered_with_a_new_claim(
    bench: Bench, replicas: int
) -> None:
    hand = await bench.hand(0)
    others = [await bench.hand(number) for number in range(1, replicas)]
    task = await bench.submit(replicas=replicas, quorum=replicas // 2 + 1)
    await bench.until_turn(hand, task)
    async with bench.undone() as undo:
        await hand.look()
        while await hand.step(task):
            pass
        promised = hand.job(task)
        assert promised.seat is not None
        assert promised.salt is not None
        await undo()
    hand.parts.sender._next_nonce = None
    await bench.run(task, hand, *others)
    job = hand.job(task)
    assert job.stage is Stage.SETTLED
    assert job.paid
    assert (job.salt, job.result) == (promised.salt, promised.result)


async def test_a_banned_runner_sends_no_claim_until_its_ban_is_over(bench: Bench) -> None:
    hand = await bench.hand(0)
    escrow = bench.chain.escrow.address
    await bench.anvil.rpc("anvil_impersonateAccount", escrow)
    await bench.anvil.rpc("anvil_setBalance", escrow, hex(10**18))
    penalty = bench.chain.reputation.functions.penalize(
        b"\1" * 32, hand.parts.node, Outcome.MALICIOUS_BEHAVIOR, 0
    )
    await penalty.transact({"from": escrow})
    await bench.anvil.mine(1)
    task = await bench.submit()
    await bench.until_turn(hand, task)
    assert not await hand.step(task)
    until = await hand.parts.escrow.barred_until(hand.parts.node)
    assert until > hand.parts.situation.head_block
    assert hand.job(task).reason == f"this runner is banned or suspended until block {until}"
    assert not hand.journal.transactions(task)
