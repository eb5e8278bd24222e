import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from learning import forest, forest_rounds
from learning.datasets import Dataset
from learning.errors import TensorError
from learning.forest import Tree
from learning.model_spec import RandomForest
from learning.rounds import Progress, RoundReport
from learning.session_config import SessionConfig
from tests.learning.digits import shares, split

SPEC = RandomForest(input_dim=64, output_dim=10, trees=5, max_depth=8)


def test_a_grown_forest_answers_as_scikit_learns():
    train, test = split()
    reference = RandomForestClassifier(n_estimators=5, max_depth=8, random_state=7).fit(
        train.features, train.targets
    )
    trees = forest.grow(SPEC, train, seed=7)
    np.testing.assert_allclose(
        forest.vote(trees, test.features), reference.predict_proba(test.features), atol=1e-6
    )
    assert np.array_equal(forest.predict(trees, test.features), reference.predict(test.features))


def test_quantities_are_averaged_as_scikit_learn_does():
    bunch = load_diabetes()
    data = Dataset(bunch.data.astype(np.float32), bunch.target.astype(np.float32))
    spec = RandomForest(input_dim=10, output_dim=1, trees=8, max_depth=5)
    reference = RandomForestRegressor(n_estimators=8, max_depth=5, random_state=3).fit(
        data.features, data.targets
    )
    trees = forest.grow(spec, data, seed=3)
    np.testing.assert_allclose(
        forest.predict(trees, data.features), reference.predict(data.features), rtol=1e-5
    )


def test_a_union_of_uneven_participants_beats_each_of_them():
    _, test = split()
    forests = [(f"p{i}", forest.grow(SPEC, share, seed=i)) for i, share in enumerate(shares())]
    united = forest.unite(forests)
    assert len(united) == 50
    alone = [(forest.predict(trees, test.features) == test.targets).mean() for _, trees in forests]
    together = (forest.predict(united, test.features) == test.targets).mean()
    assert together > max(alone)
    assert together > 0.8


def test_the_union_is_the_same_bytes_in_whatever_order_forests_come():
    forests = [(f"p{i}", forest.grow(SPEC, share, seed=i)) for i, share in enumerate(shares()[:3])]
    one, other = (forest.to_bytes(forest.unite(order), SPEC) for order in (forests, forests[::-1]))
    assert one == other


def test_growing_again_gives_the_same_bytes_and_bytes_are_read_back():
    content = forest.to_bytes(forest.grow(SPEC, shares()[0], seed=7), SPEC)
    assert forest.to_bytes(forest.grow(SPEC, shares()[0], seed=7), SPEC) == content
    assert forest.to_bytes(forest.from_bytes(content, SPEC), SPEC) == content
    assert forest.to_bytes(forest.grow(SPEC, shares()[0], seed=8), SPEC) != content


HEAD = b"parity/forest/v1\0" + struct.pack("<IIII", 1, 2, 2, 0)


def one_tree(left: list[int], right: list[int], feature: list[int], threshold: list[float]) -> bytes:
    n = len(left)
    return (
        HEAD
        + struct.pack("<I", n)
        + np.array([left, right, feature], "<i4").tobytes()
        + np.array(threshold, "<f8").tobytes()
        + np.zeros((n, 2), "<f4").tobytes()
    )


GOOD = one_tree([1, -1, -1], [2, -1, -1], [0, -1, -1], [0.5, 0, 0])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HEAD,
        GOOD[:-1],
        GOOD + b"\0",
        GOOD.replace(struct.pack("<IIII", 1, 2, 2, 0), struct.pack("<IIII", 0, 2, 2, 0)),
        GOOD.replace(struct.pack("<IIII", 1, 2, 2, 0), struct.pack("<IIII", 1, 3, 2, 0)),
        one_tree([0, -1, -1], [2, -1, -1], [0, -1, -1], [0.5, 0, 0]),  # back to itself: would never end
        one_tree([1, -1, -1], [3, -1, -1], [0, -1, -1], [0.5, 0, 0]),
        one_tree([1, -1, -1], [2, -1, -1], [2, -1, -1], [0.5, 0, 0]),
        one_tree([1, -1, -1], [-1, -1, -1], [0, -1, -1], [0.5, 0, 0]),
        one_tree([1, -1, -1], [2, -1, -1], [0, -1, -1], [float("nan"), 0, 0]),
        HEAD + struct.pack("<I", 2**32 - 1),
    ],
)
def test_hostile_forests_are_refused(content: bytes):
    spec = RandomForest(input_dim=2, output_dim=2)
    assert forest.predict(forest.from_bytes(GOOD, spec), np.array([[0, 0], [1, 0]], np.float32)).tolist() == [
        0,
        0,
    ]
    with pytest.raises(TensorError):
        forest.from_bytes(content, spec)


