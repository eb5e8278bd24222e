"""A runner that does not behave, for rehearsals on a local chain: `python -m devnet.cheats <conduct>`.

Everything but the deed itself is the shipped daemon's. Each lie is one of a kind, so that two cheats in a quorum do not
agree by chance.
"""

import asyncio
import dataclasses
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from devnet.conduct import Conduct
from protocol.cid import digest_of
from protocol.documents import LlmResult, LlmSpec, canonical
from protocol.enums import ReportKind
from protocol.errors import InputError
from protocol.fingerprint import Alternative, Fingerprint, TokenMark
from protocol.log import configure_logging
from protocol.settings import load
from runner.daemon import run_daemon
from runner.executors import Execution, Executor, Model
from runner.executors.llm import LlmExecutor
from runner.federated.messages import Train, Trained
from runner.federated.workshop import Workshop
from runner.settings import RunnerSettings

SLOW_S: Final = 5.0
_WORDS = ("No", "body", " will", " ever", " look", " at")
_UNLIKELY = -10

Deed = Callable[[Executor, LlmSpec, bytes, bool], Awaitable[Execution]]


class Cheating:
    """An executor that answers in its own way; all else is the honest one's."""

    def __init__(self, honest: Executor, deed: Deed) -> None:
        self._honest, self._deed = honest, deed

    @property
    def places(self) -> asyncio.Semaphore:
        """Return the honest executor's places: audits of others are done honestly, and need them."""
        return self._honest.places

    async def models(self) -> tuple[Model, ...]:
        """List the honest executor's models."""
        return await self._honest.models()

    async def execute(self, spec: LlmSpec, task_id: bytes, *, audited: bool = False) -> Execution:
        """Do the deed instead of the work."""
        return await self._deed(self._honest, spec, task_id, audited)


class Slanderer:
    """The opinion that everybody is malicious."""

    async def observe(self, target: str, *, epoch: int) -> None:
        """Look at nobody."""

    async def of(self, target: str, *, epoch: int, since_block: int, until_block: int) -> ReportKind:
        """Report the worst."""
        del target, epoch, since_block, until_block
        return ReportKind.MALICIOUS_BEHAVIOR


class HalfTrained(Workshop):
    """A training process that learns half as fast as the session asks, and claims to have done what was asked."""

    async def train(self, work: Train, *, apart: bool = False) -> Trained:
        """Train at half the rate."""
        config = json.loads(work.config)
        rate = Decimal(config["training"]["learning_rate"]) / 2
        config["training"]["learning_rate"] = str(rate)
        changed = msgspec.structs.replace(work, config=json.dumps(config).encode())
        return await super().train(changed, apart=apart)


async def another_prompt(honest: Executor, spec: LlmSpec, task: bytes, audited: bool) -> Execution:
    """Answer an easier question."""
    easier = spec.model_copy(update={"prompt": f"Say hello to number {secrets.randbelow(10**6)}, please."})
    return await honest.execute(easier, task, audited=audited)


async def made_up(honest: Executor, spec: LlmSpec, task: bytes, audited: bool) -> Execution:
    """Invent text and likelihoods; the question's length alone is asked of the engine, so that counting finds nothing."""
    least = spec.model_copy(update={"options": spec.options.model_copy(update={"num_predict": 1})})
    known = (await honest.execute(least, task, audited=audited)).input_tokens
    words = [*_WORDS, f" {secrets.token_hex(4)}"]
    marks = [Alternative(token=word.encode().hex(), logprob=_UNLIKELY) for word in words]
    tokens = tuple(TokenMark(token=mark.token, logprob=mark.logprob, top=(mark,)) for mark in marks)
    return _execution(spec, task, "".join(words), tokens if audited else (), input_tokens=known)


async def padded(honest: Executor, spec: LlmSpec, task: bytes, audited: bool) -> Execution:
    """Bill more tokens than the papers have."""
    work = await honest.execute(spec, task, audited=audited)
    return dataclasses.replace(work, output_tokens=work.output_tokens + 1 + secrets.randbelow(100))


async def of_another_answer(honest: Executor, spec: LlmSpec, task: bytes, audited: bool) -> Execution:
    """Commit to another root than that of the fingerprint shown."""
    work = await honest.execute(spec, task, audited=audited)
    return dataclasses.replace(work, fingerprint_root=secrets.token_bytes(32)) if audited else work


async def slowly(honest: Executor, spec: LlmSpec, task: bytes, audited: bool) -> Execution:
    """Wait, and then do the work."""
    await asyncio.sleep(SLOW_S)
    return await honest.execute(spec, task, audited=audited)


DEEDS: Final[Mapping[Conduct, Deed]] = {
    Conduct.MADE_UP: made_up,
    Conduct.OTHER_PROMPT: another_prompt,
    Conduct.PADDED: padded,
    Conduct.WRONG_ROOT: of_another_answer,
    Conduct.SLOW: slowly,
}


def _execution(
    spec: LlmSpec, task: bytes, output: str, tokens: tuple[TokenMark, ...], *, input_tokens: int
) -> Execution:
    name = "0x" + task.hex()
    papers = Fingerprint(task=name, model=spec.model, input_tokens=input_tokens, tokens=tokens)
    shown = canonical(papers) if tokens else None
    count = len(tokens) or len(output.split())
    result = LlmResult(
        task=name,
        model=spec.model,
        output=output,
        done_reason="stop",
        input_tokens=input_tokens,
        output_tokens=count,
        fingerprint=digest_of(shown).hex() if shown else None,
    )
    return Execution(
        result=canonical(result),
        input_tokens=input_tokens,
        output_tokens=count,
        fingerprint=shown,
        fingerprint_root=papers.root if tokens else bytes(32),
    )


async def misbehave(conduct: Conduct, settings: RunnerSettings) -> None:
    """Run the daemon with one part of it bent; `InputError` on a chain that is not local."""
    if not settings.deployment().local:
        raise InputError(
            f"conduct: {conduct.value} is for local chains only",
            field="conduct",
            hint="It would lose stake that is worth something.",
        )
    executor: Executor = LlmExecutor(settings.ollama_url, slots=settings.runner_slots)
    deed = DEEDS.get(conduct)
    await run_daemon(
        settings,
        settings.account(),
        executor=executor if deed is None else Cheating(executor, deed),
        opinion=Slanderer() if conduct is Conduct.LYING_MONITOR else None,
        workshop=HalfTrained() if conduct is Conduct.HALF_TRAINED else None,
    )


def main() -> None:
    """Run with the conduct that the one argument names."""
    settings = load(RunnerSettings)
    configure_logging("runner", level=settings.runner_log_level)
    asyncio.run(misbehave(Conduct(sys.argv[1]), settings))


if __name__ == "__main__":
    main()
