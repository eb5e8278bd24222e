"""Prompts for a language model, over any engine that speaks Ollama's API.

This executor lives in the daemon's process: the model runs in the engine's own, so what is here is an HTTP client that
never runs code of a task, and a process more would protect nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import ollama
import structlog
from pydantic import ValidationError

from protocol.cid import digest_of
from protocol.documents import LlmResult, LlmSpec, canonical, model_digest, model_name
from protocol.errors import ContentTooLarge
from protocol.fingerprint import Fingerprint
from runner.engine import Engine, is_passing
from runner.errors import EngineRefused, EngineUnavailable, ExecutionInvalid
from runner.executors import Execution, Model
from runner.executors.generating import Answer, answer_of
from runner.verification.fingerprinting import fingerprint_of
from runner.verification.verdict import Finding, check_papers

DEFAULT_CONTEXT = 2048
"""Tokens of context to offer for a model whose engine does not say."""
_ANSWERED = frozenset({"stop", "length"})

log = structlog.get_logger()


class LlmExecutor:
    """Runs prompts on one engine, at most `slots` at a time; the rest wait in line here, not in the engine.

    A call gets `timeout_s` seconds without a byte; an engine that is away or busy is tried `attempts` times, the first
    pause `pause_s` seconds and each further one twice as long.
    """

    def __init__(
        self, url: str, *, slots: int, attempts: int = 4, pause_s: float = 0.5, timeout_s: float = 60.0
    ) -> None:
        self._url = url
        self._client = Engine(url, timeout_s=timeout_s)
        self._slots = asyncio.Semaphore(slots)
        self._attempts = attempts
        self._pause_s = pause_s
        self._contexts: dict[str, int] = {}

    @property
    def places(self) -> asyncio.Semaphore:
        """Return the places in front of the engine, which all who use it share."""
        return self._slots

    async def models(self) -> tuple[Model, ...]:
        """See `Executor.models`. Names with a digest only: a bare name is whatever was pulled last."""
        async with self._engine_errors():
            listed = (await self._client.list()).models
            return tuple(
                [
                    Model(name=item.model, digest=digest, context=await self._context(item.model, digest))
                    for item in listed
                    if item.model and (digest := (item.digest or "").removeprefix("sha256:"))
                ]
            )

    async def execute(self, spec: LlmSpec, task_id: bytes, *, audited: bool = False) -> Execution:
        """See `Executor.execute`."""
        async with self._slots:
            for attempt in range(self._attempts):
                try:
                    return await self._answer(spec, task_id, audited=audited)
                except EngineUnavailable as error:
                    if attempt + 1 == self._attempts:
                        raise
                    pause_s = self._pause_s * 2**attempt
                    log.info("engine_retry", error=str(error), attempt=attempt + 1, pause_s=pause_s)
                    await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    async def _answer(self, spec: LlmSpec, task_id: bytes, *, audited: bool) -> Execution:
        await self._check_model(spec)
        async with self._engine_errors():
            answer = await answer_of(self._client, spec, likelihoods=audited)
        return _execution(spec, task_id, answer, audited=audited)

    async def _check_model(self, spec: LlmSpec) -> None:
        # A name may have been pulled anew since the claim; its digest is what was promised.
        name, digest = model_name(spec.model), model_digest(spec.model)
        if not any(model.name == name and model.digest == digest for model in await self.models()):
            raise EngineRefused(f"{spec.model} is not on {self._url}", hint=f"Run `ollama pull {name}`.")

    async def _context(self, name: str, digest: str) -> int:
        if digest not in self._contexts:
            facts = (await self._client.show(name)).modelinfo or {}
            known = [value for key, value in facts.items() if key.endswith(".context_length")]
            self._contexts[digest] = known[0] if known and isinstance(known[0], int) else DEFAULT_CONTEXT
        return self._contexts[digest]

    @asynccontextmanager
    async def _engine_errors(self) -> AsyncIterator[None]:
        try:
            yield
        except ollama.ResponseError as error:
            if is_passing(error):
                raise self._unavailable(error.error) from error
            raise EngineRefused(
                f"{self._url} refused: {error.error}", hint="Look at the engine's log."
            ) from error
        except ValidationError as error:
            raise ExecutionInvalid(f"{self._url} does not answer as Ollama does") from error
        except (httpx.HTTPError, OSError) as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        except ValueError as error:
            raise ExecutionInvalid(f"{self._url} answered with something that is not JSON") from error

    def _unavailable(self, why: str) -> EngineUnavailable:
        return EngineUnavailable(
            f"the model engine at {self._url} is not available ({why})",
            hint="Start it, or set OLLAMA_URL to where it is.",
        )


def _execution(spec: LlmSpec, task_id: bytes, answer: Answer, *, audited: bool) -> Execution:
    """Check what an engine returned, as whoever compares or audits it will, and write it down."""
    input_tokens, output_tokens = _counts(spec, answer)
    fingerprint = None
    if audited:
        fingerprint = fingerprint_of(task_id, spec.model, input_tokens=input_tokens, tokens=answer.tokens)
    try:
        papers = None if fingerprint is None else canonical(fingerprint)
        result = LlmResult(
            task="0x" + task_id.hex(),
            model=spec.model,
            output=answer.output,
            done_reason=str(answer.done_reason),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            fingerprint=None if papers is None else digest_of(papers).hex(),
        )
        if fingerprint is not None:
            _check_as_an_auditor(spec, result, fingerprint)
        return Execution(
            result=canonical(result),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            fingerprint=papers,
            fingerprint_root=bytes(32) if fingerprint is None else fingerprint.root,
        )
    except (ValueError, ContentTooLarge) as error:
        raise ExecutionInvalid("the answer cannot be written as a result document") from error


def _check_as_an_auditor(spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint) -> None:
    finding = check_papers(spec, result, fingerprint)
    if finding is not Finding.VALID:
        # An engine that does not do as it was told would cost an honest owner its stake.
        raise ExecutionInvalid(f"an auditor would call the engine's answer a cheat: {finding.value}")


def _counts(spec: LlmSpec, answer: Answer) -> tuple[int, int]:
    input_tokens, output_tokens = answer.input_tokens, answer.output_tokens
    if answer.done_reason not in _ANSWERED:
        raise ExecutionInvalid(f"the engine stopped without an answer ({answer.done_reason!r})")
    if not input_tokens or input_tokens < 0 or output_tokens is None:
        raise ExecutionInvalid("the engine did not count its tokens")
    if not 0 <= output_tokens <= spec.options.num_predict:
        raise ExecutionInvalid(
            f"the engine counted {output_tokens} tokens; at most {spec.options.num_predict} were asked for"
        )
    return input_tokens, output_tokens
