"""A conversation with the model engine, token by token, with nothing held back."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import ollama

from protocol.fingerprint import TOP
from runner.engine import Engine, is_passing
from runner.streaming.errors import StreamRefused
from runner.verification.fingerprinting import TokenLikelihood


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some text, and its tokens as the engine counts them."""

    text: str
    tokens: Sequence[TokenLikelihood]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an answer ended, and what it took."""

    reason: str
    input_tokens: int
    output_tokens: int


class ChatEngine:
    """Streams answers from any engine of Ollama's API. A call gets `timeout_s` seconds without a byte."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self._url = url
        self._client = Engine(url, timeout_s=timeout_s)

    async def chat(
        self, model: str, turns: Sequence[dict[str, str]], options: dict[str, Any]
    ) -> AsyncIterator[Piece | End]:
        """Stream an answer, its End last. Leaving early stops the engine. `StreamRefused`."""
        try:
            stream = await self._client.chat(
                model=model, messages=turns, options=options, stream=True, logprobs=True, top_logprobs=TOP
            )
            async for said in stream:
                if said.message.content or said.logprobs:
                    yield Piece(text=said.message.content or "", tokens=said.logprobs or ())
                if said.done:
                    yield End(
                        reason=said.done_reason or "stop",
                        input_tokens=said.prompt_eval_count or 0,
                        output_tokens=said.eval_count or 0,
                    )
                    return
        except ollama.ResponseError as error:
            busy = is_passing(error)
            raise StreamRefused(
                f"the engine refused: {error.error}",
                code="engine_busy" if busy else "engine_refused",
                status=503 if busy else 400,
                hint="Try again in a moment." if busy else "Shorten the prompt, or correct the options.",
            ) from error
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise self._gone(str(error) or type(error).__name__) from error
        raise self._gone("it broke off its answer")

    def _gone(self, why: str) -> StreamRefused:
        return StreamRefused(
            f"the model engine is not available ({why})",
            code="engine_away",
            status=503,
            hint="Try again in a moment.",
        )
