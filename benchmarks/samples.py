"""Audits kept as they are made, one a line, so that a calibration over hours may be stopped and gone on with."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.roc import Sample
from runner.verification.verdict import Finding, Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One audit: of which `model`, which `prompt` (its number) and `kind` of answer, and what was found.

    `off` are the distances at the places probed, in thousandths of a nat, None where a token was not listed: with them another
    statistic can be tried without asking the models again. `same_text` says whether the auditor's own answer reads the same,
    which is all that comparing texts can tell; None where it was not asked for one.
    """

    model: str
    prompt: int
    kind: str
    sample: Sample
    off: tuple[int | None, ...]
    same_text: bool | None

    def to_line(self) -> str:
        """Write it; `from_line` reads it."""
        scores = self.sample.scores
        return json.dumps(
            {
                "model": self.model,
                "prompt": self.prompt,
                "kind": self.kind,
                "finding": self.sample.finding.value,
                "scores": None
                if scores is None
                else {
                    "same_choice": round(scores.same_choice, 4),
                    "within": round(scores.within, 4),
                    "distance": round(scores.distance, 3),
                },
                "off": self.off,
                "same_text": self.same_text,
            }
        )

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what `to_line` wrote."""
        kept = json.loads(line)
        scores = kept.pop("scores")
        sample = Sample(
            scores=scores and Scores(**scores),
            finding=Finding(kept.pop("finding")),
        )
        return cls(**kept | {"off": tuple(kept["off"])}, sample=sample)


def read(file: Path, *, model: str) -> list[Audited]:
    """Read the audits of one model; none if there is no file."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [audited for audited in map(Audited.from_line, lines) if audited.model == model]


def by_kind(audits: Iterable[Audited]) -> dict[str, list[Audited]]:
    """Sort audits by the kind of answer, honest ones first."""
    found: dict[str, list[Audited]] = defaultdict(list)
    for audited in sorted(audits, key=lambda one: one.kind != "honest"):
        found[audited.kind].append(audited)
    return dict(found)


def samples_of(found: dict[str, list[Audited]]) -> dict[str, Sequence[Sample]]:
    """Return what calibration takes."""
    return {kind: [audited.sample for audited in audits] for kind, audits in found.items()}
