"""Rules that bound how far one update can pull: norm clipping and centred clipping (Karimireddy et al. 2021)."""

from collections.abc import Sequence

import numpy as np

from learning import geometry
from learning.aggregate import fedavg, median
from learning.krum import in_order
from learning.updates import Update, Vector


def norm_clip(updates: Sequence[Update], *, clip: float, radius: float | None = None) -> Vector:
    """Return the weighted mean after shortening longer updates to `radius`; none means their median length."""
    return fedavg(shortened(in_order(updates), clip=clip, radius=radius), clip=clip)


def centred_clipping(
    updates: Sequence[Update],
    *,
    clip: float,
    radius: float | None = None,
    iterations: int = 3,
    centre: Vector | None = None,
) -> Vector:
    """Move a centre by the mean of the updates' differences from it, each shortened to `radius`, `iterations` times.

    `centre` is the last round's result if there is one, else the median.
    """
    ordered = in_order(updates)
    at = median(ordered) if centre is None else centre.copy()
    for _ in range(iterations):
        away = [Update(u.participant, u.weight, u.delta - at) for u in ordered]
        at += norm_clip(away, clip=2 * clip, radius=radius)
    return at


def shortened(updates: Sequence[Update], *, clip: float, radius: float | None = None) -> list[Update]:
    """Scale updates longer than `radius` (none: their median length) down to it."""
    lengths = geometry.norms([update.delta for update in updates], clip=clip)
    limit = float(np.median(lengths)) if radius is None else radius
    return [
        update
        if length <= limit
        else Update(update.participant, update.weight, update.delta * np.float32(limit / length))
        for update, length in zip(updates, lengths, strict=True)
    ]
