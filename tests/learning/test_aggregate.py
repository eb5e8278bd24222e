import hashlib
import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from learning import aggregate
from learning.aggregate import (
    SCALE,
    believed,
    canonical_bytes,
    fedavg,
    fitting,
    median,
    quantise,
    trimmed_mean,
)
from learning.errors import UpdateError
from learning.sorting import CHUNK, NETWORK_LIMIT, network
from learning.updates import Update, Vector

CLIP = 4.0
values = st.floats(-8, 8, width=32)


@st.composite
def rounds(draw: st.DrawFn, *, most: int = 40) -> list[Update]:
    participants = draw(st.integers(1, most))
    parameters = draw(st.integers(1, 12))
    deltas = draw(hnp.arrays(np.float32, (participants, parameters), elements=values))
    weights = draw(st.lists(st.integers(1, 10_000), min_size=participants, max_size=participants))
    return [
        Update(f"p{i}", weight, delta) for i, (weight, delta) in enumerate(zip(weights, deltas, strict=True))
    ]


def random_round(participants: int, parameters: int, *, seed: int = 1) -> list[Update]:
    rng = np.random.Generator(np.random.PCG64(seed))
    return [
        Update(f"p{i}", int(rng.integers(1, 500)), rng.standard_normal(parameters).astype(np.float32) * 0.1)
        for i in range(participants)
    ]


def stack(updates: list[Update]) -> np.ndarray:
    return np.stack([update.delta for update in updates]).astype(np.float64)


