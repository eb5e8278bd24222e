"""Many updates into one, the same bytes for everybody, in whatever order they came.

Sums of floating-point numbers depend on their order; so the weighted mean is a sum of integers (fixed point), divided
once. It is also what secure aggregation unmasks to, bit for bit. The other rules sort first, which fixes the order.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from learning.errors import UpdateError
from learning.sorting import sorted_chunks
from learning.updates import Update, Vector, checked

SCALE = 2**24
"""Steps in 1.0: a parameter's error is at most half of 2**-24, below what float32 resolves at 1.0."""
MAX_CLIP = 2**25
"""Up to here a parameter's steps are whole numbers below 2**50."""
_LIMIT = 2**63
_EXACT = 2**53
_ROUNDER = 1.5 * 2**52
_CHUNK = 16_384
"""Parameters at a time: their intermediate values fit a core's cache."""


def quantise(delta: Vector, *, clip: float) -> NDArray[np.int64]:
    """Round to multiples of 1/SCALE, after limiting each parameter to ±`clip`."""
    return rounded(delta, clip=clip, scale=SCALE).astype(np.int64)


def rounded(delta: Vector, *, clip: float, scale: float) -> NDArray[np.float64]:
    """Return parameters limited to ±`clip`, times `scale`, as whole numbers in float64; `clip` x `scale` is below 2**50."""
    steps: NDArray[np.float64] = np.multiply(delta, scale, dtype=np.float64)
    limit = clip * scale
    np.clip(steps, -limit, limit, out=steps)
    # Near 1.5 x 2**52 neighbours are 1 apart: adding rounds to even, as rint does, at several times its speed.
    steps += _ROUNDER
    steps -= _ROUNDER
    return steps


def fedavg(updates: Iterable[Update], *, clip: float) -> Vector:
    """Return the weighted mean, each parameter limited to ±`clip` first. Updates are read one at a time.

    Raises `UpdateError`, also when the weights are so large that the sum could overflow 64 bits.
    """
    if not 0 < clip <= MAX_CLIP:
        raise UpdateError(f"expected a number above 0, at most {MAX_CLIP}, not {clip}", field="clip")
    largest = int(np.rint(clip * SCALE))
    total_weight = 0
    total: NDArray[np.int64] | None = None
    recent = _Recent()
    for update in checked(updates):
        total_weight += update.weight
        if largest * total_weight >= _LIMIT:
            raise UpdateError(
                "the weights are too large for this clip; divide them all", field=update.participant
            )
        if total is None:
            total = np.zeros(update.delta.shape, dtype=np.int64)
        recent.add(update, total, clip=clip, bound=largest * update.weight)
    assert total is not None, "`checked` refuses an empty set"
    recent.flush(total)
    return _divided(total, total_weight)


def fitting(updates: Sequence[Update], *, clip: float) -> list[Update]:
    """Divide all weights by one whole number, as far as their sum needs it to fit: nobody's falls to 0.

    Who brings its own samples may claim any number of them, and must not keep the others from being summed.
    """
    most = (_LIMIT - 1) // int(np.rint(clip * SCALE)) - len(updates)
    divisor = -(-sum(update.weight for update in updates) // most)
    if divisor <= 1:
        return list(updates)
    return [Update(u.participant, max(1, u.weight // divisor), u.delta) for u in updates]


def believed(updates: Sequence[Update]) -> list[Update]:
    """Let no number of samples that is only claimed count for more than twice the median one (of an even number, the lower).

    Half of the participants would have to lie together to raise it, and an honest one that has more is only held back.
    """
    if not updates:
        return []
    most = 2 * sorted(update.weight for update in updates)[(len(updates) - 1) // 2]
    return [Update(u.participant, min(u.weight, most), u.delta) for u in updates]


def median(updates: Sequence[Update]) -> Vector:
    """Return each parameter's median (the mean of the middle two of an even number). Weights do not count."""
    rows = [update.delta for update in checked(updates)]
    low, high = (len(rows) - 1) // 2, len(rows) // 2
    result = np.empty_like(rows[0])
    for where, ascending in sorted_chunks(rows):
        result[where] = (ascending[low].astype(np.float64) + ascending[high]) / 2
    return result


def trimmed_mean(updates: Sequence[Update], *, trim: int) -> Vector:
    """Return each parameter's mean without its `trim` smallest and `trim` largest values. Weights do not count."""
    rows = [update.delta for update in checked(updates)]
    if not 0 <= 2 * trim < len(rows):
        raise UpdateError(
            f"expected 0 to {(len(rows) - 1) // 2} of {len(rows)} updates, not {trim}", field="trim"
        )
    result = np.empty_like(rows[0])
    for where, ascending in sorted_chunks(rows):
        kept = ascending[trim : len(rows) - trim]
        total = kept[0].astype(np.float64)
        for row in kept[1:]:
            total += row
        result[where] = total / len(kept)
    return result


def canonical_bytes(vector: Vector) -> bytes:
    """Return the bytes that are hashed and compared: little-endian float32, -0 as 0."""
    return (vector + np.float32(0)).astype("<f4").tobytes()


class _Recent:
    """Weighted steps summed in float64 while that is exact: below 2**53, whole numbers add without error, and faster."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._bound = 0

    def add(self, update: Update, total: NDArray[np.int64], *, clip: float, bound: int) -> None:
        """Add an update's weighted steps, of at most `bound`; what float64 cannot hold goes into `total` at once."""
        if self._bound + bound >= _EXACT:
            self.flush(total)
        if self._sum is None:
            self._sum = np.zeros(update.delta.shape)
        self._bound += bound
        for start in range(0, len(total), _CHUNK):
            where = slice(start, start + _CHUNK)
            steps = rounded(update.delta[where], clip=clip, scale=SCALE)
            if bound >= _EXACT:
                total[where] += steps.astype(np.int64) * update.weight
            else:
                steps *= update.weight
                self._sum[where] += steps

    def flush(self, total: NDArray[np.int64]) -> None:
        """Move the sum into whole numbers."""
        if self._sum is not None:
            for start in range(0, len(total), _CHUNK):
                where = slice(start, start + _CHUNK)
                total[where] += self._sum[where].astype(np.int64)
        self._sum, self._bound = None, 0


def _divided(total: NDArray[np.int64], weight: int) -> Vector:
    result = np.empty(total.shape, dtype=np.float32)
    for start in range(0, len(total), _CHUNK):
        where = slice(start, start + _CHUNK)
        result[where] = total[where].astype(np.float64) / float(weight * SCALE)
    return result
