"""How often an audit finds a cheat, and how often it wrongs an honest runner, beside comparing texts.

Every answer comes from a real model. An honest pair is one runner and one auditor with the same model on engines that round
attention differently, as other processors and graphics cards do. The cheats: the same weights in a cheaper quantisation, a smaller
model (one block of thirty left out), a prompt that was edited, an answer that was cut off, and made-up text. The same weights in
8 bits are shown too, and are no cheat to be caught: they cost the runner more, and their answers are as near as those of another
engine. The peer is what a network without fingerprints can do: run the prompt again and compare the texts.

Usage: python -m benchmarks.verification [--pairs N] [--minutes M] [--write]      JSON=1 prints one document a line
"""

import argparse
import asyncio
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import gguf

from benchmarks.engine_of import BUILDS
from benchmarks.quantised import requantise, without_block
from benchmarks.roc import Curve, Sample, calibrate, draw
from benchmarks.samples import Audited, by_kind, read, samples_of
from devnet.paths import MODEL, PARITY
from devnet.ports import free_port
from devnet.process import Launch, Process
from protocol.cid import digest_of
from protocol.documents import LlmOptions, LlmResult, LlmSpec, model_digest, parse_document
from protocol.fingerprint import Fingerprint, parse_fingerprint
from runner.executors.llm import LlmExecutor
from runner.verification.places import places_to_probe
from runner.verification.probing import Prober, Probing
from runner.verification.verdict import Finding, Thresholds, check_papers, judge, scores_of

