"""Probing: give one's own copy of the model the prompt and a part of the committed answer, and see what it would say next.

The part is given as the beginning of the assistant's turn, which every engine of Ollama's API continues: no chat template
has to be known. One token is computed for each probe, so an audit costs little of what the answer did.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import ollama

from protocol.documents import LlmResult, LlmSpec, model_name
from protocol.fingerprint import Fingerprint, TokenMark
from runner.verification.fingerprinting import token_mark

ALTERNATIVES = 20
"""The most that Ollama gives."""
OPENING = 8
"""The first tokens, all of which are probed: an answer to an edited prompt gives itself away there, and less further on."""
_END_AMONG = 3
"""An answer may end where ending is among this many of the model's likeliest tokens."""
_BROKEN = "\N{REPLACEMENT CHARACTER}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was committed at a place, and what the auditor's model gave there: None where it would have ended."""

    position: int
    committed: TokenMark
    found: TokenMark | None

    @property
    def same_choice(self) -> bool:
        """Return whether the likeliest token of both is the same, told by the lists and not by what was sampled."""
        return self.found is not None and _likeliest(self.committed) == _likeliest(self.found)

    @property
    def within(self) -> bool:
        """Return whether the committed token is among the auditor's likeliest."""
        return self._own_logprob() is not None

    @property
    def delta(self) -> int | None:
        """Return how far the likelihoods of the committed token lie apart, in thousandths; None if it was not found."""
        own = self._own_logprob()
        return None if own is None else abs(own - self.committed.logprob)

    def _own_logprob(self) -> int | None:
        if self.found is None:
            return None
        known = {other.token: other.logprob for other in (*self.found.top, self.found)}
        return known.get(self.committed.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """All that an auditor's model said of an answer. `ends`: whether it would end where the answer says it ended."""

    probes: tuple[Probe, ...]
    input_tokens: int
    ends: bool


def _likeliest(mark: TokenMark) -> str:
    return mark.top[0].token if mark.top else mark.token


def positions_to_probe(fingerprint: Fingerprint, *, seed: bytes, count: int) -> list[int]:
    """Choose the places: the opening, and others that follow from `seed`, which no runner could know.

    Places are left out where the text so far cannot be given to another engine as it was: where it ends inside a character,
    and where it ends in white space, which tokenizers cut otherwise when nothing follows.
    """
    befores = [b"", *(mark.content for mark in fingerprint.tokens)]
    usable = [
        at
        for at, (before, mark) in enumerate(zip(befores, fingerprint.tokens, strict=False))
        if mark.token and not _is_cut_otherwise(before)
    ]
    opening, rest = usable[:OPENING], usable[OPENING:]
    lots = random.Random(seed)  # noqa: S311 (the seed is a beacon's)
    return sorted([*opening[:count], *lots.sample(rest, min(max(0, count - len(opening)), len(rest)))])


def _is_cut_otherwise(before: bytes) -> bool:
    return _BROKEN in before or before[-1:].isspace()


class Prober:
    """Asks one engine, which must have the very model of the spec."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self._client = ollama.AsyncClient(host=url, timeout=httpx.Timeout(timeout_s, connect=5.0))

    async def probe(
        self, spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint, positions: Sequence[int]
    ) -> Probing:
        """Probe the given places, and the end of an answer that says it ended by itself.

        Raises the `ollama` client's and httpx's errors as they come: the engine is away, or lacks the model.
        """
        probes, input_tokens = [], 0
        for position in positions:
            said = await self._next(spec, fingerprint.text_before(position).decode("utf-8"))
            found = _found(said)
            probes.append(Probe(position=position, committed=fingerprint.tokens[position], found=found))
            input_tokens = said.prompt_eval_count or 0 if position == 0 else input_tokens
        ends = not _ends_by_itself(spec, result) or await self._ends(spec, result)
        return Probing(probes=tuple(probes), input_tokens=input_tokens, ends=ends)

    async def _ends(self, spec: LlmSpec, result: LlmResult) -> bool:
        found = _found(await self._next(spec, result.output))
        return found is None or not found.token or any(not other.token for other in found.top[:_END_AMONG])

    async def _next(self, spec: LlmSpec, begun: str) -> ollama.ChatResponse:
        return await self._client.chat(
            model=model_name(spec.model),
            messages=_turns(spec, begun),
            options={**spec.options.to_ollama(), "temperature": 0.0, "num_predict": 1, "stop": []},
            logprobs=True,
            top_logprobs=ALTERNATIVES,
        )


def _ends_by_itself(spec: LlmSpec, result: LlmResult) -> bool:
    """Return whether an answer says so, in a place where the model can be asked: not behind white space, see above."""
    return result.done_reason == "stop" and not spec.options.stop and not result.output[-1:].isspace()


def _found(said: ollama.ChatResponse) -> TokenMark | None:
    return token_mark(said.logprobs[0], kept=ALTERNATIVES) if said.logprobs else None


def _turns(spec: LlmSpec, begun: str) -> list[dict[str, str]]:
    system = [] if spec.system is None else [{"role": "system", "content": spec.system}]
    answer = [{"role": "assistant", "content": begun}] if begun else []
    return [*system, {"role": "user", "content": spec.prompt}, *answer]
