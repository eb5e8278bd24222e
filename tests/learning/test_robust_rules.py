import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning import attacks, bounding, geometry, krum, reputation
from learning.aggregate import canonical_bytes, fedavg
from learning.errors import UpdateError
from learning.updates import Update, Vector

CLIP = 4.0


def a_round(participants: int, parameters: int = 40, *, seed: int = 0) -> list[Update]:
    rng = np.random.Generator(np.random.PCG64(seed))
    centre = 0.5 * rng.standard_normal(parameters)
    return [
        Update(
            f"p{i:02}",
            int(rng.integers(1, 100)),
            (centre + 0.2 * rng.standard_normal(parameters)).astype(np.float32),
        )
        for i in range(participants)
    ]


def table(updates: list[Update]) -> np.ndarray:
    rows = np.stack([u.delta for u in updates]).astype(np.float64)
    return ((rows[:, None] - rows[None]) ** 2).sum(axis=2)


def naive_scores(distances: np.ndarray, hostile: int) -> list[float]:
    n = len(distances)
    return [
        sum(sorted(d for j, d in enumerate(row) if j != i)[: n - hostile - 2])
        for i, row in enumerate(distances)
    ]


def naive_krum(updates: list[Update], hostile: int) -> np.ndarray:
    return updates[int(np.argmin(naive_scores(table(updates), hostile)))].delta


def naive_multi_krum(updates: list[Update], hostile: int) -> np.ndarray:
    best = np.argsort(naive_scores(table(updates), hostile))[: len(updates) - hostile]
    return np.average([updates[i].delta for i in best], axis=0, weights=[updates[i].weight for i in best])


