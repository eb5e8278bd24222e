"""What hostile participants try, so that the rules can be tried against it. Nothing here is used in a session.

The last three adapt: whoever attacks knows all honest updates of the round, which is more than a real attacker sees.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from learning.datasets import Dataset
from learning.seeds import derive_seed, generator
from learning.updates import Vector

Attack = Callable[[Sequence[Vector], Vector, int], Vector]
"""From all honest updates, the attacker's own honest one and a seed, to what it hands in."""


def sign_flip(_honest: Sequence[Vector], own: Vector, _seed: int, *, times: float = 4.0) -> Vector:
    """Push the other way, harder."""
    return (-times * own).astype(np.float32)


def noise(_honest: Sequence[Vector], own: Vector, seed: int, *, times: float = 5.0) -> Vector:
    """Hand in noise of a multiple of one's own length."""
    drawn = generator(derive_seed("noise attack", seed)).standard_normal(len(own))
    return (drawn * (times * np.linalg.norm(own) / np.linalg.norm(drawn))).astype(np.float32)


def inner_product(honest: Sequence[Vector], _own: Vector, seed: int, *, times: float = 1.5) -> Vector:
    """Point the mean the other way with updates about as long as the honest ones (Xie et al. 2020)."""
    pointed: Vector = (-times * np.mean(honest, axis=0)).astype(np.float32)
    return _apart(pointed, seed)


def a_little(honest: Sequence[Vector], _own: Vector, seed: int, *, deviations: float = 1.5) -> Vector:
    """Stay within the honest spread of each parameter, always on the harmful side (Baruch et al. 2019)."""
    mean, spread = np.mean(honest, axis=0), np.std(honest, axis=0)
    hidden: Vector = (mean - deviations * spread * np.sign(mean)).astype(np.float32)
    return _apart(hidden, seed)


def min_max(honest: Sequence[Vector], _own: Vector, seed: int) -> Vector:
    """Go as far against the mean as stays no farther from anybody than the honest are from each other (Shejwalkar 2021)."""
    stacked = np.stack(honest).astype(np.float64)
    mean = stacked.mean(axis=0)
    direction = -mean / max(float(np.linalg.norm(mean)), 1e-12)
    widest = max(float(np.linalg.norm(stacked - row, axis=1).max()) for row in stacked)
    low, high = 0.0, 10 * widest
    for _ in range(40):
        middle = (low + high) / 2
        reach = float(np.linalg.norm(stacked - (mean + middle * direction), axis=1).max())
        low, high = (middle, high) if reach <= widest else (low, middle)
    farthest: Vector = (mean + low * direction).astype(np.float32)
    return _apart(farthest, seed)


def _apart(vector: Vector, seed: int) -> Vector:
    """Add a little noise, so that colluders do not pass for copies of each other."""
    drawn = generator(derive_seed("apart", seed)).standard_normal(len(vector))
    return (vector + drawn * (0.03 * np.linalg.norm(vector) / np.linalg.norm(drawn))).astype(np.float32)


ATTACKS: dict[str, Attack] = {
    "sign flip": sign_flip,
    "noise": noise,
    "inner product": inner_product,
    "a little": a_little,
    "min-max": min_max,
}


def flip_labels(data: Dataset, classes: int) -> Dataset:
    """Train on wrong labels: class c becomes the last minus c."""
    flipped: NDArray[np.int64] = classes - 1 - data.labels
    return Dataset(data.features, flipped, data.groups)
