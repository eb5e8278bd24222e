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
_LIMIT = 2**63
_CHUNK = 32_768
"""Parameters at a time: their intermediate values fit a core's cache."""


def quantise(delta: Vector, *, clip: float) -> NDArray[np.int64]:
    """Round to multiples of 1/SCALE, after limiting each parameter to ±`clip`."""
    scaled: NDArray[np.float64] = np.multiply(delta, SCALE, dtype=np.float64)
    np.clip(scaled, -clip * SCALE, clip * SCALE, out=scaled)
    np.rint(scaled, out=scaled)
    return scaled.astype(np.int64)


def fedavg(updates: Iterable[Update], *, clip: float) -> Vector:
    """Give the weighted mean, each parameter limited to ±`clip` first. Updates are read one at a time.

    Raises `UpdateError`, also when the weights are so large that the sum could overflow 64 bits.
    """
    if not (np.isfinite(clip) and clip > 0):
        raise UpdateError(f"expected a number above 0, not {clip}", field="clip")
    largest = int(np.rint(clip * SCALE))
    total_weight = 0
    total: NDArray[np.int64] | None = None
    for update in checked(updates):
        total_weight += update.weight
        if largest * total_weight >= _LIMIT:
            raise UpdateError(
                "the weights are too large for this clip; divide them all", field=update.participant
            )
        if total is None:
            total = np.zeros(update.delta.shape, dtype=np.int64)
        _add_weighted(total, update, clip=clip)
    assert total is not None, "`checked` refuses an empty set"
    return (total.astype(np.float64) / float(total_weight * SCALE)).astype(np.float32)


def median(updates: Sequence[Update]) -> Vector:
    """Give each parameter's median (the mean of the middle two of an even number). Weights do not count."""
    rows = [update.delta for update in checked(updates)]
    low, high = (len(rows) - 1) // 2, len(rows) // 2
    result = np.empty_like(rows[0])
    for where, ascending in sorted_chunks(rows):
        result[where] = (ascending[low].astype(np.float64) + ascending[high]) / 2
    return result


def trimmed_mean(updates: Sequence[Update], *, trim: int) -> Vector:
    """Give each parameter's mean without its `trim` smallest and `trim` largest values. Weights do not count."""
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
    """Give the bytes that are hashed and compared: little-endian float32, -0 as 0."""
    return (vector + np.float32(0)).astype("<f4").tobytes()


def _add_weighted(total: NDArray[np.int64], update: Update, *, clip: float) -> None:
    for start in range(0, len(total), _CHUNK):
        where = slice(start, start + _CHUNK)
        steps = quantise(update.delta[where], clip=clip)
        steps *= update.weight
        total[where] += steps
