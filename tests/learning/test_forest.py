import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from learning import forest
from learning.datasets import Dataset
from learning.errors import TensorError
from learning.model_spec import RandomForest
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
