"""The cheap checks of every contribution: what it claims against what was assigned, and how it looks beside the others.

A *rejection* is a broken rule that anybody can see. A *flag* is only odd: honest participants with unusual data are odd too.
Flags lower nothing by themselves, they raise the chance of being re-executed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from learning import geometry
from learning.aggregate import median
from learning.contribution import Contribution
from learning.updates import Update, Vector

_MADS = 4.0
_ALIKE_COSINE = 0.9999
_NEARER = 100
"""How many times less than usual two updates differ that are alike."""
_TELLING, _TELLING_SCALED = 16, 1_000
"""Parameters without which equal updates, or equal directions, may be chance: those of small models on many samples hardly differ."""
_AGAINST_COSINE = -0.2
_STILL = 1e-7


class Rejection(StrEnum):
    """Why a contribution is left out."""

    WRONG_BASE = "trained from another model"
    TOO_LATE = "trained for a round that ended too long ago"
    AGAIN = "trained for a round that it has handed in a training for"
    WRONG_SAMPLES = "claims another number of samples than assigned"
    WRONG_STEPS = "claims another number of steps than assigned"
    WRONG_SHAPE = "does not have the model's parameters"
    NOT_FINITE = "has infinite or undefined parameters"
    TOO_LONG = "is longer than the session allows"
    NO_CHANGE = "changes nothing"
    COPY = "is a copy of an earlier one"


class Flag(StrEnum):
    """Why a contribution is looked at more closely."""

    LONG = "much longer than the others"
    SHORT = "much shorter than the others"
    AGAINST = "points against the others"
    ALIKE = "hardly differs from another"
    OUTPUT_LAYER = "moves the output layer against the others"


@dataclass(frozen=True, slots=True)
class Expected:
    """What was assigned: the base model of each round that may be trained for and, by participant, samples and steps.

    `handed_in` is the latest round for which each participant has handed in a training before.
    """

    bases: Mapping[int, str]
    parameters: int
    samples: Mapping[str, int]
    steps: Mapping[str, int]
    norm_cap: float
    clip: float
    output_layer: slice | None = None
    handed_in: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Screened:
    """What screening found, by participant."""

    rejected: dict[str, Rejection]
    flagged: dict[str, tuple[Flag, ...]]


def screen(contributions: Sequence[Contribution], expected: Expected) -> Screened:
    """Check contributions, given in the order of their commitments: of two alike, the earlier one stands."""
    rejected: dict[str, Rejection] = {}
    for contribution in contributions:
        if reason := _broken_rule(contribution, expected):
            rejected[contribution.update.participant] = reason
    standing = [c.update for c in contributions if c.update.participant not in rejected]
    if not standing:
        return Screened(rejected, {})
    cosines = geometry.directions([update.delta for update in standing], clip=expected.clip)
    copies = _copies(standing, cosines, clip=expected.clip)
    kept = [place for place, update in enumerate(standing) if update.participant not in copies]
    standing = [standing[place] for place in kept]
    alike = _alike(standing, cosines[np.ix_(kept, kept)])
    return Screened(rejected | copies, _flags(standing, expected, alike=alike))


def _broken_rule(contribution: Contribution, expected: Expected) -> Rejection | None:
    manifest, delta = contribution.manifest, contribution.update.delta
    who = contribution.update.participant
    if delta.shape != (expected.parameters,):
        return Rejection.WRONG_SHAPE
    if not np.isfinite(delta).all():
        return Rejection.NOT_FINITE
    length = float(np.linalg.norm(delta.astype(np.float64)))
    checks = (
        (manifest.round not in expected.bases, Rejection.TOO_LATE),
        (manifest.round <= expected.handed_in.get(who, -1), Rejection.AGAIN),
        (manifest.base != expected.bases.get(manifest.round), Rejection.WRONG_BASE),
        (manifest.samples != expected.samples.get(who), Rejection.WRONG_SAMPLES),
        (manifest.steps != expected.steps.get(who), Rejection.WRONG_STEPS),
        (length > expected.norm_cap, Rejection.TOO_LONG),
        (length <= _STILL, Rejection.NO_CHANGE),
    )
    return next((reason for broken, reason in checks if broken), None)


def _copies(updates: Sequence[Update], cosines: NDArray[np.float64], *, clip: float) -> dict[str, Rejection]:
    return {
        update.participant: Rejection.COPY
        for later, update in enumerate(updates)
        if any(
            _is_copy(update.delta, updates[earlier].delta, clip=clip)
            for earlier in np.flatnonzero(cosines[later, :later] > _ALIKE_COSINE)
        )
    }


def _is_copy(delta: Vector, earlier: Vector, *, clip: float) -> bool:
    """Return whether two updates are equal, or one a multiple of the other, and of so many parameters that it is no chance."""
    telling = int(np.count_nonzero(delta))
    if telling >= _TELLING_SCALED:
        return geometry.same_direction(delta, earlier, clip=clip)
    return telling >= _TELLING and np.array_equal(delta, earlier)


def _alike(updates: Sequence[Update], cosines: NDArray[np.float64]) -> list[str]:
    """Name those that differ from another far less than two usually do in this round."""
    rows, columns = np.triu_indices(len(updates), k=1)
    apart = 1 - cosines[rows, columns]
    if not len(apart):
        return []
    near = (apart < 1 - _ALIKE_COSINE) & (apart * _NEARER < np.median(apart))
    return [updates[place].participant for place in np.unique((rows[near], columns[near]))]


def _flags(
    updates: Sequence[Update], expected: Expected, *, alike: Sequence[str]
) -> dict[str, tuple[Flag, ...]]:
    if len(updates) < 4:  # too few to say what is usual
        return {}
    found: dict[str, list[Flag]] = {update.participant: [] for update in updates}
    lengths = geometry.norms([update.delta for update in updates], clip=expected.clip)
    middle = float(np.median(lengths))
    spread = max(float(np.median(np.abs(lengths - middle))), 0.05 * middle)
    for update, length in zip(updates, lengths, strict=True):
        if length > middle + _MADS * spread:
            found[update.participant].append(Flag.LONG)
        elif length < middle - _MADS * spread or length < middle / 10:
            found[update.participant].append(Flag.SHORT)
    for name in found.keys() & set(alike):
        found[name].append(Flag.ALIKE)
    for name in _against(updates, slice(None)):
        found[name].append(Flag.AGAINST)
    if expected.output_layer is not None:
        for name in _against(updates, expected.output_layer):
            found[name].append(Flag.OUTPUT_LAYER)
    return {name: tuple(flags) for name, flags in found.items() if flags}


def _against(updates: Sequence[Update], where: slice) -> list[str]:
    """Name those that point away from the median of all, within a part of the parameters."""
    centre = median([Update(u.participant, 1, u.delta[where]) for u in updates])
    return [u.participant for u in updates if _cosine(u.delta[where], centre) < _AGAINST_COSINE]


def _cosine(one: Vector, other: Vector) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale else 0.0
