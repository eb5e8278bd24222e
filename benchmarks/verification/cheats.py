"""Answers, and the ways to earn a fee without the work that was asked for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.verification.engines import Engines
from protocol.documents import LlmResult, LlmSpec, parse_document
from protocol.fingerprint import Fingerprint, parse_fingerprint
from runner.executors.llm import LlmExecutor

PATIENCE_S = 3_600.0
"""A calibration takes hours and is paused, or crowded out by other work: no answer is late."""
TEMPERATURES = (0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a runner, honest or not, laid before the network."""

    spec: LlmSpec
    result: LlmResult
    fingerprint: Fingerprint


Cheat = Callable[[LlmSpec, bytes, str], Awaitable[Answer]]
"""Takes the spec, the task's id and the address of an engine that has the true model."""


async def answer(url: str, spec: LlmSpec, task: bytes, *, asked: LlmSpec | None = None) -> Answer:
    """Have an engine answer `asked`, or `spec` if nothing else, and claim that it answers `spec` with its model."""
    executor = LlmExecutor(url, slots=1, timeout_s=PATIENCE_S)
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


def drawn_at(temperature: float) -> str:
    """Name the kind of answer that was drawn at a temperature, where the likeliest tokens were asked for."""
    return f"drawn at temperature {temperature:g}"


def cheats(engines: Engines) -> dict[str, Cheat]:
    """Return the cheats by name."""
    return {
        **{kind: _swapped(url) for kind, url in engines.others.items()},
        **{drawn_at(temperature): _drawn(temperature) for temperature in TEMPERATURES},
        "prompt edited": _edited,
        "answer cut off": _cut,
        "made-up text": _made_up,
    }


def _swapped(url: str) -> Cheat:
    async def swapped(spec: LlmSpec, task: bytes, _true: str) -> Answer:
        return await answer(url, spec, task)

    return swapped


def _drawn(temperature: float) -> Cheat:
    async def drawn(spec: LlmSpec, task: bytes, true: str) -> Answer:
        seed = int.from_bytes(task[:3], "big")
        options = spec.options.model_copy(update={"temperature": temperature, "seed": seed})
        return await answer(true, spec, task, asked=spec.model_copy(update={"options": options}))

    return drawn


async def _edited(spec: LlmSpec, task: bytes, true: str) -> Answer:
    shorter = spec.model_copy(update={"prompt": f"{spec.prompt} Be brief."})
    edited = await answer(true, spec, task, asked=shorter)
    counted = {"input_tokens": edited.fingerprint.input_tokens - 3}  # it knows what will be recounted
    return Answer(
        spec=spec,
        result=edited.result.model_copy(update=counted),
        fingerprint=edited.fingerprint.model_copy(update=counted),
    )


async def _cut(spec: LlmSpec, task: bytes, true: str) -> Answer:
    whole = await answer(true, spec, task)
    kept = max(1, len(whole.fingerprint.tokens) // 2)
    fingerprint = whole.fingerprint.model_copy(update={"tokens": whole.fingerprint.tokens[:kept]})
    text = fingerprint.text_before(kept).decode("utf-8", "replace")
    changes = {"output": text, "output_tokens": kept, "done_reason": "stop"}
    return Answer(spec=spec, result=whole.result.model_copy(update=changes), fingerprint=fingerprint)


async def _made_up(spec: LlmSpec, task: bytes, true: str) -> Answer:
    other = spec.model_copy(update={"prompt": "Say something about gardens."})
    return await answer(true, spec, task, asked=other)