@given(st.binary(max_size=100))
def test_no_bytes_do_anything_but_raise(tail: bytes):
    with pytest.raises(TensorError):
        forest.from_bytes(HEAD + tail, RandomForest(input_dim=3, output_dim=2))


def chain(depth: int) -> bytes:
    """A tree that asks one question after another: every second node is an inner one, but for the last."""
    inner = range(0, 2 * depth, 2)
    left, right, feature = ([-1] * (2 * depth + 1) for _ in range(3))
    for node in inner:
        left[node], right[node], feature[node] = node + 2, node + 1, 0
    return one_tree(left, right, feature, [1.0] * len(left))


def test_a_tree_deeper_than_the_session_s_is_refused_however_few_nodes_it_has():
    spec = RandomForest(input_dim=2, output_dim=2, max_depth=5)
    assert forest.from_bytes(chain(5), spec)
    with pytest.raises(TensorError, match="deeper than 5"):
        forest.from_bytes(chain(6), spec)


@pytest.mark.parametrize("shares", [[1e9, 0.0], [1.5, -0.5], [0.8, 0.8]])
def test_a_tree_that_would_outvote_the_others_is_refused(shares: list[float]):
    leaf = (
        HEAD + struct.pack("<I", 1) + np.array([-1, -1, -1], "<i4").tobytes() + np.zeros(1, "<f8").tobytes()
    )
    spec = RandomForest(input_dim=2, output_dim=2)
    assert forest.from_bytes(leaf + np.array([0.4, 0.6], "<f4").tobytes(), spec)
    with pytest.raises(TensorError, match="shares"):
        forest.from_bytes(leaf + np.array(shares, "<f4").tobytes(), spec)


def diabetes_round(spoil: Callable[[Tree], Tree], *, unit: float = 1.0) -> tuple[Progress, RoundReport]:
    """A first round of three who grow trees of quantities, the second of them after its own fashion."""
    bunch = load_diabetes()
    data = Dataset(bunch.data.astype(np.float32), (unit * bunch.target).astype(np.float32))
    spec = RandomForest(input_dim=10, output_dim=1, trees=4, max_depth=5)
    config = SessionConfig.build(
        {
            "name": "diabetes",
            "model": spec.model_dump(),
            "aggregation": {"method": "forest_union"},
            "training": {"min_participants": 3, "loss": "mse", "metrics": ["mse", "r2"]},
        }
    )
    groves = []
    for seat in range(3):
        trees = forest.grow(spec, data.take(np.arange(seat, 300, 3)), seed=seat)
        trees = tuple(map(spoil, trees)) if seat == 1 else trees
        content = forest.to_bytes(trees, spec)
        said = forest_rounds.manifest_of(
            config,
            content,
            session="s",
            round_=0,
            participant=f"p{seat}",
            samples=100,
            base=forest_rounds.FIRST,
        )
        groves.append(forest_rounds.Grove(said, content, trees))
    progress = Progress(np.zeros(0, np.float32))
    return forest_rounds.finish(progress, config, groves, evaluation=data.take(np.arange(300, 442)))


def test_trees_that_would_spoil_everybody_s_mean_are_left_out_and_the_others_count():
    after, report = diabetes_round(lambda tree: replace(tree, values=tree.values * np.float32(-1e6)))
    assert report.reasons == {"p1": "the model is far better without it"}
    assert sorted(report.weights) == ["p0", "p2"]
    assert report.evaluation.metrics["r2"] > 0.3
    assert len(forest.from_bytes(after.forest, RandomForest(input_dim=10, output_dim=1))) == 8


def test_honest_trees_of_quantities_all_count():
    _, report = diabetes_round(lambda tree: tree)
    assert (report.reasons, sorted(report.weights)) == ({}, ["p0", "p1", "p2"])


def test_equal_trees_of_one_class_alone_are_no_copies():
    spec = RandomForest(input_dim=2, output_dim=2, trees=3)
    alone = Dataset(np.zeros((5, 2), np.float32), np.zeros(5, np.int64))
    content = forest.to_bytes(forest.grow(spec, alone, seed=1), spec)
    assert content == forest.to_bytes(forest.grow(spec, alone, seed=2), spec)
    config = SessionConfig.build(
        {"name": "one class", "model": spec.model_dump(), "aggregation": {"method": "forest_union"}}
    )
    groves = [
        forest_rounds.Grove(
            forest_rounds.manifest_of(
                config, content, session="s", round_=0, participant=name, samples=5, base=forest_rounds.FIRST
            ),
            content,
            forest.from_bytes(content, spec),
        )
        for name in ("p0", "p1")
    ]
    assert forest_rounds.screen(groves, spec, base=forest_rounds.FIRST, samples={"p0": 5, "p1": 5}) == {}
