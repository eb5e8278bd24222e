import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning import attacks
from learning.canonical import plain
from learning.errors import ConfigError, EvidenceError, SessionError
from learning.evaluate import Evaluation, evaluate
from learning.model_card import ModelCard, card, check_chain
from learning.rounds import RoundReport
from learning.session import (
    Action,
    Aggregated,
    DeadlinePassed,
    Event,
    Joined,
    Phase,
    Posted,
    Session,
    actions,
    apply,
    expected,
    fold,
)
from learning.session_config import SessionConfig
from learning.simulate import Simulation
from learning.tensors import digest
from tests.learning.digits import MLP, TRAINING, first_weights, shares, split


def config(rounds: int = 3, participants: int = 10, **sections: Any) -> SessionConfig:
    training = {**TRAINING.model_dump(), "rounds": rounds, **sections.pop("training", {})}
    return SessionConfig.build(
        {
            "name": "digits",
            "model": MLP.model_dump(),
            "partition": {"participants": participants, "strategy": "non_iid"},
            "training": training,
            **sections,
        }
    )


def simulation(rounds: int = 3, *, drops: frozenset[Any] = frozenset(), **sections: Any) -> Simulation:
    hostile = sections.pop("hostile_seats", {})
    return Simulation(
        config(rounds, **sections), shares(), split()[1], first_weights(), hostile=hostile, drops=drops
    )


def small(**sections: Any) -> Session:
    return Session(config(2, participants=4, **sections))


NAMES = ["a", "b", "c", "d"]
FULL = fold(small(), [Joined(name) for name in NAMES])


def test_a_session_begins_when_all_seats_are_taken():
    assert fold(small(), [Joined("a"), Joined("b")]).phase is Phase.OPEN
    assert FULL.phase is Phase.TRAIN
    assert actions(small(), "a") == (Action(Phase.OPEN, 0),)
    assert actions(FULL, "a") == (Action(Phase.TRAIN, 0),)
    assert actions(FULL, "stranger") == ()


def test_it_begins_with_fewer_at_the_deadline_or_fails():
    three = fold(small(), [*map(Joined, "abc"), DeadlinePassed(Phase.OPEN, 0)])
    assert three.phase is Phase.TRAIN
    two = fold(small(), [*map(Joined, "ab"), DeadlinePassed(Phase.OPEN, 0)])
    assert (two.phase, two.reason) == (Phase.FAILED, "2 in phase open of round 0, fewer than 3")


def test_whoever_has_posted_waits_for_the_others():
    session = apply(FULL, Posted(Phase.TRAIN, 0, "b", "x"))
    assert actions(session, "b") == ()
    assert actions(session, "a") == (Action(Phase.TRAIN, 0),)


def test_only_those_who_committed_may_reveal():
    session = fold(
        FULL, [*(Posted(Phase.TRAIN, 0, name, "x") for name in "abc"), DeadlinePassed(Phase.TRAIN, 0)]
    )
    assert expected(session) == ("a", "b", "c")
    with pytest.raises(SessionError, match="nothing to post"):
        apply(session, Posted(Phase.REVEAL, 0, "d", "x"))


def test_a_round_after_the_other_until_somebody_says_why_it_stops():
    events: list[Event] = []
    for number in (0, 1):
        events += [Posted(phase, number, n, "x") for phase in (Phase.TRAIN, Phase.REVEAL) for n in NAMES]
        events.append(Aggregated(number, f"model {number}", "all rounds are done" if number else None))
    session = fold(FULL, events)
    assert session.phase is Phase.DONE
    assert session.models == ("model 0", "model 1")


@pytest.mark.parametrize(
    "event",
    [
        Joined("a"),
        Joined("e"),
        Posted(Phase.TRAIN, 1, "a", "x"),
        Posted(Phase.REVEAL, 0, "a", "x"),
        Posted(Phase.TRAIN, 0, "e", "x"),
        Posted(Phase.OPEN, 0, "a", "x"),
        DeadlinePassed(Phase.REVEAL, 0),
        Aggregated(0, "m"),
    ],
)
def test_what_cannot_follow_is_refused(event: Event):
    with pytest.raises(SessionError):
        apply(FULL, event)