def naive_bulyan(updates: list[Update], hostile: int) -> np.ndarray:
    pool, chosen = list(updates), []
    while len(chosen) < len(updates) - 2 * hostile:
        spare = min(hostile, max(0, (len(pool) - 3) // 2))
        scores = naive_scores(table(pool), spare) if len(pool) >= 3 else [0.0] * len(pool)
        chosen.append(pool.pop(int(np.argmin(scores))))
    rows = np.stack([u.delta for u in chosen]).astype(np.float64)
    median, keep = np.median(rows, axis=0), len(chosen) - 2 * hostile
    nearest = np.argsort(np.abs(rows - median), axis=0, kind="stable")[:keep]
    return np.take_along_axis(rows, nearest, axis=0).mean(axis=0)


def naive_norm_clip(updates: list[Update], radius: float | None) -> np.ndarray:
    norms = [np.linalg.norm(u.delta) for u in updates]
    limit = np.median(norms) if radius is None else radius
    rows = [u.delta * min(1, limit / n) for u, n in zip(updates, norms, strict=True)]
    return np.average(rows, axis=0, weights=[u.weight for u in updates])


def naive_centred(updates: list[Update], radius: float, iterations: int) -> np.ndarray:
    at = np.median([u.delta for u in updates], axis=0).astype(np.float64)
    for _ in range(iterations):
        at = at + naive_norm_clip([Update(u.participant, u.weight, u.delta - at) for u in updates], radius)
    return at


@pytest.mark.parametrize("seed", range(5))
def test_every_rule_is_what_its_paper_says(seed: int):
    updates = a_round(11, seed=seed)
    close = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(krum.krum(updates, hostile=2, clip=CLIP), naive_krum(updates, 2), **close)
    np.testing.assert_allclose(
        krum.multi_krum(updates, hostile=2, clip=CLIP), naive_multi_krum(updates, 2), **close
    )
    np.testing.assert_allclose(krum.bulyan(updates, hostile=2, clip=CLIP), naive_bulyan(updates, 2), **close)
    np.testing.assert_allclose(
        bounding.norm_clip(updates, clip=CLIP), naive_norm_clip(updates, None), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(
        bounding.centred_clipping(updates, clip=CLIP, radius=1.0),
        naive_centred(updates, 1.0, 3),
        rtol=1e-3,
        atol=1e-3,
    )


def by_reputation(updates: list[Update]) -> Vector:
    return reputation.reputation(updates, scores={"p00": 900_000, "p01": 100}, hostile=2, clip=CLIP)[0]


RULES: dict[str, Callable[[list[Update]], Vector]] = {
    "krum": lambda u: krum.krum(u, hostile=2, clip=CLIP),
    "multi_krum": lambda u: krum.multi_krum(u, hostile=2, clip=CLIP),
    "bulyan": lambda u: krum.bulyan(u, hostile=2, clip=CLIP),
    "norm_clip": lambda u: bounding.norm_clip(u, clip=CLIP),
    "centred_clipping": lambda u: bounding.centred_clipping(u, clip=CLIP),
    "reputation": by_reputation,
}


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), shuffle=st.randoms())
def test_the_order_of_updates_does_not_change_a_byte(rule: str, seed: int, shuffle: random.Random):
    updates = a_round(11, seed=seed)
    expected = canonical_bytes(RULES[rule](updates))
    shuffle.shuffle(updates)
    assert canonical_bytes(RULES[rule](updates)) == expected


@pytest.mark.parametrize("rule", RULES)
def test_equal_updates_give_that_update(rule: str):
    one = a_round(1)[0]
    same = [Update(f"p{i:02}", 5 + i, one.delta) for i in range(11)]
    np.testing.assert_allclose(RULES[rule](same), one.delta, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", sorted(RULES.keys() - {"norm_clip", "krum"}))
@pytest.mark.parametrize("attack", ["sign flip", "noise"])
def test_two_crude_attackers_of_eleven_hardly_move_the_result(rule: str, attack: str):
    updates = a_round(11)
    honest = [u.delta for u in updates[2:]]
    hostile = [
        Update(u.participant, u.weight, attacks.ATTACKS[attack](honest, u.delta, 1)) for u in updates[:2]
    ]
    centre = np.mean(honest, axis=0)
    moved = np.linalg.norm(RULES[rule](hostile + updates[2:]) - centre)
    assert moved < 0.35 * np.linalg.norm(centre)
    assert moved < np.linalg.norm(fedavg(hostile + updates[2:], clip=CLIP) - centre)


def test_a_shortened_update_is_no_longer_than_the_radius():
    for update in bounding.shortened(a_round(9), clip=CLIP, radius=2.0):
        assert np.linalg.norm(update.delta) <= 2.0 * 1.001


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_distances_are_exact_whatever_the_order_of_their_sums(seed: int):
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = [rng.standard_normal(70_000).astype(np.float32) for _ in range(3)]
    whole = [
        np.rint(np.clip(r.astype(np.float64) * 2**18 / CLIP, -(2**18), 2**18)).astype(object) for r in rows
    ]
    expected = [[int(sum(a * b)) for b in whole] for a in whole]
    assert geometry.gram(rows, clip=CLIP).tolist() == expected


def test_distances_and_lengths_are_those_of_the_vectors():
    updates = a_round(4)
    products = geometry.gram([u.delta for u in updates], clip=CLIP)
    unit = (CLIP / 2**geometry.BITS) ** 2
    np.testing.assert_allclose(
        geometry.squared_distances(products) * unit, table(updates), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(
        geometry.norms([u.delta for u in updates], clip=CLIP),
        [np.linalg.norm(u.delta) for u in updates],
        rtol=1e-4,
    )
    assert np.allclose(np.diagonal(geometry.cosines(products)), 1)


@pytest.mark.parametrize("rule", ["krum", "multi_krum", "bulyan"])
def test_too_few_updates_for_the_hostile_are_refused(rule: str):
    with pytest.raises(UpdateError, match="at least") as caught:
        RULES[rule](a_round(6))
    assert caught.value.field == "hostile"


def test_reputation_weighs_by_samples_and_score():
    same = [Update(f"p{i}", 10, a_round(1)[0].delta) for i in range(4)]
    weighing = reputation.weigh(same, scores={"p0": 1_000_000, "p1": 250_000, "p2": 0}, hostile=0, clip=CLIP)
    weights = weighing.weights
    assert weights["p0"] == 4 * weights["p1"] == 2 * weights["p3"]
    assert weights["p2"] == 0
    many = [Update("p0", 10_000, same[0].delta), *same[1:]]
    capped = reputation.weigh(many, scores={}, hostile=0, clip=CLIP).weights
    assert capped["p0"] == 2 * capped["p1"]


def test_reputation_leaves_out_what_harms_the_model_though_it_lies_near():
    updates = a_round(9)
    good = np.mean([u.delta for u in updates], axis=0)
    honest = [u.delta for u in updates[2:]]
    hidden = [Update(u.participant, 10, attacks.min_max(honest, u.delta, 0)) for u in updates[:2]]

    def losses(delta: Vector) -> float:
        return float(((delta - good) ** 2).sum())

    near = krum.kept([*hidden, *updates[2:]], hostile=2, clip=CLIP)
    assert {"p00", "p01"} <= {update.participant for update in near}
    weighing = reputation.weigh([*hidden, *updates[2:]], scores={}, hostile=2, clip=CLIP, losses=losses)
    assert weighing.reasons.keys() == {"p00", "p01"}
    assert weighing.weights["p00"] == weighing.weights["p01"] == 0


def test_reputation_leaves_nobody_out_whose_absence_helps_little():
    updates = a_round(9)

    def flat(_delta: Vector) -> float:
        return 1.0

    weighing = reputation.weigh(updates, scores={}, hostile=3, clip=CLIP, losses=flat)
    assert weighing.reasons == {}
    assert all(weighing.weights.values())


def test_a_score_falls_quickly_and_rises_slowly():
    score = reputation.START_SCORE
    for _ in range(3):
        score = reputation.after_round(score, kept=False)
    assert score == 62_500
    risen = [score := reputation.after_round(score, kept=True) for _ in range(60)]
    assert risen == sorted(risen)
    assert 940_000 < risen[-1] < reputation.FULL_SCORE


def test_if_nobody_has_a_score_all_count_alike():
    updates = a_round(5)
    mean, weighing = reputation.reputation(
        updates, scores={u.participant: 0 for u in updates}, hostile=0, clip=CLIP
    )
    assert set(weighing.weights.values()) == {1}
    assert np.isfinite(mean).all()