ROOT = Path(__file__).resolve().parent.parent
THRESHOLDS = ROOT / "runner/verification/thresholds.json"
ROC = ROOT / "docs/images/verification-roc"
SAMPLES = ROOT / "benchmarks/verification-samples.jsonl"
ENOUGH = 1_000
"""Honest answers before thresholds of their own replace the cautious ones: fewer do not show how often honest runners are wronged."""
HARMLESS = "weights as Q8_0"
"""More work for the same weights: thresholds are not drawn towards it."""
_NEAREST = ("weights as Q4_0", "smaller model")
"""The two cheats that are hardest to tell from honest work, in turns; of the others a twentieth of the prompts is enough."""
_PAIRS = (
    ("plain attention", "packaged"),
    ("bfloat16 cache", "packaged"),
    ("plain attention", "bfloat16 cache"),
)
"""Engines of an honest runner and its auditor, in turns. Two packaged ones on one processor agree to the last bit."""
_COARSE_EVERY = 20
_COMPARED_EVERY = 5
"""Texts are compared for every fifth prompt: they differ so often that this is enough to show it."""
_LEFT_OUT = 20
"""The block that the smaller model lacks: one of the middle, whose absence is told least by the text."""
_PATIENCE_S = 3_600.0
"""A calibration takes hours and is paused, or crowded out by other work: no answer is late."""
_AT_ONCE = 2
"""Prompts in work: one is answered while the other is audited."""
POSITIONS = 24
_SHORT_TOKENS, _LONG_TOKENS = 32, 160
QUESTIONS = (
    "What is {}?", "Explain {} to a child.", "Give three facts about {}.", "Why does {} matter?",
    "Write two sentences about {}.", "How did {} begin?", "What do people get wrong about {}?",
    "Compare {} with its opposite.", "Tell a short story about {}.", "List the parts of {}.",
    "Who works with {}?", "Where would one find {}?", "What would change without {}?",
    "Describe {} in plain words.", "Ask a good question about {} and answer it.",
    "Translate the idea of {} into a rule.", "What comes after {}?", "How is {} measured?",
    "Name an example of {}.", "Summarise the history of {}.",
)  # fmt: skip
THINGS = (
    "rain", "copper", "the tide", "a bridge", "bread", "gravity", "chess", "a contract", "the violin", "winter",
    "a river delta", "insurance", "photosynthesis", "a lighthouse", "glass", "the printing press", "salt", "an atlas",
    "a vaccine", "the equator", "paper money", "a telescope", "yeast", "a sonnet", "steam power", "the stock market",
    "a coral reef", "clay", "an election", "a lever", "honey", "the alphabet", "a library", "rust", "a volcano",
    "soap", "a compass", "the metric system", "a glacier", "ink", "a referee", "sleep", "a satellite", "cotton",
    "a harbour", "the number zero", "a queue", "sugar", "a fable", "a census",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a runner, honest or not, laid before the network."""

    spec: LlmSpec
    result: LlmResult
    fingerprint: Fingerprint


Cheat = Callable[[LlmSpec, bytes], Awaitable[Answer]]


def prompts(count: int) -> list[str]:
    """Return `count` different prompts, all questions being asked before any thing repeats itself often."""
    pairs = [question.format(thing) for thing in THINGS for question in QUESTIONS]
    step = 37  # prime to the number of pairs, so that neighbours differ in question and thing
    return [pairs[(step * index) % len(pairs)] for index in range(min(count, len(pairs)))]


@asynccontextmanager
async def engine(file: Path, *, build: str, log: Path) -> AsyncIterator[str]:
    """Serve a model file as the packaged model is served, on one thread and with the rounding of one of `BUILDS`."""
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.engine_of", str(file), str(port), build]
    process = await Process.start(Launch(name="engine", argv=argv, log=log))
    url = f"http://127.0.0.1:{port}"
    try:
        from devnet.engine.process import answers  # noqa: PLC0415 (the same check that devnet makes)

        await process.ready(lambda: answers(url), timeout_s=60)
        yield url
    finally:
        await process.stop(grace_s=5)


async def answer(url: str, spec: LlmSpec, task: bytes, *, asked: LlmSpec | None = None) -> Answer:
    """Have an engine answer `asked`, or `spec` if nothing else, and claim that it answers `spec` with its model."""
    executor = LlmExecutor(url, slots=1, timeout_s=_PATIENCE_S)
    (model,) = await executor.models()
    mine = (asked or spec).model_copy(update={"model": f"{model.name}@sha256:{model.digest}"})
    work = await executor.execute(mine, task, audited=True)
    result = parse_document(work.result)
    assert isinstance(result, LlmResult)
    assert work.fingerprint is not None
    claimed = {"model": spec.model}
    return Answer(
        spec=spec,
        result=result.model_copy(update=claimed),
        fingerprint=parse_fingerprint(work.fingerprint).model_copy(update=claimed),
    )


async def audit(prober: Prober, given: Answer, thresholds: Thresholds) -> tuple[Probing, Finding]:
    """Audit as a drawn auditor does."""
    papers = check_papers(given.spec, given.result, given.fingerprint)
    seed = digest_of(given.result.task.encode())
    places = places_to_probe(given.fingerprint, given.result.output, seed=seed, count=thresholds.positions)
    probing = await prober.probe(given.spec, given.result, given.fingerprint, places)
    return probing, papers if papers is not Finding.VALID else judge(given.result, probing, thresholds)


class Cheats:
    """The ways to earn a fee without the work that was asked for."""

    def __init__(self, honest: str, others: Mapping[str, str]) -> None:
        self._honest = honest
        self._others = others

    def all(self) -> dict[str, Cheat]:
        """Return the cheats by name."""
        swaps = {kind: self._swap(url) for kind, url in self._others.items()}
        return {
            **swaps,
            "prompt edited": self._edited,
            "answer cut off": self._cut,
            "made-up text": self._made_up,
        }

    def _swap(self, url: str) -> Cheat:
        async def swapped(spec: LlmSpec, task: bytes) -> Answer:
            return await answer(url, spec, task)

        return swapped

    async def _edited(self, spec: LlmSpec, task: bytes) -> Answer:
        shorter = spec.model_copy(update={"prompt": f"{spec.prompt} Be brief."})
        edited = await answer(self._honest, spec, task, asked=shorter)
        counted = {"input_tokens": edited.fingerprint.input_tokens - 3}  # it knows what will be recounted
        return Answer(
            spec=spec,
            result=edited.result.model_copy(update=counted),
            fingerprint=edited.fingerprint.model_copy(update=counted),
        )

    async def _cut(self, spec: LlmSpec, task: bytes) -> Answer:
        whole = await answer(self._honest, spec, task)
        kept = max(1, len(whole.fingerprint.tokens) // 2)
        fingerprint = whole.fingerprint.model_copy(update={"tokens": whole.fingerprint.tokens[:kept]})
        text = fingerprint.text_before(kept).decode("utf-8", "replace")
        changes = {"output": text, "output_tokens": kept, "done_reason": "stop"}
        return Answer(spec=spec, result=whole.result.model_copy(update=changes), fingerprint=fingerprint)

    async def _made_up(self, spec: LlmSpec, task: bytes) -> Answer:
        other = spec.model_copy(update={"prompt": "Say something about gardens."})
        return await answer(self._honest, spec, task, asked=other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Addresses of the running engines: of the true model by build, of the cheats' models by kind."""

    true: Mapping[str, str]
    cheap: Mapping[str, str]
    model: str

    @classmethod
    async def start(cls, stack: AsyncExitStack) -> Self:
        """Start them all, to be stopped with `stack`; makes the cheats' models first if they are not there."""
        cache = PARITY / "cache"
        files = {
            HARMLESS: requantise(MODEL, cache / "smollm2-q8_0.gguf", gguf.GGMLQuantizationType.Q8_0),
            "weights as Q4_0": requantise(MODEL, cache / "smollm2-q4_0.gguf", gguf.GGMLQuantizationType.Q4_0),
            "smaller model": without_block(MODEL, cache / "smollm2-29-blocks.gguf", _LEFT_OUT),
        }
        log = cache / "verification-engines.log"
        true = {
            build: await stack.enter_async_context(engine(MODEL, build=build, log=log)) for build in BUILDS
        }
        cheap = {
            kind: await stack.enter_async_context(engine(file, build="packaged", log=log))
            for kind, file in files.items()
        }
        (model,) = await LlmExecutor(true["packaged"], slots=1).models()
        return cls(true=true, cheap=cheap, model=f"{model.name}@sha256:{model.digest}")

    @property
    def cheats(self) -> dict[str, Cheat]:
        """Return the ways of answering that are not honest, by name."""
        return Cheats(self.true["packaged"], self.cheap).all()


def kinds_for(number: int, cheats: Collection[str]) -> list[str]:
    """Name the kinds of answers that a prompt gets: an honest one, a nearest cheat, and now and then all."""
    if number % _COARSE_EVERY == 0:
        return ["honest", *cheats]
    return ["honest", _NEAREST[number % len(_NEAREST)]]


async def measure(prompts_wanted: int, *, kept: Path | None, minutes: float, quiet: bool) -> list[Audited]:
    """Audit answers of each kind, prompt by prompt, until the prompts or the minutes are used up.

    What `kept` holds is not done again, and each audit is added to it at once.
    """
    until = time.monotonic() + 60 * minutes
    async with AsyncExitStack() as stack:
        engines = await Engines.start(stack)
        found = read(kept, model=engines.model) if kept else []
        done = {(audited.prompt, audited.kind) for audited in found}
        cheats = engines.cheats
        todo = iter(
            [
                (number, prompt, missing)
                for number, prompt in enumerate(prompts(prompts_wanted))
                if (missing := [kind for kind in kinds_for(number, cheats) if (number, kind) not in done])
            ]
        )

        async def work() -> None:
            for number, prompt, missing in todo:
                if time.monotonic() > until:
                    return
                audits = await _audited(engines, number, prompt, missing)
                found.extend(audits)
                _keep(kept, audits)
                if not quiet:
                    print(
                        f"\r  {len({each.prompt for each in found})} of {prompts_wanted} prompts",
                    )

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    return found


async def _audited(engines: Engines, number: int, prompt: str, kinds: Sequence[str]) -> list[Audited]:
    """Have one prompt answered in each way, and each answer audited."""
    length = _LONG_TOKENS if number % _COARSE_EVERY == _COARSE_EVERY // 2 else _SHORT_TOKENS
    spec = LlmSpec(model=engines.model, prompt=prompt, options=LlmOptions(num_predict=length))
    task = digest_of(f"{number}".encode())
    runner, auditor = _PAIRS[number % len(_PAIRS)]
    own: dict[str, str] = {}
    audits = []
    for kind in kinds:
        judge_at = engines.true[auditor if kind == "honest" else "packaged"]
        if number % _COMPARED_EVERY == 0 and judge_at not in own:
            own[judge_at] = (await answer(judge_at, spec, task)).result.output
        if kind == "honest":
            given = await answer(engines.true[runner], spec, task)
        else:
            given = await engines.cheats[kind](spec, task)
        probing, finding = await audit(Prober(judge_at, timeout_s=_PATIENCE_S), given, LOOSE)
        scores = scores_of(probing.probes) if probing.probes else None
        audits.append(
            Audited(
                model=spec.model,
                prompt=number,
                kind=kind,
                sample=Sample(scores=scores, finding=finding),
                off=tuple(probe.delta for probe in probing.probes),
                same_text=given.result.output == own[judge_at] if own else None,
            )
        )
    return audits


def _keep(file: Path | None, audits: list[Audited]) -> None:
    if file is not None:
        with file.open("a", encoding="utf-8") as kept:
            kept.writelines(audited.to_line() + "\n" for audited in audits)


LOOSE = Thresholds(
    same_choice=0, within=0, distance=1e9, positions=POSITIONS, honest_pairs=0, cheating_pairs=0
)
"""Lets through what only thresholds can tell, so that they can be chosen afterwards."""


def report(found: dict[str, list[Audited]], thresholds: Thresholds) -> list[dict[str, object]]:
    """Return a row for each kind: how often it is called a cheat here, and by comparing texts."""
    rows: list[dict[str, object]] = []
    for kind, audits in found.items():
        ours = sum(audited.sample.is_cheat(thresholds) for audited in audits) / len(audits)
        compared = [audited.same_text for audited in audits if audited.same_text is not None]
        texts = compared.count(False) / len(compared) if compared else None
        rows.append(
            {
                "name": f"verification: {kind}, called a cheat",
                "ours": ours,
                "peer": texts,
                "ratio": ours / texts if texts else None,
                "unit": f"share of {len(audits)} audits",
            }
        )
    return rows


def main() -> None:
    """Measure, print, and with `--write` keep audits, thresholds, ROC and plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=20,
        help="honest answers, and as many of the nearest cheats (default 20, at most 1,000)",
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
    found = by_kind(audits)
    samples = samples_of(found)
    caught = {kind: each for kind, each in samples.items() if kind != HARMLESS}
    thresholds = calibrate(caught, positions=POSITIONS)
    rows = report(found, thresholds)
    if as_json:
        for row in rows:
            print(json.dumps(row))
    else:
        print(f"\r{'kind':<44}{'fingerprint':>14}{'texts':>10}   of")
        for row in rows:
            print(f"{row['name']!s:<44}{row['ours']:>14.3f}{_rate(row['peer']):>10}   {row['unit']}")
        print(f"thresholds: {thresholds}")
    if asked.write:
        _publish(samples, thresholds, model=audits[0].model)


def _rate(share: object) -> str:
    return f"{share:.3f}" if isinstance(share, float) else "-"


def _publish(samples: Mapping[str, Sequence[Sample]], thresholds: Thresholds, *, model: str) -> None:
    if thresholds.honest_pairs >= ENOUGH:
        kept = {model_digest(model): thresholds.model_dump()}
        THRESHOLDS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    else:
        print(
            f"{THRESHOLDS.name} stays: {ENOUGH:,} honest answers are asked for, {thresholds.honest_pairs:,} are kept"
        )
    curves = [
        Curve.of(kind, samples["honest"], cheats) for kind, cheats in samples.items() if kind != "honest"
    ]
    ROC.with_suffix(".json").write_text(
        json.dumps([curve.to_json() for curve in curves], indent=1) + "\n", encoding="utf-8"
    )
    ROC.with_suffix(".svg").write_text(draw(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
