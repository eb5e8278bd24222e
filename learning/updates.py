"""What a participant hands in: the difference that its training made, flat, and how much it weighs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.errors import UpdateError

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Update:
    """One participant's update. `delta` has shape (parameters,); `weight` is a whole number, such as its samples."""

    participant: str
    weight: int
    delta: Vector


def checked(updates: Iterable[Update]) -> Iterator[Update]:
    """Pass updates on that fit each other; `UpdateError` names the participant whose does not."""
    seen: set[str] = set()
    shape: tuple[int, ...] | None = None
    for update in updates:
        _check(update, shape=shape)
        if update.participant in seen:
            raise UpdateError("handed in twice", field=update.participant)
        seen.add(update.participant)
        shape = update.delta.shape
        yield update
    if not seen:
        raise UpdateError("none at all", field="updates")


def _check(update: Update, *, shape: tuple[int, ...] | None) -> None:
    delta = update.delta
    if delta.dtype != np.float32 or delta.ndim != 1:
        raise UpdateError(
            f"expected flat float32, not {delta.dtype} of shape {delta.shape}", field=update.participant
        )
    if shape is not None and delta.shape != shape:
        raise UpdateError(f"has {len(delta)} parameters, others have {shape[0]}", field=update.participant)
    if not np.isfinite(delta).all():
        raise UpdateError("has an infinite or undefined parameter", field=update.participant)
    if isinstance(update.weight, bool) or not isinstance(update.weight, int) or update.weight < 1:
        raise UpdateError(
            f"weight must be a whole number above 0, not {update.weight}", field=update.participant
        )
