"""Distances and lengths of updates, exact and so the same for everybody.

A sum of floating-point products depends on its order, which differs between machines, and a rule that picks the nearest
could then pick differently. So parameters are first rounded to whole numbers small enough that every partial sum within a
chunk is below 2**53: floating-point units then add them without error, at their full speed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.errors import UpdateError
from learning.updates import Vector

BITS = 18
"""A parameter at the clip becomes 2**18."""
_CHUNK = 1 << 16
"""2**18 squared, 2**16 times: 2**52."""


def gram(rows: Sequence[Vector], *, clip: float) -> NDArray[np.int64]:
    """Give inner products of all pairs, in units of (clip / 2**18)², after limiting each parameter to ±clip.

    `rows` are vectors of one length (parameters,); the result has shape (rows, rows).
    """
    length = len(rows[0])
    if length >= 1 << 26:
        raise UpdateError(f"{length} parameters; distances are exact up to {1 << 26}", field="updates")
    total = np.zeros((len(rows), len(rows)), dtype=np.int64)
    for start in range(0, length, _CHUNK):
        block = np.stack([row[start : start + _CHUNK] for row in rows]).astype(np.float64)
        block *= 2.0**BITS / clip
        np.clip(block, -(2.0**BITS), 2.0**BITS, out=block)
        np.rint(block, out=block)
        total += (block @ block.T).astype(np.int64)
    return total


def squared_distances(products: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give squared distances of all pairs from their inner products, shape (rows, rows), in the same units."""
    lengths = np.diagonal(products)
    distances: NDArray[np.int64] = lengths[:, None] + lengths[None, :] - 2 * products
    return distances


def norms(rows: Sequence[Vector], *, clip: float) -> NDArray[np.float64]:
    """Give the lengths of `rows`, shape (rows,), the same on every machine."""
    lengths = np.array([int(gram([row], clip=clip)[0, 0]) for row in rows], dtype=np.float64)
    result: NDArray[np.float64] = np.sqrt(lengths) * (clip / 2.0**BITS)
    return result


def cosines(products: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the cosines of all pairs from their inner products; 0 where a vector has no length."""
    lengths = np.sqrt(np.diagonal(products).astype(np.float64))
    scale = lengths[:, None] * lengths[None, :]
    return np.divide(products.astype(np.float64), scale, out=np.zeros(products.shape), where=scale > 0)