RULES = {
    "fedavg": lambda updates: fedavg(updates, clip=CLIP),
    "median": median,
    "trimmed_mean": lambda updates: trimmed_mean(updates, trim=(len(updates) - 1) // 3),
}


@pytest.mark.parametrize("rule", RULES)
@given(rounds(), st.randoms())
def test_an_aggregate_is_the_same_bytes_in_whatever_order_updates_come(
    rule: str, updates: list[Update], shuffle: random.Random
):
    expected = canonical_bytes(RULES[rule](updates))
    shuffle.shuffle(updates)
    assert canonical_bytes(RULES[rule](updates)) == expected


@given(rounds())
def test_fedavg_is_the_weighted_mean_within_its_resolution(updates: list[Update]):
    weights = [update.weight for update in updates]
    expected = np.average(np.clip(stack(updates), -CLIP, CLIP), axis=0, weights=weights)
    # Half a step of fixed point, and half a unit in the last place of the float32 that it ends in.
    tolerance = 0.5 / SCALE + np.spacing(np.float32(CLIP)) / 2
    np.testing.assert_allclose(fedavg(updates, clip=CLIP), expected, rtol=0, atol=tolerance)


@given(rounds())
def test_fedavg_is_what_secure_aggregation_unmasks_to(updates: list[Update]):
    total = sum(quantise(update.delta, clip=CLIP).astype(object) * update.weight for update in updates)
    weight = sum(update.weight for update in updates)
    expected = np.array([float(part) / float(weight * SCALE) for part in total], dtype=np.float32)
    assert canonical_bytes(fedavg(updates, clip=CLIP)) == canonical_bytes(expected)


@given(rounds(), st.integers(2, 100))
def test_only_the_proportions_of_weights_count(updates: list[Update], factor: int):
    scaled = [Update(update.participant, update.weight * factor, update.delta) for update in updates]
    assert canonical_bytes(fedavg(scaled, clip=CLIP)) == canonical_bytes(fedavg(updates, clip=CLIP))


@given(rounds(most=20))
def test_an_update_of_weight_two_counts_as_two_of_weight_one(updates: list[Update]):
    doubled = [Update(u.participant, 2 * u.weight, u.delta) for u in updates]
    twice = [Update(f"{u.participant}/{copy}", u.weight, u.delta) for u in updates for copy in range(2)]
    assert canonical_bytes(fedavg(doubled, clip=CLIP)) == canonical_bytes(fedavg(twice, clip=CLIP))


def test_updates_may_come_one_at_a_time():
    updates = random_round(5, 1000)
    assert canonical_bytes(fedavg(iter(updates), clip=CLIP)) == canonical_bytes(fedavg(updates, clip=CLIP))


def test_a_parameter_beyond_the_clip_counts_as_the_clip():
    updates = [Update("a", 1, np.array([100, -100, 0.5], dtype=np.float32))]
    assert fedavg(updates, clip=1.0).tolist() == [1.0, -1.0, 0.5]


def test_plain_float32_sums_would_differ_by_order_on_the_same_updates():
    # What fixed point is for: without it the same updates give other bytes in another order.
    updates = random_round(10, 10_000)
    orders = [updates, updates[::-1], updates[5:] + updates[:5]]
    plain = {hashlib.sha256(sum(u.delta * u.weight for u in order).tobytes()).hexdigest() for order in orders}  # type: ignore[union-attr]
    ours = {hashlib.sha256(canonical_bytes(fedavg(order, clip=CLIP))).hexdigest() for order in orders}
    assert len(plain) == 3
    assert len(ours) == 1


def test_the_aggregate_of_a_known_round_is_the_same_on_every_machine():
    updates = [
        Update(
            f"p{who}",
            100 + who,
            np.array([(who * 7919 + i * 104_729) % 2001 - 1000 for i in range(50)], np.float32) / 700,
        )
        for who in range(7)
    ]
    assert hashlib.sha256(canonical_bytes(fedavg(updates, clip=1.0))).hexdigest() == (
        "59bc5c36084ba7c9f48be5d6bc9c4fee26b7b9059fe9080d37c9bb322232ddd2"
    )


@given(rounds())
def test_the_median_is_numpys(updates: list[Update]):
    expected = np.median(stack(updates), axis=0).astype(np.float32)
    assert np.array_equal(median(updates), expected)


@given(rounds(), st.data())
def test_the_trimmed_mean_is_the_mean_of_what_is_left(updates: list[Update], data: st.DataObject):
    trim = data.draw(st.integers(0, (len(updates) - 1) // 2))
    kept = np.sort(stack(updates), axis=0)[trim : len(updates) - trim]
    np.testing.assert_allclose(trimmed_mean(updates, trim=trim), kept.mean(axis=0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("participants", [2, 9, 10, NETWORK_LIMIT, NETWORK_LIMIT + 1, 70])
def test_sorting_by_network_and_by_library_give_the_same_across_chunks(participants: int):
    updates = random_round(participants, 2 * CHUNK + 37)
    assert np.array_equal(median(updates), np.median(stack(updates), axis=0).astype(np.float32))


@given(rounds(most=9), st.data())
def test_a_minority_cannot_move_the_median_beyond_what_the_others_said(
    updates: list[Update], data: st.DataObject
):
    hostile = data.draw(st.integers(0, (len(updates) - 1) // 2))
    honest = stack(updates[hostile:])
    attacked = [Update(u.participant, 1, np.full_like(u.delta, 1e30)) for u in updates[:hostile]] + updates[
        hostile:
    ]
    result = median(attacked)
    assert np.all(result >= honest.min(axis=0))
    assert np.all(result <= honest.max(axis=0))


@pytest.mark.parametrize("rows", range(1, 14))
def test_the_network_sorts_every_pattern_of_zeros_and_ones(rows: int):
    # The 0-1 principle: a network that sorts these sorts everything.
    patterns = np.array(list(itertools.product((0, 1), repeat=rows))).T.copy()
    for low, high in network(rows):
        patterns[low], patterns[high] = (
            np.minimum(patterns[low], patterns[high]),
            np.maximum(patterns[low], patterns[high]),
        )
    assert np.all(np.diff(patterns, axis=0) >= 0)


def test_the_inputs_are_not_changed():
    updates = random_round(5, 100)
    before = [update.delta.copy() for update in updates]
    for rule in RULES.values():
        rule(updates)
    assert all(np.array_equal(u.delta, b) for u, b in zip(updates, before, strict=True))


def test_zero_is_the_same_bytes_whatever_its_sign():
    minus, plus = np.array([-0.0], dtype=np.float32), np.array([0.0], dtype=np.float32)
    assert canonical_bytes(minus) == canonical_bytes(plus)
    for rule in RULES.values():
        assert canonical_bytes(rule([Update("a", 1, minus), Update("b", 1, plus)])) == canonical_bytes(plus)


def vector(*numbers: float) -> Vector:
    return np.array(numbers, dtype=np.float32)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("updates", "field"),
    [
        ([], "updates"),
        ([Update("a", 1, vector(1)), Update("a", 1, vector(1))], "a"),
        ([Update("a", 1, vector(1)), Update("b", 1, vector(1, 2))], "b"),
        ([Update("a", 1, vector(float("nan")))], "a"),
        ([Update("a", 1, vector(float("inf")))], "a"),
        ([Update("a", 0, vector(1))], "a"),
        ([Update("a", -1, vector(1))], "a"),
        ([Update("a", True, vector(1))], "a"),
        ([Update("a", 1, np.array([1.0]))], "a"),  # type: ignore[arg-type]
        ([Update("a", 1, np.ones((2, 2), dtype=np.float32))], "a"),
    ],
)
def test_updates_that_do_not_fit_are_refused_by_participant(rule: str, updates: list[Update], field: str):
    with pytest.raises(UpdateError) as caught:
        RULES[rule](updates)
    assert caught.value.field == field


def test_weights_that_could_overflow_are_refused_before_they_do():
    most = (2**63 - 1) // SCALE
    updates = [Update("a", most, vector(1)), Update("b", 1, vector(1))]
    assert fedavg(updates[:1], clip=1.0).tolist() == [1.0]
    with pytest.raises(UpdateError, match="too large"):
        fedavg(updates, clip=1.0)


@pytest.mark.parametrize("clip", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clip_that_is_no_limit_is_refused(clip: float):
    with pytest.raises(UpdateError) as caught:
        fedavg([Update("a", 1, vector(1))], clip=clip)
    assert caught.value.field == "clip"


@pytest.mark.parametrize("trim", [-1, 2, 3])
def test_a_trim_that_leaves_nothing_is_refused(trim: int):
    with pytest.raises(UpdateError) as caught:
        trimmed_mean([Update(name, 1, vector(1)) for name in "abc"], trim=trim)
    assert caught.value.field == "trim"


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch):
    updates = random_round(5, 1000)
    whole = canonical_bytes(fedavg(updates, clip=CLIP))
    monkeypatch.setattr(aggregate, "_CHUNK", 7)
    assert canonical_bytes(fedavg(updates, clip=CLIP)) == whole


def test_claims_too_large_to_be_summed_are_divided_alike_and_stop_nobody():
    claims = [3 * 2**40, 2**40, 1]
    updates = [Update(f"p{i}", weight, np.full(3, i, np.float32)) for i, weight in enumerate(claims)]
    with pytest.raises(UpdateError, match="too large"):
        fedavg(updates, clip=4.0)
    fitted = fitting(updates, clip=4.0)
    assert fedavg(fitted, clip=4.0) == pytest.approx(0.25, abs=1e-6)
    assert fitted[2].weight == 1


def test_weights_that_can_be_summed_stay_as_they_are():
    updates = [Update(f"p{i}", 100 + i, np.zeros(3, np.float32)) for i in range(3)]
    assert fitting(updates, clip=4.0) == updates


@given(st.integers(1, 20), st.integers(1, 10_000), st.integers(1, 2**60))
def test_liars_that_are_fewer_than_the_honest_have_twice_their_number_s_share_at_most(
    liars: int, samples: int, claim: int
):
    honest = [Update(f"h{i:02}", samples, np.zeros(2, np.float32)) for i in range(liars + 1)]
    lying = [Update(f"l{i:02}", claim, np.ones(2, np.float32)) for i in range(liars)]
    weights = {one.participant: one.weight for one in believed([*lying, *honest])}
    assert sum(weights[one.participant] for one in lying) <= 2 * samples * liars
    assert all(weights[one.participant] == samples for one in honest)


def test_honest_numbers_of_samples_near_each_other_weigh_what_they_are():
    updates = [Update(f"p{i}", weight, np.zeros(3, np.float32)) for i, weight in enumerate((50, 80, 100))]
    assert believed(updates) == updates
    assert believed([]) == []