def test_posting_twice_and_going_on_after_the_end_are_refused():
    posted = apply(FULL, Posted(Phase.TRAIN, 0, "a", "x"))
    with pytest.raises(SessionError, match="already"):
        apply(posted, Posted(Phase.TRAIN, 0, "a", "y"))
    failed = apply(FULL, DeadlinePassed(Phase.TRAIN, 0))
    assert failed.phase is Phase.FAILED
    with pytest.raises(SessionError, match="is failed"):
        apply(failed, Joined("e"))


@settings(max_examples=20, deadline=None)
@given(st.randoms())
def test_the_order_of_posts_within_a_phase_does_not_matter(shuffle: random.Random):
    posts = [Posted(Phase.TRAIN, 0, name, name.upper()) for name in NAMES]
    straight = fold(FULL, posts)
    shuffle.shuffle(posts)
    assert fold(FULL, posts) == straight


def test_secure_sessions_go_through_their_four_stages():
    session = fold(small(secure_aggregation={}), [Joined(name) for name in NAMES])
    seen = [session.phase]
    for phase in (Phase.KEYS, Phase.SHARES, Phase.MASK, Phase.UNMASK):
        session = fold(session, [Posted(phase, 0, name, "x") for name in NAMES])
        seen.append(session.phase)
    assert seen == [Phase.KEYS, Phase.SHARES, Phase.MASK, Phase.UNMASK, Phase.AGGREGATE]


@pytest.mark.parametrize(("method", "least"), [("fedavg", 0.94), ("fedprox", 0.94)])
def test_digits_are_learned_as_well_as_the_study_did(method: str, least: float):
    sim = simulation(20, aggregation={"method": method}).run()
    accuracy = evaluate(MLP, sim.progress.weights, split()[1], TRAINING).metrics["accuracy"]
    assert accuracy >= least
    assert sim.session.phase is Phase.DONE
    assert sim.session.reason == "all rounds are done"


METHODS: list[tuple[str, dict[str, Any]]] = [
    ("fedavg", {}),
    ("fedavgm", {"server_momentum": "0.5"}),
    ("fedadam", {"server_rate": "0.05"}),
    ("fedyogi", {"server_rate": "0.05"}),
    ("scaffold", {}),
    ("median", {}),
    ("trimmed_mean", {"hostile": 2}),
    ("krum", {"hostile": 2}),
    ("multi_krum", {"hostile": 2}),
    ("bulyan", {"hostile": 1}),
    ("norm_clip", {}),
    ("centred_clipping", {}),
    ("reputation", {"hostile": 2}),
]


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_every_method_learns(method: str, options: dict[str, Any]):
    sim = simulation(4, aggregation={"method": method, **options}, verification={"gate_loss": 5}).run()
    assert sim.reports[-1].evaluation.metrics["accuracy"] > {"krum": 0.1, "bulyan": 0.35}.get(method, 0.6)


def test_a_killed_and_replayed_session_has_the_same_hash():
    whole = simulation(4, aggregation={"method": "fedyogi", "server_rate": "0.05"}).run()
    stopped = simulation(4, aggregation={"method": "fedyogi", "server_rate": "0.05"}).run(until_round=2)
    again = simulation(4, aggregation={"method": "fedyogi", "server_rate": "0.05"})
    again.progress, again.session = stopped.progress, fold(Session(again.config), stopped.events)
    again.run()
    assert again.progress.digest() == whole.progress.digest()
    assert again.session == whole.session
    assert fold(Session(whole.config), whole.events) == whole.session


def test_secure_aggregation_gives_the_bytes_of_plain_averaging():
    plain, masked = simulation(2).run(), simulation(2, secure_aggregation={}).run()
    assert digest(masked.progress.weights) == digest(plain.progress.weights)


