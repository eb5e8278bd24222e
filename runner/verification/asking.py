"""Asking an engine what comes next in somebody's answer.

The engine is given the prompt as its own template writes it, and the answer's beginning behind it. It is not left to the template to go
on with an assistant's turn: many close it and open another one, and there the model says something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

import ollama

from protocol.documents import LlmSpec, model_name
from runner.engine import Engine
from runner.verification.fingerprinting import TokenLikelihood
from runner.verification.places import Place

ALTERNATIVES = 20
"""The most that Ollama gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came next: the text and its tokens, whether the answer ended by itself, and how many tokens the engine was given."""

    text: str
    tokens: Sequence[TokenLikelihood]
    ended: bool
    given: int


class Asker:
    """Asks one engine, which must have the very model, about the answers to one spec.

    `prompt` is what its template makes of the spec's, None where it does not tell.
    """

    def __init__(self, engine: Engine, spec: LlmSpec, prompt: str | None) -> None:
        self._engine = engine
        self.spec = spec
        self.prompt = prompt
        self._first = Said(text="", tokens=(), ended=False, given=0)

    @classmethod
    async def of(cls, engine: Engine, spec: LlmSpec) -> Self:
        """Learn how the engine writes the prompt. Raises the `ollama` client's and httpx's errors as they come."""
        prompt = await engine.rendered(
            model_name(spec.model), spec.prompt, system=spec.system, options=spec.options.to_ollama()
        )
        asker = cls(engine, spec, prompt)
        asker._first = await asker._opening(1)
        if prompt is not None and (await asker._further("", 1)).given != asker.input_tokens:
            # What begins a text is there twice, or not at all.
            asker.prompt = None
        return asker

    @property
    def input_tokens(self) -> int:
        """Return how many tokens the engine counts of the prompt."""
        return self._first.given

    async def next(self, place: Place, *, tokens: int = 1) -> Said | None:
        """Ask what comes at a place; None where the engine refuses the text before it, which is longer than any answer can be."""
        wanted = len(place.through) + tokens
        if not place.begun:
            return self._first if wanted == 1 else await self._opening(wanted)
        try:
            if self.prompt is None:
                return await self._turn(place.begun, wanted)
            return await self._further(place.begun, wanted)
        except ollama.ResponseError as error:
            if error.status_code == HTTPStatus.BAD_REQUEST:
                return None
            raise

    async def _opening(self, tokens: int) -> Said:
        """Ask as whoever answers the prompt does."""
        said = await self._engine.generate(
            model=model_name(self.spec.model),
            prompt=self.spec.prompt,
            system=self.spec.system or "",
            options=self._options(tokens),
            logprobs=True,
            top_logprobs=ALTERNATIVES,
        )
        return _said(said, said.response)

    async def _further(self, begun: str, tokens: int) -> Said:
        said = await self._engine.generate(
            model=model_name(self.spec.model),
            prompt=f"{self.prompt}{begun}",
            raw=True,
            options=self._options(tokens),
            logprobs=True,
            top_logprobs=ALTERNATIVES,
        )
        return _said(said, said.response)

    async def _turn(self, begun: str, tokens: int) -> Said:
        """Ask an engine that does not tell how it writes a prompt, and leave it to its template."""
        system = [{"role": "system", "content": self.spec.system}] if self.spec.system else []
        user = {"role": "user", "content": self.spec.prompt}
        said = await self._engine.chat(
            model=model_name(self.spec.model),
            messages=[*system, user, {"role": "assistant", "content": begun}],
            options=self._options(tokens),
            logprobs=True,
            top_logprobs=ALTERNATIVES,
        )
        return _said(said, said.message.content)

    def _options(self, tokens: int) -> dict[str, object]:
        return {**self.spec.options.to_ollama(), "temperature": 0.0, "num_predict": tokens, "stop": []}


def _said(answer: ollama.GenerateResponse | ollama.ChatResponse, text: str | None) -> Said:
    return Said(
        text=text or "",
        tokens=answer.logprobs or (),
        ended=answer.done_reason == "stop",
        given=answer.prompt_eval_count or 0,
    )
