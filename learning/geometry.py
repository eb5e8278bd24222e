"""Distances and lengths of updates, exact and so the same for everybody.

A sum of floating-point products depends on its order, which differs between machines, and a rule that picks the nearest
could then pick differently. So parameters are first rounded to whole numbers small enough that every partial sum within a
chunk is below 2**53: floating-point units then add them without error, at their full speed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.aggregate import rounded
from learning.errors import UpdateError
from learning.updates import Vector

BITS = 18
"""A parameter at the clip becomes 2**18."""
_CHUNK = 1 << 14
"""2**18 squared, 2**14 times: 2**50. A chunk of ten rows fits a core's second-level cache."""


def gram(rows: Sequence[Vector], *, clip: float) -> NDArray[np.int64]:
    """Return inner products of all pairs, in units of (clip / 2**18)², after limiting each parameter to ±clip.

    `rows` are vectors of one length (parameters,); the result has shape (rows, rows).
    """
    return _products(rows, [clip] * len(rows))


def directions(rows: Sequence[Vector], *, clip: float) -> NDArray[np.float64]:
    """Return the cosines of all pairs, after limiting each parameter to ±clip; 0 where a vector has no length.

    Each row is rounded at its own scale, so that short ones keep their directions.
    """
    return cosines(_products(rows, [reach(row, clip=clip) for row in rows]))


def reach(row: Vector, *, clip: float) -> float:
    """Return a row's largest parameter, at most `clip`; `clip` where all are 0."""
    return min(clip, float(np.abs(row).max(initial=0))) or clip


def same_direction(one: Vector, other: Vector, *, clip: float) -> bool:
    """Return whether one is the other, or a multiple of it, but for the rounding of its parameters."""
    mine, its = reach(one, clip=clip), reach(other, clip=clip)
    for start in range(0, len(one), _CHUNK):
        where = slice(start, start + _CHUNK)
        apart = rounded(one[where], clip=mine, scale=2.0**BITS / mine)
        apart -= rounded(other[where], clip=its, scale=2.0**BITS / its)
        if np.abs(apart).max(initial=0) > 1:
            return False
    return True


def _products(rows: Sequence[Vector], clips: Sequence[float]) -> NDArray[np.int64]:
    length = len(rows[0])
    if length >= 1 << 26:
        raise UpdateError(f"{length} parameters; distances are exact up to {1 << 26}", field="updates")
    total = np.zeros((len(rows), len(rows)), dtype=np.int64)
    block = np.empty((len(rows), min(_CHUNK, length)))
    for start in range(0, length, _CHUNK):
        width = min(_CHUNK, length - start)
        for place, (row, clip) in enumerate(zip(rows, clips, strict=True)):
            block[place, :width] = rounded(row[start : start + width], clip=clip, scale=2.0**BITS / clip)
        total += (block[:, :width] @ block[:, :width].T).astype(np.int64)
    return total


def squared_distances(products: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return squared distances of all pairs from their inner products, shape (rows, rows), in the same units."""
    lengths = np.diagonal(products)
    distances: NDArray[np.int64] = lengths[:, None] + lengths[None, :] - 2 * products
    return distances


def norms(rows: Sequence[Vector], *, clip: float) -> NDArray[np.float64]:
    """Return the lengths of `rows`, shape (rows,), the same on every machine."""
    squares = np.array([_squared(row, clip=clip) for row in rows], dtype=np.float64)
    result: NDArray[np.float64] = np.sqrt(squares) * (clip / 2.0**BITS)
    return result


def _squared(row: Vector, *, clip: float) -> int:
    total = 0
    for start in range(0, len(row), _CHUNK):
        part = rounded(row[start : start + _CHUNK], clip=clip, scale=2.0**BITS / clip)
        total += int(part @ part)
    return total


def cosines(products: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cosines of all pairs from their inner products; 0 where a vector has no length."""
    lengths = np.sqrt(np.diagonal(products).astype(np.float64))
    scale = lengths[:, None] * lengths[None, :]
    return np.divide(products.astype(np.float64), scale, out=np.zeros(products.shape), where=scale > 0)
