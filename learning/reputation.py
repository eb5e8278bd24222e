"""The reputation rule: whole-number weights from samples, on-chain score and how an update behaves beside the others.

1. Each update is shortened to the median length, so none pulls farther than most.
2. Its agreement is measured on exact distances to its neighbours, as Multi-Krum does.
3. With a held-out set, updates without which the model does better are left out, at most `hostile` of them, the most
   harmful first; agreement then only lowers a weight, to half at most. Without one, whom Multi-Krum would leave out is left
   out: that bears crude attacks, but colluders who stay close together pass, and odd honest data do not.
4. weight = samples, capped at twice the median x score x agreement, all whole numbers.

What is left out depends on losses, whose last bits may differ between machines: so the weights are published, and the
sum under those weights is exact.

A score falls with every round in which an update was left out and rises slowly with every one in which it was kept, so
what is tried again and again soon counts for nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning import krum
from learning.aggregate import fedavg
from learning.bounding import shortened
from learning.updates import Update, Vector

FULL_SCORE = 1_000_000
START_SCORE = 500_000
_AGREEMENT = 1_000
_BETTER = 0.02
"""How much lower, relatively, the loss must be without an update for it to be left out."""

Losses = Callable[[Vector], float]
"""The loss, on held-out samples, of the base model plus this update."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """Each update's whole-number weight by participant; 0 means left out, and `reasons` says why."""

    weights: dict[str, int]
    reasons: dict[str, str]


def reputation(
    updates: Sequence[Update],
    *,
    scores: Mapping[str, int],
    hostile: int,
    clip: float,
    losses: Losses | None = None,
) -> tuple[Vector, Weighing]:
    """Return the weighted mean and how it was weighed. `scores` are 0 to 1,000,000; whoever has none starts at half."""
    ordered = krum.in_order(updates)
    bounded = shortened(ordered, clip=clip)
    weighing = weigh(bounded, scores=scores, hostile=hostile, clip=clip, losses=losses)
    counted = [
        Update(update.participant, weight, update.delta)
        for update in bounded
        if (weight := weighing.weights[update.participant])
    ]
    return fedavg(_divided(counted), clip=clip), weighing


def weigh(
    updates: Sequence[Update],
    *,
    scores: Mapping[str, int],
    hostile: int,
    clip: float,
    losses: Losses | None = None,
) -> Weighing:
    """Weigh updates that are in order and shortened."""
    agreement = _agreement(krum.distances(updates, clip=clip), hostile=hostile)
    if losses is None:
        left_out = {u.participant for u, agrees in zip(updates, agreement, strict=True) if not agrees}
        reasons = dict.fromkeys(sorted(left_out), "far from the others")
    else:
        agreement = np.maximum(agreement, _AGREEMENT // 2)
        reasons = dict.fromkeys(_harmful(updates, losses, most=hostile), "the model is better without it")
    cap = 2 * int(np.median([update.weight for update in updates]))
    weights = {}
    for update, agrees in zip(updates, agreement, strict=True):
        score = max(0, min(FULL_SCORE, scores.get(update.participant, START_SCORE)))
        kept = update.participant not in reasons
        weights[update.participant] = min(update.weight, cap) * score * int(agrees) // 1_000 if kept else 0
    if not any(weights.values()):
        # Nobody is trusted: count all that agree alike rather than stop.
        weights = {update.participant: int(update.participant not in reasons) for update in updates}
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1)
    return Weighing(weights, reasons)


def after_round(score: int, *, kept: bool) -> int:
    """Return a score after a round in which the update was kept, or left out: slowly up, quickly down."""
    return score + (FULL_SCORE - score) // 20 if kept else score // 2


def _agreement(table: NDArray[np.int64], *, hostile: int) -> NDArray[np.int64]:
    """Return each update's agreement, 0 to 1,000: 0 for the `hostile` farthest, less beyond the typical distance."""
    ranked = krum.scores(table, hostile=hostile)
    agreement = np.full(len(table), _AGREEMENT, dtype=np.int64)
    typical = float(np.median(ranked))
    if typical > 0:
        agreement = np.minimum(_AGREEMENT, np.rint(_AGREEMENT * typical / np.maximum(ranked, 1))).astype(
            np.int64
        )
    left_out = np.argsort(ranked, kind="stable")[len(table) - hostile :]
    agreement[left_out] = 0
    return agreement


def _harmful(updates: Sequence[Update], losses: Losses, *, most: int) -> list[str]:
    """Name those, at most `most`, without whose update the mean of the others does better on the held-out samples.

    One after another, the most harmful first: attackers who act alike cover for each other only while they are many.
    """
    remaining = list(updates)
    harmful: list[str] = []
    loss = losses(_mean(remaining))
    while len(harmful) < most and len(remaining) > 1:
        without = [losses(_mean(remaining[:i] + remaining[i + 1 :])) for i in range(len(remaining))]
        best = int(np.argmin(without))
        if not without[best] < loss * (1 - _BETTER):
            break
        harmful.append(remaining.pop(best).participant)
        loss = without[best]
    return harmful


def _mean(updates: Sequence[Update]) -> Vector:
    mean: Vector = np.mean([update.delta for update in updates], axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _divided(updates: list[Update]) -> list[Update]:
    """Divide weights down, so that sums in fixed point cannot overflow; nobody's falls to 0."""
    largest = max(update.weight for update in updates)
    divisor = max(1, largest // 100_000)
    return [Update(u.participant, max(1, u.weight // divisor), u.delta) for u in updates]
