"""Audits kept as they are made, one a line, so that a calibration over hours may be stopped and gone on with."""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.verification.roc import Sample
from protocol.fingerprint import TokenMark
from runner.verification.probing import Probe
from runner.verification.verdict import Finding, Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One audit: of which `model`, which `prompt` (its number) and `kind` of answer, and what was found.

    `builds` are those of the runner's and of the auditor's engine. `off` and `regrets` are the distances and the regrets at the
    places probed, in thousandths of a nat, None where a token was not listed: with them another statistic can be tried without
    asking the models again; the regrets of the first thousand prompts' audits were not kept, and are None altogether. `own` are the regrets by the runner's own lists over the whole answer, without the zeros. `same_text`
    says whether the auditor's own answer reads the same, which is all that comparing texts can tell; None where it was not asked
    for one.
    """

    model: str
    prompt: int
    kind: str
    builds: tuple[str, str]
    sample: Sample
    off: tuple[int | None, ...]
    regrets: tuple[int | None, ...] | None
    own: tuple[int, ...]
    same_text: bool | None

    @classmethod
    def of(
        cls,
        prompt: int,
        kind: str,
        model: str,
        *,
        builds: tuple[str, str],
        marks: Sequence[TokenMark],
        probes: Sequence[Probe],
        sample: Sample,
        same_text: bool | None,
    ) -> Self:
        """Keep what an audit saw."""
        return cls(
            model=model,
            prompt=prompt,
            kind=kind,
            builds=builds,
            sample=sample,
            off=tuple(probe.delta for probe in probes),
            regrets=tuple(probe.regret for probe in probes),
            own=tuple(own for mark in marks if mark.top and (own := mark.top[0].logprob - mark.logprob) > 0),
            same_text=same_text,
        )

    def to_line(self) -> str:
        """Write it; `from_line` reads it."""
        scores = self.sample.scores
        return json.dumps(
            {
                "model": self.model,
                "prompt": self.prompt,
                "kind": self.kind,
                "builds": self.builds,
                "finding": self.sample.finding.value,
                "scores": None
                if scores is None
                else {
                    "same_choice": round(scores.same_choice, 4),
                    "within": round(scores.within, 4),
                    "distance": round(scores.distance, 3),
                    "regret": round(scores.regret, 3),
                },
                "off": self.off,
                "regrets": self.regrets,
                "own": self.own,
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
        listed = {
            name: tuple(kept[name]) for name in ("builds", "off", "regrets", "own") if kept[name] is not None
        }
        return cls(**kept | listed, sample=sample)


def read(file: Path, *, model: str) -> list[Audited]:
    """Read the audits of one model; none if there is no file."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [audited for audited in map(Audited.from_line, lines) if audited.model == model]


def by_kind(audits: Iterable[Audited], *, honest: str) -> dict[str, list[Audited]]:
    """Sort audits by the kind of answer, honest ones first."""
    found: dict[str, list[Audited]] = defaultdict(list)
    for audited in sorted(audits, key=lambda one: one.kind != honest):
        found[audited.kind].append(audited)
    return dict(found)


def samples_of(found: Mapping[str, Sequence[Audited]], *, unlike: Collection[str]) -> dict[str, list[Sample]]:
    """Return what calibration takes. Answers of `unlike` kinds need not be the likeliest."""
    return {
        kind: [dataclasses.replace(audited.sample, greedy=kind not in unlike) for audited in audits]
        for kind, audits in found.items()
    }


def with_true_likelihoods(samples: Iterable[Sample]) -> list[Sample]:
    """Suppose that the runner read its text's likelihoods off the true model, and listed no likelier token than its own."""
    return [
        dataclasses.replace(
            sample,
            scores=sample.scores and dataclasses.replace(sample.scores, distance=0.0, same_choice=1.0),
            finding=Finding.VALID if sample.finding is Finding.CHOICE else sample.finding,
        )
        for sample in samples
    ]
