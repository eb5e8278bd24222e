"""Published lists of who trains on what: each list is content of its own, and the session holds their Merkle root."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from learning import merkle, partition
from learning.canonical import Document
from learning.datasets import Dataset
from learning.errors import EvidenceError, PartitionError
from learning.partition import Indices
from learning.seeds import derive_seed, generator
from learning.session_config import Digest, PartitionSpec

_TAG = b"parity/indices/v1\0"
_BY_CLASS = frozenset({"stratified", "non_iid", "label_skew"})


class ListPlace(Document):
    """Where one list lies: `parts` is the digest of the list of its content's parts. `samples` counts its numbers."""

    parts: Digest
    samples: int = Field(ge=1)


class PartitionIndex(Document):
    """Where all lists of a session lie, in the order of their seats; `PartitionSpec.index` is this document's digest.

    `samples` counts those of the whole data set, whose row numbers the lists hold. `evaluation` lists the rows that
    nobody trains on.
    """

    kind: Literal["fl-partition"] = "fl-partition"
    version: Literal[1] = 1
    samples: int = Field(ge=1)
    root: Digest
    lists: tuple[ListPlace, ...] = Field(min_length=1, max_length=1_000)
    evaluation: ListPlace | None = None


@dataclass(frozen=True, slots=True)
class Division:
    """Who has which rows of the whole data set. `held_out`, which nobody trains on, may be empty; all ascending."""

    parts: tuple[Indices, ...]
    held_out: Indices


@dataclass(frozen=True, slots=True)
class PublishedLists:
    """All participants' lists, as content, in the order of their seats."""

    lists: tuple[bytes, ...]

    @property
    def leaves(self) -> list[bytes]:
        """Return the lists' leaf hashes."""
        return [merkle.leaf_hash(content) for content in self.lists]

    @property
    def root(self) -> str:
        """Return the Merkle root, 64 hexadecimal digits: `PartitionSpec.root`."""
        return merkle.root(self.leaves).hex()

    def proof(self, seat: int) -> list[bytes]:
        """Return what shows that a seat's list belongs to the root."""
        return merkle.proof(self.leaves, seat)


def divide(dataset: Dataset, spec: PartitionSpec) -> list[Indices]:
    """Divide the samples as the session says; raises `PartitionError` naming the argument."""
    n, seed, least = spec.participants, spec.seed, spec.min_samples
    if spec.strategy in _BY_CLASS and not np.issubdtype(dataset.targets.dtype, np.integer):
        raise PartitionError(
            f"{spec.strategy} divides by classes, and the target holds quantities; take random, sequential, quantity or natural_id",
            field="partition.strategy",
        )
    match spec.strategy:
        case "random":
            parts = partition.iid(len(dataset), participants=n, seed=seed)
        case "sequential":
            parts = partition.sequential(len(dataset), participants=n)
        case "stratified":
            parts = partition.stratified(dataset.labels, participants=n, seed=seed)
        case "non_iid":
            alpha = float(spec.alpha)
            parts = partition.dirichlet(
                dataset.labels, participants=n, alpha=alpha, seed=seed, min_samples=least
            )
        case "label_skew":
            each = spec.labels_each
            parts = partition.label_skew(dataset.labels, participants=n, labels_each=each, seed=seed)
        case "quantity":
            power = float(spec.power)
            parts = partition.quantity(
                len(dataset), participants=n, power=power, seed=seed, min_samples=least
            )
        case "natural_id":
            parts = natural_id(dataset.groups, participants=n)
    if (smallest := min(len(part) for part in parts)) < least:
        raise PartitionError(
            f"somebody would have {smallest} samples, fewer than {least}", field="min_samples"
        )
    return with_overlap(parts, ratio=float(spec.overlap_ratio), seed=seed)


