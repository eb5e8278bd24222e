"""Who trains on which samples: every sample goes to exactly one participant.

Each function returns one ascending int64 array of sample indices for each participant, and raises `PartitionError`
naming the argument that makes it impossible. Equal arguments give equal partitions; numpy does not promise that across
its own versions, so a session publishes the lists themselves.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.errors import PartitionError
from learning.seeds import derive_seed, generator

Indices = NDArray[np.int64]
Labels = NDArray[np.integer[Any]]

_ATTEMPTS = 1_000


def iid(samples: int, *, participants: int, seed: int) -> list[Indices]:
    """Deal `samples` at random; sizes differ by one at most."""
    _check_participants(participants, samples)
    order = generator(derive_seed("iid", seed)).permutation(samples)
    return _sorted(np.array_split(order, participants))


def sequential(samples: int, *, participants: int) -> list[Indices]:
    """Cut the samples in their own order; sizes differ by one at most."""
    _check_participants(participants, samples)
    return _sorted(np.array_split(np.arange(samples), participants))


def stratified(labels: Labels, *, participants: int, seed: int) -> list[Indices]:
    """Give everybody the same mix of labels; sizes, and counts of each label, differ by one at most."""
    _check_labels(labels)
    _check_participants(participants, len(labels))
    rng = generator(derive_seed("stratified", seed))
    by_label = np.concatenate([rng.permutation(members) for members in _members(labels)])
    return _sorted([by_label[first::participants] for first in range(participants)])


def dirichlet(
    labels: Labels, *, participants: int, alpha: float, seed: int, min_samples: int = 1
) -> list[Indices]:
    """Divide each label in proportions drawn from a symmetric Dirichlet distribution.

    The smaller `alpha`, the more each participant has of few labels; large values approach an even mix. Draws until
    everybody has `min_samples`.
    """
    _check_labels(labels)
    _check_participants(participants, len(labels))
    if not (np.isfinite(alpha) and alpha > 0):
        raise PartitionError(f"expected a number above 0, not {alpha}", field="alpha")
    _check_min_samples(min_samples, participants, len(labels))
    rng = generator(derive_seed("dirichlet", seed))
    for _ in range(_ATTEMPTS):
        parts = _by_proportions(labels, participants=participants, alpha=alpha, rng=rng)
        if min(len(part) for part in parts) >= min_samples:
            return parts
    raise PartitionError(
        f"{_ATTEMPTS} draws at alpha {alpha:g} left somebody below {min_samples} samples; raise alpha or lower this",
        field="min_samples",
    )


def label_skew(labels: Labels, *, participants: int, labels_each: int, seed: int) -> list[Indices]:
    """Give each participant samples of `labels_each` labels only; holders of a label share it evenly."""
    _check_labels(labels)
    _check_participants(participants, len(labels))
    members = _members(labels)
    if not 1 <= labels_each <= len(members):
        raise PartitionError(f"expected 1 to {len(members)}, the labels there are", field="labels_each")
    if participants * labels_each < len(members):
        needed = -(-len(members) // participants)
        raise PartitionError(
            f"{participants} participants with {labels_each} labels each leave some of {len(members)} labels to nobody; "
            f"expected at least {needed}",
            field="labels_each",
        )
    rng = generator(derive_seed("label_skew", seed))
    return _shared_labels(
        [rng.permutation(m) for m in members], rng.permutation(len(members)), participants, labels_each
    )


def quantity(
    samples: int, *, participants: int, power: float, seed: int, min_samples: int = 1
) -> list[Indices]:
    """Deal samples at random in unequal amounts: beyond `min_samples`, the k-th largest gets in proportion k**-power."""
    _check_participants(participants, samples)
    if not (np.isfinite(power) and power >= 0):
        raise PartitionError(f"expected a number from 0 (even) up, not {power}", field="power")
    _check_min_samples(min_samples, participants, samples)
    rng = generator(derive_seed("quantity", seed))
    shares = np.arange(1, participants + 1, dtype=np.float64) ** -power
    spread = samples - min_samples * participants
    ends = np.rint(np.cumsum(shares / shares.sum()) * spread).astype(np.int64)
    ends[-1] = spread
    sizes = rng.permutation(np.diff(ends, prepend=0) + min_samples)
    return _sorted(np.split(rng.permutation(samples), np.cumsum(sizes)[:-1]))


def _by_proportions(
    labels: Labels, *, participants: int, alpha: float, rng: np.random.Generator
) -> list[Indices]:
    parts: list[list[Indices]] = [[] for _ in range(participants)]
    for members in _members(labels):
        proportions = rng.dirichlet(np.full(participants, alpha))
        cuts = np.rint(np.cumsum(proportions)[:-1] * len(members)).astype(np.int64)
        for part, chunk in zip(parts, np.split(rng.permutation(members), cuts), strict=True):
            part.append(chunk)
    return _sorted([np.concatenate(part) for part in parts])


def _shared_labels(
    members: Sequence[Indices], order: Indices, participants: int, labels_each: int
) -> list[Indices]:
    held = [
        [order[(who * labels_each + k) % len(order)] for k in range(labels_each)]
        for who in range(participants)
    ]
    holders = {label: [who for who, mine in enumerate(held) if label in mine] for label in order}
    parts: list[list[Indices]] = [[] for _ in range(participants)]
    for label, sharing in holders.items():
        for who, chunk in zip(sharing, np.array_split(members[label], len(sharing)), strict=True):
            parts[who].append(chunk)
    divided = _sorted([np.concatenate(part) for part in parts])
    if min(len(part) for part in divided) == 0:
        raise PartitionError(
            "a label has fewer samples than holders; somebody would have none", field="participants"
        )
    return divided


def _members(labels: Labels) -> list[Indices]:
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _sorted(parts: Sequence[NDArray[np.int64]]) -> list[Indices]:
    return [np.sort(part).astype(np.int64) for part in parts]


def _check_participants(participants: int, samples: int) -> None:
    if not 1 <= participants <= samples:
        raise PartitionError(
            f"expected 1 to {samples}, the samples there are, not {participants}", field="participants"
        )


def _check_labels(labels: Labels) -> None:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise PartitionError(
            f"expected one integer for each sample, not {labels.dtype} of shape {labels.shape}",
            field="labels",
        )


def _check_min_samples(min_samples: int, participants: int, samples: int) -> None:
    most = samples // participants
    if not 1 <= min_samples <= most:
        raise PartitionError(
            f"expected 1 to {most}, what an even division gives, not {min_samples}", field="min_samples"
        )
