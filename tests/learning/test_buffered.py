"""Late updates: what they weigh, which are refused, and that a session with some is a fold that can be repeated."""

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.aggregate import fedavg
from learning.buffered import Ledger, weighed
from learning.errors import ConfigError
from learning.session_config import AsyncSpec, SessionConfig
from learning.simulate import Simulation
from learning.updates import Update
from tests.learning.digits import MLP, TRAINING, first_weights, shares, split

SPEC = AsyncSpec(buffer=2, max_staleness=2)


def update(name: str, weight: int, value: float) -> Update:
    return Update(name, weight, np.array([value], np.float32))


def test_an_update_weighs_less_by_the_root_of_the_rounds_that_it_is_late():
    counted = weighed([update("a", 10, 1.0), update("b", 10, 0.0)], {"b": 3})
    assert fedavg(counted, clip=4.0)[0] == pytest.approx(1 / (1 + 1 / 2))


@given(weight=st.integers(1, 100_000), late=st.integers(0, 1_000))
def test_weights_are_whole_and_follow_the_law(weight: int, late: int):
    counted = weighed([update("a", weight, 1.0), update("b", 1, 1.0)], {"a": late, "b": 1})[0].weight
    assert counted == pytest.approx(1_000 * weight / sqrt(1 + late), abs=1)


def test_a_round_in_which_nothing_is_late_is_like_any_other():
    updates = [update("a", 10, 1.0), update("b", 7, 0.0)]
    assert weighed(updates, {"a": 0}) == updates


def test_a_ledger_forgets_the_models_that_are_too_old_to_train_from():
    ledger = Ledger()
    for number in range(5):
        ledger = ledger.begin(number, f"model {number}", SPEC)
    assert ledger.bases == {2: "model 2", 3: "model 3", 4: "model 4"}
    assert ledger.take({"a": 3}).take({"a": 4, "b": 2}).handed_in == {"a": 4, "b": 2}


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"aggregation": {"method": "median"}}, "counts all alike"),
        ({"aggregation": {"method": "scaffold"}}, "everybody in step"),
        ({"privacy": {}}, "counts everybody alike"),
        ({"secure_aggregation": {}}, "in step"),
        ({"asynchronous": {"buffer": 1}, "training": {"min_participants": 2}}, "must lie between"),
        ({"asynchronous": {"buffer": 11}}, "must lie between"),
    ],
)
def test_what_late_updates_cannot_be_part_of_is_refused(sections: dict[str, Any], said: str):
    with pytest.raises(ConfigError, match=said):
        asynchronous(**sections)


def asynchronous(rounds: int = 4, **sections: Any) -> SessionConfig:
    training = {
        **TRAINING.model_dump(),
        "rounds": rounds,
        "min_participants": 1,
        **sections.pop("training", {}),
    }
    return SessionConfig.build(
        {
            "name": "digits",
            "model": MLP.model_dump(),
            "partition": {"participants": 10, "strategy": "non_iid"},
            "training": training,
            "asynchronous": {"buffer": 2, "max_staleness": 2},
            **sections,
        }
    )


def simulation(config: SessionConfig, schedule: dict[tuple[int, str], int]) -> Simulation:
    return Simulation(config, shares(), split()[1], first_weights(), schedule=schedule)


FAST = ["p000", "p001", "p002"]


def test_late_updates_count_less_and_say_so_in_the_card():
    everybody = {(number, name): number for number in range(4) for name in FAST}
    session = simulation(asynchronous(), everybody | {(2, "p003"): 0}).run()
    counted = {one.participant: one for one in session.cards[2].counted}
    samples = len(shares()[3])
    assert counted["p003"].late == 2
    assert counted["p003"].weight == pytest.approx(1_000 * samples / sqrt(3), abs=1)
    assert [counted[name].weight for name in FAST] == [1_000 * len(shares()[seat]) for seat in range(3)]
    assert [one.late for card in session.cards for one in card.counted if one.participant != "p003"] == [
        0
    ] * 12


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({(3, "p003"): 0}, "ended too long ago"),
        ({(1, "p003"): 1, (2, "p003"): 1}, "has handed in a training for"),
        ({(1, "p003"): 1, (2, "p003"): 0}, "has handed in a training for"),
    ],
    ids=["too late", "twice", "an earlier one after a later one"],
)
def test_a_training_counts_once_and_not_for_ever(entry: dict[tuple[int, str], int], said: str):
    everybody = {(number, name): number for number in range(4) for name in FAST}
    session = simulation(asynchronous(), everybody | entry).run()
    reasons = [one.reason for card in session.cards for one in card.left_out]
    assert len(reasons) == 1
    assert said in reasons[0]


def test_a_training_from_another_model_than_its_round_began_with_is_refused():
    session = simulation(
        asynchronous(rounds=2), {(number, name): number for number in range(2) for name in FAST}
    )
    session.run(until_round=1)
    session.progress = replace(session.progress, ledger=Ledger({0: "0" * 64}))
    session.schedule = {(1, name): 1 for name in FAST} | {(1, "p003"): 0}
    session.run()
    assert [one.reason for one in session.cards[1].left_out] == ["trained from another model"]


def test_a_session_with_slow_participants_learns_and_repeats_to_the_same_hash():
    names = [f"p{seat:03}" for seat in range(10)]
    fast = {(number, name): number for number in range(8) for name in names[:7]}
    slow = {(number, name): number - 2 for number in (2, 5) for name in names[7:]}
    sessions = [simulation(asynchronous(rounds=8), fast | slow).run() for _ in range(2)]
    assert sessions[0].progress.digest() == sessions[1].progress.digest()
    assert sessions[0].reports[-1].evaluation.metrics["accuracy"] > 0.85
