from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import assignment, merkle
from learning.datasets import Dataset
from learning.errors import EvidenceError, PartitionError
from learning.session_config import PartitionSpec

STRATEGIES = get_args(PartitionSpec.model_fields["strategy"].annotation)


def ten_people(samples: int = 400) -> Dataset:
    rng = np.random.Generator(np.random.PCG64(1))
    return Dataset(
        np.zeros((samples, 1), np.float32),
        rng.integers(0, 10, samples),
        np.array([f"person {i}" for i in rng.integers(0, 12, samples)]),
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(seed=st.integers(0, 2**53 - 1), participants=st.integers(5, 10))
def test_every_strategy_gives_each_sample_to_exactly_one(strategy: Any, seed: int, participants: int):
    spec = PartitionSpec(strategy=strategy, participants=participants, seed=seed, alpha="1")
    parts = assignment.divide(ten_people(), spec)
    assert len(parts) == participants
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(400))
    assert assignment.publish(parts) == assignment.publish(assignment.divide(ten_people(), spec))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_overlap_adds_the_asked_share_of_others_samples(strategy: Any):
    plain = assignment.divide(ten_people(), PartitionSpec(strategy=strategy, participants=5, alpha="1"))
    wider = assignment.divide(
        ten_people(), PartitionSpec(strategy=strategy, participants=5, alpha="1", overlap_ratio="0.25")
    )
    for own, all_ in zip(plain, wider, strict=True):
        assert len(all_) == len(own) + round(0.25 * len(own))
        assert len(np.unique(all_)) == len(all_)
        assert set(own) <= set(all_)


def test_natural_ids_stay_together():
    data = ten_people()
    parts = assignment.divide(data, PartitionSpec(strategy="natural_id", participants=5))
    assert data.groups is not None
    people = [set(data.groups[part]) for part in parts]
    assert sum(len(held) for held in people) == len(set.union(*people)) == 12


def test_fewer_natural_ids_than_participants_are_refused():
    with pytest.raises(PartitionError, match="too few") as caught:
        assignment.divide(ten_people(), PartitionSpec(strategy="natural_id", participants=13))
    assert caught.value.field == "participants"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_strategy_leaves_anybody_below_the_minimum(strategy: Any):
    spec = PartitionSpec(strategy=strategy, participants=5, alpha="1", min_samples=81)
    with pytest.raises(PartitionError) as caught:
        assignment.divide(ten_people(), spec)
    assert caught.value.field == "min_samples"


def test_a_published_list_is_read_back_and_belongs_to_the_root():
    parts = assignment.divide(ten_people(), PartitionSpec(participants=7))
    published = assignment.publish(parts)
    spec = PartitionSpec(participants=7, root=published.root)
    for seat, content in enumerate(published.lists):
        assignment.check_list(content, seat=seat, spec=spec, path=published.proof(seat))
        assert np.array_equal(assignment.read_list(content, samples=400), parts[seat])


def test_anothers_list_or_a_changed_one_does_not_belong_to_the_seat():
    published = assignment.publish(assignment.divide(ten_people(), PartitionSpec(participants=7)))
    spec = PartitionSpec(participants=7, root=published.root)
    with pytest.raises(EvidenceError):
        assignment.check_list(published.lists[1], seat=0, spec=spec, path=published.proof(1))
    with pytest.raises(EvidenceError):
        assignment.check_list(published.lists[0][:-4], seat=0, spec=spec, path=published.proof(0))


@pytest.mark.parametrize(
    "content",
    [b"", b"parity/indices/v1\0", b"parity/indices/v1\0" + b"\1\0\0\0" * 2, b"parity/indices/v1\0\xff\0\0"],
)
def test_what_is_no_ascending_list_is_refused(content: bytes):
    with pytest.raises(PartitionError):
        assignment.read_list(content, samples=400)


@given(st.integers(1, 40), st.data())
def test_a_leaf_is_shown_to_stand_at_its_place_only(leaves: int, data: st.DataObject):
    hashes = [merkle.leaf_hash(bytes([i])) for i in range(leaves)]
    index = data.draw(st.integers(0, leaves - 1))
    root, path = merkle.root(hashes), merkle.proof(hashes, index)
    merkle.check(root, hashes[index], index=index, leaves=leaves, path=path)
    for wrong in {0, leaves - 1, (index + 1) % leaves} - {index}:
        with pytest.raises(EvidenceError):
            merkle.check(root, hashes[index], index=wrong, leaves=leaves, path=path)
    with pytest.raises(EvidenceError):
        merkle.check(root, hashes[index], index=index, leaves=leaves, path=[*path, root])
    if path:
        with pytest.raises(EvidenceError):
            merkle.check(root, hashes[index], index=index, leaves=leaves, path=path[:-1])


def test_trees_of_different_sizes_have_different_roots():
    hashes = [merkle.leaf_hash(b"same") for _ in range(9)]
    assert len({merkle.root(hashes[:n]) for n in range(1, 10)}) == 9


def test_held_out_samples_are_apart_from_those_trained_on():
    train, held = assignment.hold_out(100, share=0.2, seed=3)
    assert (len(train), len(held)) == (80, 20)
    assert np.array_equal(np.sort(np.concatenate([train, held])), np.arange(100))


@pytest.mark.parametrize("strategy", ["random", "stratified", "sequential", "quantity"])
def test_every_row_is_trained_on_by_one_participant_or_held_out(strategy: str):
    rng = np.random.default_rng(5)
    data = Dataset(rng.random((120, 3), dtype=np.float32), np.arange(120) % 4)
    division = assignment.divide_rows(
        data, PartitionSpec(strategy=strategy, participants=5, seed=2), evaluation_share=0.25
    )
    assert len(division.held_out) == 30
    assert np.array_equal(np.sort(np.concatenate([*division.parts, division.held_out])), np.arange(120))


def test_only_all_lists_in_the_order_of_their_seats_are_those_of_the_session():
    data = Dataset(np.zeros((40, 1), np.float32), np.arange(40) % 2)
    spec = PartitionSpec(participants=4)
    published = assignment.publish(assignment.divide_rows(data, spec, evaluation_share=0.1).parts)
    rooted = spec.model_copy(update={"root": published.root})
    assignment.check_all(published.lists, rooted)
    for wrong in (published.lists[:3], published.lists[::-1]):
        with pytest.raises(EvidenceError):
            assignment.check_all(wrong, rooted)
