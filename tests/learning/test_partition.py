from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import partition
from learning.errors import PartitionError
from learning.partition import Indices, Labels

Partitioner = Callable[[Labels, int, int], list[Indices]]

PARTITIONERS: dict[str, Partitioner] = {
    "iid": lambda labels, participants, seed: partition.iid(
        len(labels), participants=participants, seed=seed
    ),
    "sequential": lambda labels, participants, _seed: partition.sequential(
        len(labels), participants=participants
    ),
    "stratified": lambda labels, participants, seed: partition.stratified(
        labels, participants=participants, seed=seed
    ),
    "dirichlet": lambda labels, participants, seed: partition.dirichlet(
        labels, participants=participants, alpha=1.0, seed=seed
    ),
    "label_skew": lambda labels, participants, seed: partition.label_skew(
        labels, participants=participants, labels_each=len(np.unique(labels)), seed=seed
    ),
    "quantity": lambda labels, participants, seed: partition.quantity(
        len(labels), participants=participants, power=1.5, seed=seed
    ),
}
RANDOM = sorted(PARTITIONERS.keys() - {"sequential"})


@st.composite
def divisible(draw: st.DrawFn) -> tuple[Labels, int, int]:
    participants = draw(st.integers(1, 6))
    counts = draw(st.lists(st.integers(min_value=participants, max_value=60), min_size=1, max_size=5))
    labels = np.repeat(np.arange(len(counts)), counts)
    seed = draw(st.integers(0, 2**63 - 1))
    return np.random.Generator(np.random.PCG64(seed)).permutation(labels), participants, seed


def ten_labels(each: int = 100) -> Labels:
    return np.random.Generator(np.random.PCG64(7)).permutation(np.repeat(np.arange(10), each))


def counts(labels: Labels, parts: list[Indices]) -> np.ndarray:
    """Count samples by participant and label."""
    return np.stack([np.bincount(labels[part], minlength=labels.max() + 1) for part in parts])


def unevenness(labels: Labels, parts: list[Indices]) -> float:
    """Return the mean distance between participants' label mixes and the whole set's: 0 even, towards 1 disjoint."""
    table = counts(labels, parts)
    mixes = table / table.sum(axis=1, keepdims=True)
    whole = table.sum(axis=0) / table.sum()
    return float(np.abs(mixes - whole).sum(axis=1).mean() / 2)


@pytest.mark.parametrize("name", PARTITIONERS)
@given(divisible())
def test_every_sample_goes_to_exactly_one_participant(name: str, case: tuple[Labels, int, int]):
    labels, participants, seed = case
    parts = PARTITIONERS[name](labels, participants, seed)
    assert len(parts) == participants
    assert all(len(part) for part in parts)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    assert all(part.dtype == np.int64 and np.all(np.diff(part) > 0) for part in parts)


@pytest.mark.parametrize("name", PARTITIONERS)
def test_the_same_seed_gives_the_same_partition(name: str):
    one, again = (PARTITIONERS[name](ten_labels(), 7, 42) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))


@pytest.mark.parametrize("name", RANDOM)
def test_another_seed_gives_another_partition(name: str):
    one, other = PARTITIONERS[name](ten_labels(), 7, 1), PARTITIONERS[name](ten_labels(), 7, 2)
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_global_generator_is_neither_used_nor_disturbed():
    np.random.seed(1)  # noqa: NPY002 (it is what must not matter)
    one = partition.iid(100, participants=3, seed=5)
    after = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.random.random() == after  # noqa: NPY002
    assert all(
        np.array_equal(a, b) for a, b in zip(one, partition.iid(100, participants=3, seed=5), strict=True)
    )


@pytest.mark.parametrize("name", ["iid", "sequential", "stratified"])
@given(divisible())
def test_even_strategies_give_sizes_that_differ_by_one_at_most(name: str, case: tuple[Labels, int, int]):
    labels, participants, seed = case
    sizes = [len(part) for part in PARTITIONERS[name](labels, participants, seed)]
    assert max(sizes) - min(sizes) <= 1


@given(divisible())
def test_a_stratified_partition_spreads_each_label_evenly(case: tuple[Labels, int, int]):
    labels, participants, seed = case
    table = counts(labels, partition.stratified(labels, participants=participants, seed=seed))
    assert np.all(table.max(axis=0) - table.min(axis=0) <= 1)


