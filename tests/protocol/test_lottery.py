from hypothesis import given
from hypothesis import strategies as st

from protocol.lottery import MAX_TICKET, draw_block, opens_at_block, threshold, ticket

tickets = st.integers(min_value=0, max_value=MAX_TICKET)
actives = st.integers(min_value=1, max_value=2**32 - 1)
replicas = st.integers(min_value=1, max_value=7)
steps = st.integers(min_value=1, max_value=1000)
SEED_BLOCK = 5_000


@given(tickets, actives, replicas, steps)
def test_a_ticket_opens_at_the_first_block_whose_threshold_admits_it(
    ticket: int, active: int, replicas: int, step: int
):
    opens = opens_at_block(
        ticket, active=active, replicas=replicas, seed_block=SEED_BLOCK, widening_step=step
    )
    assert opens > SEED_BLOCK
    assert ticket <= threshold(active, replicas, opens - SEED_BLOCK, step)
    if opens > SEED_BLOCK + 1:
        assert ticket > threshold(active, replicas, opens - 1 - SEED_BLOCK, step)


@given(actives, replicas, st.integers(min_value=0, max_value=10**6), steps)
def test_the_threshold_never_narrows(active: int, replicas: int, waited: int, step: int):
    assert threshold(active, replicas, waited, step) <= threshold(active, replicas, waited + step, step)


def test_the_threshold_rounds_as_the_contract_does():
    # The division comes first, so that the product cannot overflow 256 bits before it saturates.
    assert threshold(7, 1, 0, 8) == (2**256 - 1) // 7 * 3
    assert threshold(7, 1, 8, 8) == (2**256 - 1) // 7 * 6
    assert threshold(9, 3, 0, 8) == (2**256 - 1) // 9 * 9 != MAX_TICKET
    assert threshold(9, 3, 8, 8) == MAX_TICKET


def test_everybody_is_admitted_at_once_while_there_are_few_runners():
    assert threshold(8, 3, 0, 8) == MAX_TICKET
    assert threshold(0, 1, 0, 8) == MAX_TICKET


def test_three_runners_are_admitted_for_each_seat_on_average():
    seed, task = 42, b"\x01" * 32
    limit = threshold(1000, 2, 0, 8)
    admitted = sum(ticket(seed, task, f"0x{node:040x}") <= limit for node in range(1000))
    assert 3 <= admitted <= 12  # 6 expected; this draw is fixed, so this cannot flicker


@given(st.integers(min_value=1, max_value=10**9), st.integers(min_value=1, max_value=10**6))
def test_a_draw_is_past_and_within_one_redraw_of_now(seed_block: int, waited: int):
    now = seed_block + waited
    draw = draw_block(seed_block, now, 128)
    assert seed_block <= draw < now
    assert now - draw <= 128
    assert (draw - seed_block) % 128 == 0


def test_a_ticket_depends_on_seed_task_and_node():
    node, other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
    drawn = {
        ticket(1, b"\x01" * 32, node),
        ticket(2, b"\x01" * 32, node),
        ticket(1, b"\x02" * 32, node),
        ticket(1, b"\x01" * 32, other),
    }
    assert len(drawn) == 4