def divide_rows(dataset: Dataset, spec: PartitionSpec, *, evaluation_share: float) -> Division:
    """Hold rows out for evaluation and divide the rest as the session says, by rows of the whole data set.

    With a share of 0 nothing is held out. Raises `PartitionError` naming the argument.
    """
    if evaluation_share == 0:
        return Division(tuple(divide(dataset, spec)), np.zeros(0, dtype=np.int64))
    train, held = hold_out(len(dataset), share=evaluation_share, seed=spec.seed)
    return Division(tuple(train[part] for part in divide(dataset.take(train), spec)), held)


def natural_id(groups: NDArray[Any] | None, *, participants: int) -> list[Indices]:
    """Keep each natural id's samples together; the next largest id goes to whoever has fewest samples."""
    if groups is None:
        raise PartitionError("the data have no column of natural ids", field="group")
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) < participants:
        raise PartitionError(f"{len(names)} natural ids are too few for {participants}", field="participants")
    held: list[list[int]] = [[] for _ in range(participants)]
    load = [0] * participants
    for place in sorted(range(len(names)), key=lambda i: (-sizes[i], str(names[i]))):
        least = min(range(participants), key=lambda who: (load[who], who))
        held[least].append(place)
        load[least] += int(sizes[place])
    return [np.flatnonzero(np.isin(groups, names[mine])).astype(np.int64) for mine in held]


def with_overlap(parts: Sequence[Indices], *, ratio: float, seed: int) -> list[Indices]:
    """Add to each part samples of the others, `ratio` times its own number (fewer where there are not so many)."""
    if ratio == 0:
        return list(parts)
    rng = generator(derive_seed("overlap", seed))
    wider = []
    for mine, part in enumerate(parts):
        others = np.sort(np.concatenate([p for who, p in enumerate(parts) if who != mine] or [part[:0]]))
        extra = rng.choice(others, size=min(round(ratio * len(part)), len(others)), replace=False)
        wider.append(np.sort(np.concatenate([part, extra])))
    return wider


def publish(parts: Sequence[Indices]) -> PublishedLists:
    """Write each list as content: a tag, then the sample numbers as little-endian uint32, ascending."""
    return PublishedLists(tuple(_TAG + np.sort(part).astype("<u4").tobytes() for part in parts))


def read_list(content: bytes, *, samples: int) -> Indices:
    """Read one list of a data set of `samples`; raises `PartitionError` for anything else."""
    if not content.startswith(_TAG) or (len(content) - len(_TAG)) % 4:
        raise PartitionError("not a list of sample numbers", field="assignment")
    indices = np.frombuffer(content, dtype="<u4", offset=len(_TAG)).astype(np.int64)
    if not len(indices) or (np.diff(indices) <= 0).any() or indices[-1] >= samples:
        raise PartitionError(f"expected ascending sample numbers below {samples}", field="assignment")
    return indices


def check_all(lists: Sequence[bytes], spec: PartitionSpec) -> None:
    """Raise `EvidenceError` unless these are all lists of the session, in the order of its seats."""
    if spec.root is None or len(lists) != spec.participants or PublishedLists(tuple(lists)).root != spec.root:
        raise EvidenceError("the lists are not those of the session", field="partition.root")


def check_list(content: bytes, *, seat: int, spec: PartitionSpec, path: Sequence[bytes]) -> None:
    """Raise `EvidenceError` unless the list is the one that the session's root assigns to this seat."""
    if spec.root is None:
        raise EvidenceError("the session publishes no lists", field="partition.root")
    leaf = merkle.leaf_hash(content)
    merkle.check(bytes.fromhex(spec.root), leaf, index=seat, leaves=spec.participants, path=path)


def hold_out(samples: int, *, share: float, seed: int) -> tuple[Indices, Indices]:
    """Split sample numbers into those to train on and those held out for evaluation, both ascending."""
    held = round(samples * share)
    if not 0 < held < samples:
        raise PartitionError(
            f"a share of {share} of {samples} samples leaves a side empty", field="evaluation_share"
        )
    order = generator(derive_seed("evaluation", seed)).permutation(samples)
    return np.sort(order[held:]), np.sort(order[:held])


def list_digest(content: bytes) -> bytes:
    """Return the SHA-256 digest by which a list is found as content."""
    return hashlib.sha256(content).digest()