def test_a_sequential_partition_keeps_neighbours_together():
    parts = partition.sequential(10, participants=3)
    assert [part.tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_a_smaller_alpha_gives_a_more_uneven_mix():
    labels = ten_labels()
    uneven = {
        alpha: np.mean(
            [
                unevenness(labels, partition.dirichlet(labels, participants=10, alpha=alpha, seed=seed))
                for seed in range(20)
            ]
        )
        for alpha in (0.1, 0.5, 1.0, 10.0, 1000.0)
    }
    assert list(uneven) == sorted(uneven, key=lambda alpha: -uneven[alpha])
    assert uneven[0.1] > 0.6
    assert uneven[1000.0] < 0.06


@given(st.integers(0, 2**32), st.integers(1, 15))
def test_a_dirichlet_partition_keeps_the_minimum(seed: int, min_samples: int):
    parts = partition.dirichlet(
        ten_labels(30), participants=10, alpha=0.5, seed=seed, min_samples=min_samples
    )
    assert min(len(part) for part in parts) >= min_samples


def test_a_minimum_that_no_draw_reaches_is_refused():
    with pytest.raises(PartitionError, match="raise alpha") as caught:
        partition.dirichlet(ten_labels(10), participants=10, alpha=0.05, seed=1, min_samples=10)
    assert caught.value.field == "min_samples"


@given(st.integers(1, 10), st.integers(0, 2**32))
def test_label_skew_gives_nobody_more_labels_than_asked(labels_each: int, seed: int):
    labels = ten_labels()
    table = counts(labels, partition.label_skew(labels, participants=10, labels_each=labels_each, seed=seed))
    assert np.all((table > 0).sum(axis=1) == labels_each)


def test_label_skew_that_would_leave_labels_to_nobody_is_refused():
    with pytest.raises(PartitionError, match="at least 5") as caught:
        partition.label_skew(ten_labels(), participants=2, labels_each=4, seed=1)
    assert caught.value.field == "labels_each"


def test_a_label_with_fewer_samples_than_holders_is_refused():
    with pytest.raises(PartitionError) as caught:
        partition.label_skew(np.array([0] * 9 + [1]), participants=4, labels_each=1, seed=3)
    assert caught.value.field == "participants"


def test_a_larger_power_gives_more_unequal_amounts():
    shares = [
        max(len(part) for part in partition.quantity(1000, participants=10, power=power, seed=3))
        for power in (0.0, 0.5, 1.0, 2.0)
    ]
    assert shares == sorted(shares)
    assert shares[0] == 100
    assert shares[-1] > 600


@given(st.integers(10, 500), st.floats(0, 5), st.integers(0, 2**32))
def test_a_quantity_partition_keeps_the_minimum(samples: int, power: float, seed: int):
    parts = partition.quantity(samples, participants=5, power=power, seed=seed, min_samples=2)
    assert min(len(part) for part in parts) >= 2
    assert sum(len(part) for part in parts) == samples


LABELS = ten_labels(2)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: partition.iid(5, participants=6, seed=0), "participants"),
        (lambda: partition.iid(5, participants=0, seed=0), "participants"),
        (lambda: partition.sequential(0, participants=1), "participants"),
        (lambda: partition.stratified(LABELS.astype(float), participants=2, seed=0), "labels"),  # type: ignore[arg-type]
        (lambda: partition.stratified(LABELS.reshape(2, -1), participants=2, seed=0), "labels"),
        (lambda: partition.dirichlet(LABELS, participants=2, alpha=0, seed=0), "alpha"),
        (lambda: partition.dirichlet(LABELS, participants=2, alpha=float("nan"), seed=0), "alpha"),
        (lambda: partition.dirichlet(LABELS, participants=2, alpha=1, seed=0, min_samples=11), "min_samples"),
        (lambda: partition.dirichlet(LABELS, participants=2, alpha=1, seed=0, min_samples=0), "min_samples"),
        (lambda: partition.label_skew(LABELS, participants=2, labels_each=11, seed=0), "labels_each"),
        (lambda: partition.quantity(20, participants=2, power=-1, seed=0), "power"),
        (lambda: partition.quantity(20, participants=2, power=float("inf"), seed=0), "power"),
        (lambda: partition.quantity(20, participants=2, power=1, seed=0, min_samples=11), "min_samples"),
    ],
)
def test_what_cannot_be_divided_is_refused_by_the_arguments_name(call: Callable[[], object], field: str):
    with pytest.raises(PartitionError) as caught:
        call()
    assert caught.value.field == field