def boasting(**sections: Any) -> Simulation:
    """A session on private data, in which one participant says that it has a hundred times its samples."""
    honest = shares()
    boast = honest[3].take(np.tile(np.arange(len(honest[3])), 100))
    return Simulation(
        config(1, training={"local_epochs": 1}, **sections),
        [*honest[:3], boast, *honest[4:]],
        split()[1],
        first_weights(),
        claimed=True,
    ).run()


def test_samples_that_are_only_claimed_count_for_twice_the_median_at_most():
    weights = boasting().reports[0].weights
    honest = sorted(weight for name, weight in weights.items() if name != "p003")
    assert weights["p003"] == max(weights.values()) <= 2 * honest[5]


def test_samples_that_are_only_claimed_do_not_count_in_a_sum_that_nobody_can_weigh_anew():
    assert set(boasting(secure_aggregation={}).reports[0].weights.values()) == {1}


@pytest.mark.parametrize("phase", [Phase.KEYS, Phase.SHARES, Phase.MASK, Phase.UNMASK])
def test_secure_rounds_survive_whoever_drops_at_any_stage(phase: Phase):
    gone = frozenset((number, phase, f"p{seat:03}") for number, seat in itertools.product((0, 1), (1, 4)))
    sim = simulation(2, drops=gone, secure_aggregation={}).run()
    assert sim.session.phase is Phase.DONE
    counted = 10 if phase is Phase.UNMASK else 8
    assert [len(report.weights) for report in sim.reports] == [counted, counted]


def test_too_many_drops_end_a_secure_session_without_a_model():
    gone = frozenset((0, Phase.UNMASK, f"p{seat:03}") for seat in range(4))
    sim = simulation(2, drops=gone, secure_aggregation={}).run()
    assert sim.session.phase is Phase.FAILED
    assert sim.reports == []


def test_a_dropped_participant_does_not_hold_up_a_plain_round():
    gone = frozenset({(0, Phase.TRAIN, "p001"), (0, Phase.REVEAL, "p002")})
    sim = simulation(2, drops=gone).run()
    assert sim.session.phase is Phase.DONE
    assert [len(report.weights) for report in sim.reports] == [8, 10]


def test_privacy_is_counted_and_shown_every_round():
    sim = simulation(3, privacy={"clip_norm": 1, "noise_multiplier": 1}, verification={"gate_loss": 50}).run()
    spent = [report.epsilon for report in sim.reports]
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(9.2, abs=0.5)
    assert sim.cards[-1].epsilon is not None


def test_distributed_privacy_under_secure_aggregation_noises_only_the_sum():
    sections = {
        "secure_aggregation": {},
        "privacy": {"placement": "distributed", "clip_norm": 1, "noise_multiplier": "0.01"},
    }
    sim = simulation(2, **sections).run()
    plain = simulation(2, privacy={"clip_norm": 1, "noise_multiplier": "0.0001"}).run()
    apart = np.std(sim.progress.weights - plain.progress.weights)
    assert 0.0005 < apart < 0.02


def test_a_sum_has_all_the_noise_that_is_counted_although_some_drop_before_it():
    spent_on = {
        "privacy": {"placement": "distributed", "clip_norm": 1, "noise_multiplier": 1},
        "secure_aggregation": {"threshold": 6},
        "verification": {"gate_loss": 10**6},
    }
    left = 6
    drops = frozenset((0, Phase.MASK, f"p{seat:03}") for seat in range(left, 10))
    done = simulation(1, drops=drops, **spent_on).run()
    summed = left * (done.progress.weights - first_weights())
    assert len(done.cards[0].counted) == left
    assert float(np.std(summed)) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("codec", ["fp16", "int8", "int4", "top_k"])
def test_compressed_updates_learn_nearly_as_well(codec: str):
    sim = simulation(6, compression={"codec": codec}).run()
    plain = simulation(6).run()
    assert (
        sim.reports[-1].evaluation.metrics["accuracy"]
        > plain.reports[-1].evaluation.metrics["accuracy"] - 0.05
    )


