"""Auditing answers of each kind, prompt by prompt."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.verification.cheats import PATIENCE_S, TEMPERATURES, Answer, answer, cheats, drawn_at
from benchmarks.verification.engines import FOUR_BITS, SMALLER, UNPACKED, Engines
from benchmarks.verification.questions import prompts
from benchmarks.verification.roc import Sample
from benchmarks.verification.samples import Audited, read
from protocol.cid import digest_of
from protocol.documents import LlmOptions, LlmSpec
from runner.verification.places import places_to_probe
from runner.verification.probing import Prober, Probing
from runner.verification.verdict import Finding, Thresholds, check_papers, judge, scores_of

POSITIONS = 24
HONEST = "honest"
PENALISED = "honest, repeats penalised"
"""Where a penalty was asked for, the likeliest token is not always the one to choose."""
_RUNNERS = (
    ("plain attention", ("packaged", "bfloat16 cache")),
    (UNPACKED, ("packaged", "plain attention")),
    ("bfloat16 cache", ("packaged", UNPACKED)),
    ("packaged", ("plain attention", UNPACKED)),
)
"""Engines of a runner and of its honest answer's auditors, in turns; its cheats are audited by the first."""
_NEAREST = (FOUR_BITS, drawn_at(0.3), SMALLER, drawn_at(0.5), drawn_at(0.7))
"""The cheats that are hardest to tell from honest work, in turns; of the others a twentieth of the prompts is enough."""
_COARSE_EVERY = 20
_PENALISED_EVERY = 10
_COMPARED_EVERY = 20
"""Texts are compared for every twentieth prompt: they differ so often that this is enough to show it."""
_AT_ONCE = 4
"""Prompts in work: some are answered while others are audited."""
_SHORT_TOKENS, _LONG_TOKENS = 32, 160
_PENALTY = 1.1
LOOSE = Thresholds(
    same_choice=0, within=0, distance=1e9, regret=1e9, positions=POSITIONS, honest_pairs=0, cheating_pairs=0
)
"""Lets through what only thresholds can tell, so that they can be chosen afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One kind of answer to one prompt, and the builds that audit it."""

    prompt: int
    kind: str
    runner: str
    auditors: tuple[str, ...]


def jobs(count: int) -> Iterator[list[Job]]:
    """Plan, prompt by prompt: an honest answer with two auditors, a nearest cheat, and now and then all cheats."""
    all_kinds = (
        *_NEAREST,
        *map(drawn_at, TEMPERATURES),
        "weights as Q8_0",
        "prompt edited",
        "answer cut off",
        "made-up text",
    )
    for number in range(count):
        runner, auditors = _RUNNERS[
            (number + number // _COARSE_EVERY) % len(_RUNNERS)
        ]  # long answers too in turns
        kinds = [_NEAREST[number // len(_RUNNERS) % len(_NEAREST)]]
        if number % _COARSE_EVERY == 0:
            kinds = list(dict.fromkeys(all_kinds))
        if number % _PENALISED_EVERY == 1:
            kinds.append(PENALISED)
        yield [
            Job(prompt=number, kind=HONEST, runner=runner, auditors=auditors),
            *[Job(prompt=number, kind=kind, runner=runner, auditors=auditors[:1]) for kind in kinds],
        ]


async def audit(prober: Prober, given: Answer, thresholds: Thresholds) -> tuple[Probing, Finding]:
    """Audit as a drawn auditor does."""
    papers = check_papers(given.spec, given.result, given.fingerprint)
    seed = digest_of(given.result.task.encode())
    places = places_to_probe(given.fingerprint, given.result.output, seed=seed, count=thresholds.positions)
    probing = await prober.probe(given.spec, given.result, given.fingerprint, places)
    return probing, papers if papers is not Finding.VALID else judge(given.result, probing, thresholds)


async def measure(prompts_wanted: int, *, kept: Path | None, minutes: float, quiet: bool) -> list[Audited]:
    """Audit answers of each kind, prompt by prompt, until the prompts or the minutes are used up.

    What `kept` holds is not done again, and each audit is added to it at once.
    """
    until = time.monotonic() + 60 * minutes
    async with AsyncExitStack() as stack:
        engines = await Engines.start(stack)
        found = read(kept, model=engines.model) if kept else []
        done = {(audited.prompt, audited.kind) for audited in found if audited.regrets is not None}
        todo = (
            missing
            for planned in jobs(prompts_wanted)
            if (missing := [job for job in planned if (job.prompt, job.kind) not in done])
        )

        async def work() -> None:
            for planned in todo:
                if time.monotonic() > until:
                    return
                audits = await _audited(engines, planned)
                found.extend(audits)
                _keep(kept, audits)
                if not quiet:
                    print(
                        f"\r  {len({each.prompt for each in found})} of {prompts_wanted} prompts",
                        end="",
                        flush=True,
                    )

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    return found


async def _audited(engines: Engines, planned: Sequence[Job]) -> list[Audited]:
    """Have one prompt answered in each way, and each answer audited."""
    ways = cheats(engines)
    own: dict[str, str] = {}
    audits = []
    for job in planned:
        spec, task = _spec(engines.model, job), digest_of(f"{job.prompt}".encode())
        true = engines.true[job.runner]
        given = await (ways[job.kind](spec, task, true) if job.kind in ways else answer(true, spec, task))
        for auditor in job.auditors:
            at = engines.true[auditor]
            compared = job.prompt % _COMPARED_EVERY == 0
            if compared and at not in own:
                own[at] = (await answer(at, spec, task)).result.output
            probing, finding = await audit(Prober(at, timeout_s=PATIENCE_S), given, LOOSE)
            audits.append(
                Audited.of(
                    job.prompt,
                    job.kind,
                    spec.model,
                    builds=(job.runner, auditor),
                    marks=given.fingerprint.tokens,
                    probes=probing.probes,
                    sample=Sample(
                        scores=scores_of(probing.probes) if probing.probes else None, finding=finding
                    ),
                    same_text=given.result.output == own[at] if compared else None,
                )
            )
    return audits


def _spec(model: str, job: Job) -> LlmSpec:
    length = _LONG_TOKENS if job.prompt % _COARSE_EVERY == _COARSE_EVERY // 2 else _SHORT_TOKENS
    penalty = _PENALTY if job.kind == PENALISED else 1.0
    options = LlmOptions(num_predict=length, repeat_penalty=penalty)
    return LlmSpec(model=model, prompt=prompts(job.prompt + 1)[-1], options=options)


def _keep(file: Path | None, audits: list[Audited]) -> None:
    if file is not None:
        with file.open("a", encoding="utf-8") as kept:
            kept.writelines(audited.to_line() + "\n" for audited in audits)
