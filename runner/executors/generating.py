"""Having a prompt answered to its end, and not further, where an engine would do otherwise.

Ollama ends a stream without a last word once the same token came some thirty times running. Whoever is paid for an answer has to bring
all of it, and an auditor's model would go on there, so the engine is asked for the rest.

An engine that is told to stop at a string holds back whatever may be its beginning, and then shows several tokens as one or none, which
no fingerprint can spell. So answers that may be audited are stopped here.
"""

from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

import ollama

from protocol.documents import MAX_DOCUMENT_BYTES, LlmSpec, model_name
from protocol.fingerprint import TOP
from runner.engine import Engine
from runner.errors import EngineUnavailable, ExecutionInvalid
from runner.verification.asking import Asker
from runner.verification.fingerprinting import Likelihood, TokenLikelihood
from runner.verification.places import spelled

_SAME = 30
"""Pieces of an answer that are the same but for white space, after which Ollama leaves off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an engine gave: the text, how it ended, what the engine counted, and the tokens' likelihoods if they were asked for."""

    output: str
    done_reason: str | None
    input_tokens: int | None
    output_tokens: int | None
    tokens: Sequence[TokenLikelihood]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shortened:
    """What a string that stopped the answer left of a token."""

    token: str
    logprob: float
    top_logprobs: Sequence[Likelihood] | None


@dataclass(slots=True, kw_only=True)
class _Heard:
    """What has come of an answer so far, and `cut`: where the first of `stops` begins in it."""

    stops: Sequence[str]
    text: str = ""
    tokens: list[TokenLikelihood] = field(default_factory=list)
    cut: int | None = None
    pieces: int = 0
    _size: int = 0
    _lately: deque[str] = field(default_factory=lambda: deque(maxlen=_SAME))

    def take(self, chunk: ollama.GenerateResponse) -> None:
        """Add a piece; `ExecutionInvalid` where the answer is getting too long."""
        self.tokens.extend(chunk.logprobs or ())
        if not chunk.response:
            return
        before = len(self.text)
        self.text += chunk.response
        self.pieces += 1
        self._lately.append(chunk.response.strip())
        self._size += len(chunk.response.encode("utf-8", "surrogatepass"))
        if self._size > MAX_DOCUMENT_BYTES:
            raise ExecutionInvalid(f"the answer is longer than {MAX_DOCUMENT_BYTES:,} bytes")
        found = [self.text.find(stop, max(0, before - len(stop))) for stop in self.stops]
        self.cut = min((at for at in found if at >= 0), default=None)

    def repeats_itself(self) -> bool:
        return len(self._lately) == _SAME and len(set(self._lately)) == 1

    def kept(self) -> list[TokenLikelihood]:
        """Return the tokens before the cut, the last of them shortened to what is left of it."""
        assert self.cut is not None
        starts = spelled([token.token for token in self.tokens], self.text)
        if starts is None:
            raise ExecutionInvalid("the engine's tokens do not spell its answer")
        kept = [token for token, at in zip(self.tokens, starts, strict=False) if at is None or at < self.cut]
        first = starts[len(kept) - 1] if kept else None
        if first is not None and first + len(kept[-1].token) > self.cut:
            last = kept.pop()
            rest = self.text[first : self.cut]
            kept.append(_Shortened(token=rest, logprob=last.logprob, top_logprobs=last.top_logprobs))
        return kept


async def answer_of(engine: Engine, spec: LlmSpec, *, likelihoods: bool) -> Answer:
    """Have a prompt answered, with the likelihoods of its tokens if they are wanted.

    Raises what the `ollama` client and httpx raise, `EngineUnavailable` where the answer broke off, and `ExecutionInvalid` where it is
    too long.
    """
    heard = _Heard(stops=spec.options.stop if likelihoods else ())
    asked = {"prompt": spec.prompt, "system": spec.system}
    final = await _hear(engine, spec, heard, asked, left=spec.options.num_predict, likelihoods=likelihoods)
    if final is not None:
        return Answer(
            output=heard.text,
            tokens=heard.tokens,
            done_reason=final.done_reason,
            input_tokens=final.prompt_eval_count,
            output_tokens=final.eval_count,
        )
    if heard.cut is None and not heard.repeats_itself():
        raise _broken_off()
    asker = await Asker.of(engine, spec)
    if heard.cut is None:
        answer = await _rest(engine, asker, heard, likelihoods=likelihoods)
        if answer is not None:
            return answer
    kept = heard.kept()
    return Answer(
        output=heard.text[: heard.cut],
        tokens=kept,
        done_reason="stop",
        input_tokens=asker.input_tokens,
        # The string that stopped it is billed as the token that ends an answer otherwise.
        output_tokens=min(len(heard.tokens), len(kept) + 1),
    )


async def _rest(engine: Engine, asker: Asker, heard: _Heard, *, likelihoods: bool) -> Answer | None:
    """Ask for what the engine left out, as often as it leaves off; return none where a string stopped the answer."""
    spec = asker.spec
    while asker.prompt is not None and heard.repeats_itself():
        come = len(heard.tokens) if likelihoods else heard.pieces
        reason, more = "length", 0
        if left := max(0, spec.options.num_predict - come):
            asked = {"prompt": asker.prompt + heard.text, "raw": True}
            final = await _hear(engine, spec, heard, asked, left=left, likelihoods=likelihoods)
            if heard.cut is not None:
                return None
            if final is None:
                if (len(heard.tokens) if likelihoods else heard.pieces) == come:
                    break
                continue
            reason, more = str(final.done_reason), final.eval_count or 0
        return Answer(
            output=heard.text,
            tokens=heard.tokens,
            done_reason=reason,
            input_tokens=asker.input_tokens,
            output_tokens=come + more,
        )
    raise _broken_off()


async def _hear(
    engine: Engine, spec: LlmSpec, heard: _Heard, asked: Mapping[str, Any], *, left: int, likelihoods: bool
) -> ollama.GenerateResponse | None:
    """Take in a stream of at most `left` tokens; return its last word, none where it ended without one or was cut."""
    stops: dict[str, object] = {"stop": []} if likelihoods else {}
    stream = await engine.generate(
        model=model_name(spec.model),
        options={**spec.options.to_ollama(), **stops, "num_predict": left},
        stream=True,
        logprobs=likelihoods or None,
        top_logprobs=TOP if likelihoods else None,
        **asked,
    )
    async with aclosing(cast("AsyncGenerator[ollama.GenerateResponse]", stream)):
        async for chunk in stream:
            heard.take(chunk)
            if heard.cut is not None:
                return None
            if chunk.done:
                return chunk
    return None


def _broken_off() -> EngineUnavailable:
    return EngineUnavailable("the model engine broke off its answer", hint="Look at the engine's log.")
