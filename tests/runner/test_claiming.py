from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import lottery
from runner.claiming import STAGGER_BLOCKS, Contender, Draw, next_turn, turn_of
from tests.runner.conftest import TASK


def draw_of(seed: int, *, active: int, replicas: int) -> Draw:
    return Draw(task_id=TASK, seed=seed, seed_block=50, active=active, replicas=replicas, widening_step=8)


def contenders_of(count: int) -> list[Contender]:
    return [Contender(f"0x{index:040x}", f"0x{index + 10_000:040x}") for index in range(1, count + 1)]


SEEDS = st.integers(0, 2**256 - 1)


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 40), replicas=st.sampled_from([1, 3, 5]))
def test_where_everyone_is_free_as_many_claim_at_first_as_there_are_seats(
    seed: int, count: int, replicas: int
) -> None:
    draw, everyone = draw_of(seed, active=count, replicas=replicas), contenders_of(count)
    turns = [turn_of(one.node, draw=draw, contenders=everyone, seated=()) for one in everyone]
    prompt = [turn for turn in turns if turn.claim_block == turn.opens_block]
    assert len(prompt) == min(replicas, count)
    assert max(turn.rank for turn in prompt) < replicas


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 40), replicas=st.sampled_from([1, 3, 5]))
def test_nobody_claims_before_the_lottery_admits_it(seed: int, count: int, replicas: int) -> None:
    draw, everyone = draw_of(seed, active=count, replicas=replicas), contenders_of(count)
    for one in everyone:
        turn = turn_of(one.node, draw=draw, contenders=everyone, seated=())
        ticket = lottery.ticket(seed, TASK, one.node)
        waited = turn.claim_block - draw.seed_block
        assert waited >= 1
        assert ticket <= lottery.threshold(count, replicas, waited, draw.widening_step)


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(2, 40))
def test_two_runners_that_wait_for_a_dead_first_choice_do_not_claim_in_the_same_block(
    seed: int, count: int
) -> None:
    draw, everyone = draw_of(seed, active=3, replicas=1), contenders_of(count)
    turns = [turn_of(one.node, draw=draw, contenders=everyone, seated=()) for one in everyone]
    blocks = [turn.claim_block - turn.opens_block for turn in turns]
    assert sorted(blocks) == [rank * STAGGER_BLOCKS for rank in range(count)]


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(4, 20))
def test_once_a_seat_is_taken_the_next_in_rank_moves_up(seed: int, count: int) -> None:
    draw, everyone = draw_of(seed, active=count, replicas=3), contenders_of(count)
    by_rank = sorted(everyone, key=lambda one: lottery.ticket(seed, TASK, one.node))
    seated = {by_rank[0].node}
    third = turn_of(by_rank[2].node, draw=draw, contenders=everyone, seated=seated)
    fourth = turn_of(by_rank[3].node, draw=draw, contenders=everyone, seated=seated)
    assert third.rank == 1
    assert third.claim_block == third.opens_block
    assert fourth.claim_block == fourth.opens_block + STAGGER_BLOCKS


def test_a_sibling_of_a_seated_node_is_not_waited_for() -> None:
    everyone = [
        Contender("0x" + "01" * 20, "0xo1"),
        Contender("0x" + "02" * 20, "0xo1"),
        Contender("0x" + "03" * 20, "0xo2"),
    ]
    draw = draw_of(7, active=3, replicas=3)
    turn = turn_of(everyone[2].node, draw=draw, contenders=everyone, seated={everyone[0].node})
    assert turn.rank == 0


def test_a_node_that_the_events_have_not_shown_yet_still_gets_its_turn() -> None:
    turn = turn_of("0x" + "09" * 20, draw=draw_of(7, active=1, replicas=1), contenders=[], seated=())
    assert turn.rank == 0
    assert turn.claim_block == 51


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 40), replicas=st.sampled_from([1, 3, 5]), waited=st.integers(0, 400))
def test_at_any_block_no_more_have_their_turn_than_seats_are_left(
    seed: int, count: int, replicas: int, waited: int
) -> None:
    draw, everyone = draw_of(seed, active=count, replicas=replicas), contenders_of(count)
    head = draw.seed_block + waited
    turns = [
        next_turn(one.node, draw=draw, contenders=everyone, seated=(), after_block=head) for one in everyone
    ]
    now = [turn for turn in turns if turn.claim_block == head + 1]
    assert 1 <= len(now) <= replicas
    for one, turn in zip(everyone, turns, strict=True):
        ticket = lottery.ticket(seed, TASK, one.node)
        limit = lottery.threshold(count, replicas, turn.claim_block - draw.seed_block, draw.widening_step)
        assert ticket <= limit


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(1, 40), replicas=st.sampled_from([1, 3]), waited=st.integers(0, 400))
def test_everyones_turn_comes_again_within_one_round_of_all(
    seed: int, count: int, replicas: int, waited: int
) -> None:
    draw, everyone = draw_of(seed, active=count, replicas=replicas), contenders_of(count)
    head = draw.seed_block + waited
    for one in everyone:
        turn = next_turn(one.node, draw=draw, contenders=everyone, seated=(), after_block=head)
        begin = max(turn.opens_block, head + 1)
        assert turn.claim_block - begin <= 2 * STAGGER_BLOCKS * -(-count // replicas)


@settings(deadline=None)
@given(seed=SEEDS, count=st.integers(2, 40))
def test_the_first_turns_are_those_of_the_lowest_tickets_one_stagger_apart(seed: int, count: int) -> None:
    draw, everyone = draw_of(seed, active=count, replicas=1), contenders_of(count)
    by_rank = sorted(everyone, key=lambda one: lottery.ticket(seed, TASK, one.node))
    first, second = (
        next_turn(one.node, draw=draw, contenders=everyone, seated=(), after_block=draw.seed_block)
        for one in by_rank[:2]
    )
    assert (first.rank, second.rank) == (0, 1)
    if lottery.ticket(seed, TASK, by_rank[1].node) <= lottery.threshold(count, 1, 0, draw.widening_step):
        assert first.claim_block == draw.seed_block + 1
        assert second.claim_block == first.claim_block + STAGGER_BLOCKS
