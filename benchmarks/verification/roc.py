"""From audited samples to thresholds, receiver operating characteristics, and their picture."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from runner.verification.verdict import (
    MOST,
    NOISE,
    UNCALIBRATED,
    UTMOST_REGRET,
    Finding,
    Scores,
    Thresholds,
    weigh,
)

_COLOURS = ("#2563eb", "#d97706", "#64748b", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#854d0e")
_RESAMPLED, _ONE_IN = 200_000, 10_000
"""Answers that are put together from places of honest ones, and how many of them may wrong one runner."""
_FLOOR = 0.001
"""The smallest rate that the picture's logarithmic axis shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One audit: its scores, and what it found that needs no threshold."""

    scores: Scores | None
    finding: Finding
    greedy: bool = True

    def is_cheat(self, thresholds: Thresholds) -> bool:
        """Return what an auditor with these thresholds would vote."""
        if self.finding is not Finding.VALID:
            return True
        scores = self.scores
        return scores is not None and weigh(scores, thresholds, greedy=self.greedy) is not Finding.VALID

    def suspicion(self, thresholds: Thresholds) -> float:
        """Return one number that grows with the suspicion: above 1, an auditor with these thresholds calls it a cheat."""
        if self.finding is not Finding.VALID:
            return math.inf
        if self.scores is None:
            return 0.0
        regret = self.scores.regret / thresholds.regret if self.greedy else 0.0
        return max(self.scores.distance / thresholds.distance, regret)


def calibrate(
    samples: Mapping[str, Sequence[Sample]], regrets: Sequence[int], *, honest: str, positions: int
) -> Thresholds:
    """Set each threshold well away from every `honest` answer, towards the nearest cheat.

    The distance allowed is the geometric mean of the largest honest one and the first percentile of the cheats, and never less
    than half again of the largest honest one: the engines measured here are not all there are, and a runner that is wronged
    loses its stake, while a cheat that slips through is audited again. Shares are never stricter than `UNCALIBRATED`.

    The regret allowed is half again of the largest honest one, or of what one answer of ten thousand exceeds if they are put
    together from `regrets`, those of all honest answers' places.
    """
    kept = [sample.scores for sample in samples[honest] if sample.scores is not None]
    cheats = [
        sample.scores
        for kind, each in samples.items()
        if kind != honest
        for sample in each
        if sample.scores is not None and sample.finding is Finding.VALID
    ]
    largest = max([1.0, *(scores.distance for scores in kept)])
    near = sorted(scores.distance for scores in cheats)
    smallest = near[len(near) // 100] if near else MOST
    spare = 1 / positions
    return Thresholds(
        same_choice=_share_kept(UNCALIBRATED.same_choice, [scores.same_choice - spare for scores in kept]),
        within=_share_kept(UNCALIBRATED.within, [scores.within - spare for scores in kept]),
        distance=round(max(1.5 * largest, math.sqrt(largest * smallest)), 1),
        regret=math.ceil(1.5 * max(*(scores.regret for scores in kept), _rare(regrets, positions))),
        positions=positions,
        honest_pairs=len(samples[honest]),
        cheating_pairs=sum(len(each) for kind, each in samples.items() if kind != honest),
    )


def _rare(regrets: Sequence[int], positions: int) -> float:
    lots = np.random.default_rng(0)
    beyond = np.clip(np.asarray(regrets) - NOISE, 0, UTMOST_REGRET)
    drawn = lots.choice(beyond, (_RESAMPLED, positions))
    return float(np.quantile(drawn.sum(1) - drawn.max(1), 1 - 1 / _ONE_IN))


def _share_kept(cautious: float, honest: Sequence[float]) -> float:
    return round(max(0.0, min([cautious, *honest])), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Rates of false alarms and of detection as the thresholds fall."""

    kind: str
    points: tuple[tuple[float, float], ...]
    area: float

    @classmethod
    def of(
        cls, kind: str, honest: Sequence[Sample], cheats: Sequence[Sample], thresholds: Thresholds
    ) -> Self:
        """Let the thresholds on distance and regret fall together over everything seen."""
        good = [sample.suspicion(thresholds) for sample in honest]
        bad = [sample.suspicion(thresholds) for sample in cheats]
        points = [(0.0, 0.0)]
        points += [(_share(good, step), _share(bad, step)) for step in sorted({*good, *bad}, reverse=True)]
        area = sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in itertools.pairwise(points))
        return cls(kind=kind, points=tuple(points), area=area)

    def to_json(self) -> dict[str, object]:
        """Return the curve as the artefact keeps it, without the points that lie on a straight line."""
        kept = [
            point
            for at, point in enumerate(self.points)
            if at in (0, len(self.points) - 1)
            or not _between(self.points[at - 1], point, self.points[at + 1])
        ]
        return {
            "kind": self.kind,
            "area": round(self.area, 5),
            "points": [[round(x, 5), round(y, 5)] for x, y in kept],
        }


def _share(suspicions: Sequence[float], threshold: float) -> float:
    return sum(suspicion >= threshold for suspicion in suspicions) / len(suspicions)


def _between(before: tuple[float, float], at: tuple[float, float], after: tuple[float, float]) -> bool:
    return before[0] == at[0] == after[0] or before[1] == at[1] == after[1]


def draw(curves: Sequence[Curve]) -> str:
    """Draw the curves as SVG: false alarms on a logarithmic axis, since only the left end matters."""
    width, height, left, top = 560, 380, 60, 30
    right, bottom = width - 20, height - 50

    def x(rate: float) -> float:
        return left + (right - left) * (1 - math.log10(max(rate, _FLOOR)) / math.log10(_FLOOR))

    def y(rate: float) -> float:
        return bottom - (bottom - top) * rate

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#475569"/>',
    ]
    for rate in (0.001, 0.01, 0.1, 1):
        label = "≤ 0.1 %" if rate == _FLOOR else f"{rate * 100:g} %"
        parts.append(
            f'<text x="{x(rate):.0f}" y="{bottom + 18}" text-anchor="middle" fill="#0f172a">{label}</text>'
        )
    parts += [
        f'<text x="{left - 8}" y="{y(rate) + 4:.0f}" text-anchor="end" fill="#0f172a">{rate * 100:g} %</text>'
        for rate in (0, 0.5, 1)
    ]
    parts.append(
        f'<text x="{(left + right) / 2}" y="{height - 12}" text-anchor="middle" fill="#0f172a">false alarms</text>'
    )
    parts.append(f'<text x="{left}" y="{top - 10}" fill="#0f172a">cheats found</text>')
    for at, (curve, colour) in enumerate(zip(curves, itertools.cycle(_COLOURS), strict=False)):
        path = "L".join(f"{x(fpr):.1f} {y(tpr):.1f}" for fpr, tpr in curve.points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        legend = top + 100 + 16 * at
        parts.append(f'<path d="M{left + 20} {legend - 4}h18" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{left + 44}" y="{legend}" fill="#0f172a">{curve.kind} (area {curve.area:.4f})</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
