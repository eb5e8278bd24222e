"""For how many commitments a participant of an asynchronous session waits, and who of the others does not count."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from learning.session_config import SessionConfig
from protocol.enums import SessionPhase
from protocol.session import Aggregate
from runner.federated.board import Round, Sight
from runner.federated.buffer import hollow, waits_no_longer
from runner.federated.names import set_of, slots_of
from runner.federated.part import Part

BEGAN, WINDOW, BUFFER = 1_000, 100, 3
LAST_CALL = BEGAN + 75


def past(number: int, committed: Mapping[int, int], *, paid: list[int], settled: bool = True) -> Round:
    """A round in which each slot committed so many blocks after its start, and these were paid."""
    told = Aggregate(model=bytes(32), manifest=bytes(32), accepted=set_of(paid), caught=0, stop=False)
    return Round(
        number=number,
        attempt=0,
        base=bytes(32),
        committed={slot: BEGAN + after for slot, after in committed.items()},
        entered={SessionPhase.TRAINING: BEGAN},
        settled=told if settled else None,
        paid=set_of(paid),
    )


def put_out(*rounds: Round) -> list[int]:
    found = hollow({one.number: one for one in rounds}, buffer=BUFFER, window=WINDOW)
    return slots_of(found)


def go_on(*rounds: Round, present: list[int], members: int = 5, head: int = BEGAN + 10) -> bool:
    """Whether a participant that still trains commits to nothing yet."""
    now = past(len(rounds) + 1, {}, paid=[], settled=False)
    given_: dict[str, Any] = {"phase": SessionPhase.TRAINING, "round": now.number, "attempts": 0}
    sight = Sight(
        head_block=head,
        deadline=BEGAN + WINDOW,
        members=(1 << members) - 1,
        expected=(1 << members) - 1,
        present=set_of(present),
        inputs=0,
        model=bytes(32),
        transcript=bytes(32),
        task=bytes(32),
        **given_,
    )
    config = SessionConfig.build(
        {
            "name": "digits",
            "model": {"type": "neural_network", "input_dim": 4, "output_dim": 2},
            "partition": {"participants": members},
            "asynchronous": {"buffer": BUFFER},
        }
    )
    entry: Any = type("Entry", (), {"order": type("Order", (), {"train_for": WINDOW})})
    every = {one.number: one for one in (*rounds, now)}
    return waits_no_longer(Part(entry=entry, config=config, rounds=every, round=now, slot=0, node=""), sight)


def test_a_round_waits_for_as_many_commitments_as_its_buffer_holds_or_until_time_is_short() -> None:
    assert not go_on(present=[1, 2])
    assert go_on(present=[1, 2, 3])
    assert not go_on(present=[1], head=LAST_CALL - 1)
    assert go_on(present=[1], head=LAST_CALL)


def test_who_took_a_place_with_nothing_fills_none_in_the_next_round() -> None:
    before = past(1, {4: 1, 1: 5, 2: 6, 3: 7, 0: 7}, paid=[1, 2])
    assert put_out(before) == [4]
    assert not go_on(before, present=[4, 1, 2])
    assert go_on(before, present=[4, 1, 2, 3])


def test_nothing_yet_after_the_buffer_was_full_is_held_against_nobody() -> None:
    assert put_out(past(1, {1: 5, 2: 6, 3: 6, 0: 7, 4: 7}, paid=[1, 2, 3])) == []


def test_nothing_yet_when_time_is_short_is_held_against_nobody() -> None:
    assert put_out(past(1, {1: 5, 0: 75, 4: 76}, paid=[1])) == []


def test_who_is_put_out_makes_no_room_for_the_next_one() -> None:
    first = past(1, {4: 1, 1: 5, 2: 6, 3: 7, 0: 7}, paid=[1, 2])
    second = past(2, {4: 1, 3: 2, 1: 5, 2: 6, 0: 8}, paid=[1, 2])
    assert put_out(first, second) == [3, 4]


def test_who_hands_in_what_counts_is_waited_for_again() -> None:
    first = past(1, {4: 1, 1: 5, 2: 6, 3: 7}, paid=[1, 2])
    assert put_out(first, past(2, {4: 1, 1: 5, 2: 6, 3: 7}, paid=[1, 2, 3, 4])) == []


def test_a_round_that_has_not_ended_says_nothing_of_anybody() -> None:
    assert put_out(past(1, {4: 1, 1: 5, 2: 6}, paid=[], settled=False)) == []


def test_with_fewer_left_than_the_buffer_holds_all_of_them_are_enough() -> None:
    before = past(1, {3: 1, 4: 1, 2: 2}, paid=[])
    assert put_out(before) == [2, 3, 4]
    assert not go_on(before, present=[2, 3, 4])
    assert go_on(before, present=[0, 1, 3, 4])


@given(
    liars=st.sets(st.integers(0, 5), max_size=3),
    paces=st.lists(st.integers(1, 9), min_size=6, max_size=6),
    rounds=st.integers(2, 5),
)
def test_liars_take_an_update_from_one_round_and_no_honest_participant_is_put_out(
    liars: set[int], paces: list[int], rounds: int
) -> None:
    """Six participants, each ready so many blocks after a round begins; liars commit to nothing in its first block."""
    history: dict[int, Round] = {}
    for number in range(1, rounds + 1):
        out = hollow(history, buffer=BUFFER, window=WINDOW)
        assert set(slots_of(out)) <= liars
        ready = sorted((paces[slot], slot) for slot in range(6) if slot not in liars)
        wanted = BUFFER - len([liar for liar in liars if not out >> liar & 1])
        in_time = ready[:wanted] if wanted > 0 else []
        if number > 1:
            assert len(in_time) == BUFFER
        full = max((after for after, _ in in_time), default=1)
        late = [slot for _, slot in ready if slot not in {each for _, each in in_time}]
        committed = {
            **dict.fromkeys(sorted(liars), 0),
            **{slot: after for after, slot in in_time},
            **dict.fromkeys(late, full + 1),
        }
        history[number] = past(number, committed, paid=[slot for _, slot in in_time])