def test_a_session_stops_early_when_nothing_improves():
    early = {"metric": "accuracy", "patience": 2, "min_delta": "0.5"}
    sim = simulation(10, training={"early_stop": early}).run()
    assert len(sim.reports) < 10
    assert sim.session.reason == "accuracy has not improved for 2 rounds"


def test_a_round_that_ruins_the_model_does_not_stand():
    sim = simulation(2, hostile_seats=dict.fromkeys(range(6), attacks.sign_flip)).run()
    assert not sim.reports[0].stands
    assert digest(sim.progress.weights) == digest(first_weights())
    assert sim.cards[0].model == sim.cards[0].parents[0]


def test_reputation_bears_three_adaptive_attackers_of_ten():
    accuracies = {}
    for hostile in ({}, dict.fromkeys(range(3), attacks.min_max)):
        rule = {"method": "reputation", "hostile": 3}
        sim = simulation(14, aggregation=rule, hostile_seats=hostile).run()
        accuracies[len(hostile)] = sim.reports[-1].evaluation.metrics["accuracy"]
    assert accuracies[3] > accuracies[0] - 0.03
    assert sim.progress.scores["p000"] < sim.progress.scores["p005"]


def test_cards_form_a_chain_from_the_first_model():
    sim = simulation(3).run()
    first = digest(first_weights()).hex()
    check_chain(sim.cards, first=first)
    assert sim.cards[-1].model == digest(sim.progress.weights).hex()
    assert ModelCard.parse(sim.cards[1].canonical()) == sim.cards[1]
    for broken in (sim.cards[1:], [sim.cards[0], sim.cards[2]], [*sim.cards[:2], sim.cards[1]]):
        with pytest.raises(EvidenceError):
            check_chain(broken, first=first)
    with pytest.raises(EvidenceError):
        check_chain(sim.cards, first="0" * 64)


def test_a_simulation_needs_a_share_for_every_seat():
    with pytest.raises(ConfigError):
        Simulation(config(1, participants=4), shares(), split()[1], first_weights())


def test_a_round_without_usable_updates_keeps_the_model_and_the_session_goes_on():
    sim = simulation(2, verification={"norm_cap": "0.000001"}).run()
    assert [report.stands for report in sim.reports] == [False, False]
    assert np.array_equal(sim.progress.weights, first_weights())
    assert {one.reason for card in sim.cards for one in card.left_out} == {
        "is longer than the session allows"
    }


@pytest.mark.parametrize(
    "method",
    ["bulyan", "krum", "multi_krum", "median", "trimmed_mean", "reputation", "norm_clip", "centred_clipping"],
)
@pytest.mark.parametrize("left", [1, 2])
def test_every_rule_goes_on_when_hardly_anybody_is_left(method: str, left: int):
    gone = frozenset((1, Phase.TRAIN, f"p{seat:03}") for seat in range(left, 10))
    rules = {"aggregation": {"method": method}, "training": {"min_participants": 1}}
    sim = simulation(2, drops=gone, **rules).run()
    assert sim.session.phase is Phase.DONE
    assert len(sim.cards[1].counted) + len(sim.cards[1].left_out) == left


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.95, "0.95"),
        (1234.56789, "1234.5679"),
        (5_432_109_876.54321, "5432109880"),
        (3.21987e-8, "0.0000000322"),
        (-3e-16, "0"),
        (1e300, "100000000000000000"),
        (float("nan"), "100000000000000000"),
    ],
)
def test_a_card_shows_figures_of_any_size(value: float, shown: str):
    report = RoundReport(0, {}, {}, Evaluation(1.0, {"mse": value}, 10), stands=True)
    weights = first_weights()
    one = card(config(), report, session="s", parent=weights, model=weights, updates={})
    assert ModelCard.parse(one.canonical()) == one
    assert plain(one.metrics["mse"]) == shown
