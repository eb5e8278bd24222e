"""How often an audit finds a cheat, and how often it wrongs an honest runner, beside comparing texts.

Every answer comes from a real model. An honest pair is one runner and one auditor with the same model on engines that round
differently, as other processors and graphics cards do. The cheats: the same weights in a cheaper quantisation, a smaller
model (one block of thirty left out), text drawn at some temperature where the likeliest was asked for, a prompt that was edited, an
answer that was cut off, and made-up text. The nearest are shown a second time as if their runner had read the likelihoods off the
true model afterwards and forged its lists. The same weights in 8 bits are shown too, and are no cheat to be caught: they cost the
runner more, and their answers are as near as those of another engine. The peer is what a network without fingerprints can do: run
the prompt again and compare the texts.

Usage: python -m benchmarks.verification [--pairs N] [--minutes M] [--write]      JSON=1 prints one document a line
"""

import argparse
import asyncio
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.verification.cheats import TEMPERATURES, drawn_at
from benchmarks.verification.engines import EIGHT_BITS, FOUR_BITS, SMALLER
from benchmarks.verification.measuring import HONEST, PENALISED, POSITIONS, measure
from benchmarks.verification.roc import Curve, Sample, calibrate, draw
from benchmarks.verification.samples import Audited, by_kind, samples_of, with_true_likelihoods
from protocol.documents import model_digest
from runner.verification.verdict import Thresholds

ROOT = Path(__file__).resolve().parent.parent.parent
THRESHOLDS = ROOT / "runner/verification/thresholds.json"
ROC = ROOT / "docs/images/verification-roc"
SAMPLES = Path(__file__).with_name("samples.jsonl")
ENOUGH = 1_000
"""Honest audits before thresholds of their own replace the cautious ones: fewer do not show how often honest runners are wronged."""
_NO_CHEATS = (EIGHT_BITS, PENALISED)
"""Thresholds are not drawn towards these."""
_PLOTTED = (FOUR_BITS, SMALLER, EIGHT_BITS, "prompt edited", "made-up text")
_FORGED = (*map(drawn_at, TEMPERATURES), SMALLER, FOUR_BITS)


def main() -> None:
    """Measure, print, and with `--write` keep audits, thresholds, ROC and plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=20,
        help="prompts, each with two honest audits (default 20, at most 1,000)",
    )
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="begin no further prompt after this time"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help=f"keep audits in {SAMPLES.name}, going on there; thresholds, ROC and plot",
    )
    asked = parser.parse_args()
    as_json = bool(os.environ.get("JSON"))
    kept = SAMPLES if asked.write else None
    audits = asyncio.run(measure(asked.pairs, kept=kept, minutes=asked.minutes, quiet=as_json))
    found = by_kind(audits, honest=HONEST)
    samples = samples_of(found, unlike=(PENALISED,))
    thresholds = _thresholds(samples, found)
    for kind in _FORGED:
        if kind in found:
            known = [audited.sample for audited in found[kind] if audited.regrets is not None]
            samples[_forged(kind)] = with_true_likelihoods(known)
    rows = report(samples, found, thresholds)
    if as_json:
        for row in rows:
            print(json.dumps(row))
    else:
        print(f"\r{'kind':<84}{'fingerprint':>14}{'texts':>10}   of")
        for row in rows:
            print(f"{row['name']!s:<84}{row['ours']:>14.3f}{_rate(row['peer']):>10}   {row['unit']}")
        print(f"thresholds: {thresholds}")
    if asked.write:
        _publish(samples, thresholds, model=audits[0].model)


def _thresholds(
    samples: Mapping[str, Sequence[Sample]], found: Mapping[str, Sequence[Audited]]
) -> Thresholds:
    regrets = [regret for audited in found[HONEST] for regret in audited.regrets or () if regret is not None]
    caught = {kind: each for kind, each in samples.items() if kind not in _NO_CHEATS}
    return calibrate(caught, regrets, honest=HONEST, positions=POSITIONS)


def report(
    samples: Mapping[str, Sequence[Sample]], found: Mapping[str, Sequence[Audited]], thresholds: Thresholds
) -> list[dict[str, object]]:
    """Return how often each kind is called a cheat here and by comparing texts, and how well each way tells cheats from honest work.

    That is the share found less the share of honest answers called cheats (Youden's J, 1950): who accuses everybody finds every cheat.
    """
    ours = {kind: _share(sample.is_cheat(thresholds) for sample in each) for kind, each in samples.items()}
    texts = {kind: _differing(each) for kind, each in found.items()}
    rows = [
        _row(f"{kind}, called a cheat", ours[kind], texts.get(kind), unit=f"share of {len(each)} audits")
        for kind, each in samples.items()
    ]
    wronged = texts[HONEST]
    for kind in samples:
        if kind not in (HONEST, *_NO_CHEATS):
            told = texts.get(kind)
            apart = told - wronged if told is not None and wronged is not None else None
            rows.append(_row(f"{kind}, found less wronged", ours[kind] - ours[HONEST], apart, unit="share"))
    return rows


def _row(name: str, ours: float, peer: float | None, *, unit: str) -> dict[str, object]:
    ratio = ours / peer if peer else None
    return {"name": f"verification: {name}", "ours": ours, "peer": peer, "ratio": ratio, "unit": unit}


def _share(true: Iterable[bool]) -> float:
    each = list(true)
    return sum(each) / len(each)


def _differing(audits: Sequence[Audited]) -> float | None:
    """Return the share of answers whose auditor wrote another text, of those where it wrote one."""
    compared = [not audited.same_text for audited in audits if audited.same_text is not None]
    return _share(compared) if compared else None


def _forged(kind: str) -> str:
    return f"{kind}, likelihoods of the true model"


def _rate(share: object) -> str:
    return f"{share:.3f}" if isinstance(share, float) else "-"


def _publish(samples: Mapping[str, Sequence[Sample]], thresholds: Thresholds, *, model: str) -> None:
    if thresholds.honest_pairs >= ENOUGH:
        kept = {model_digest(model): thresholds.model_dump()}
        THRESHOLDS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    else:
        print(
            f"{THRESHOLDS.name} stays: {ENOUGH:,} honest audits are asked for, {thresholds.honest_pairs:,} are kept"
        )
    curves = [
        Curve.of(kind, samples[HONEST], samples[kind], thresholds)
        for kind in (*_PLOTTED, *(_forged(drawn_at(temperature)) for temperature in (0.3, 0.5, 0.7)))
        if kind in samples
    ]
    ROC.with_suffix(".json").write_text(
        json.dumps([curve.to_json() for curve in curves], indent=1) + "\n", encoding="utf-8"
    )
    ROC.with_suffix(".svg").write_text(draw(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
