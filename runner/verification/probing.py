"""Probing: give one's own copy of the model the prompt and a part of the committed answer, and see what it would say next.

The part is given as the beginning of the assistant's turn, which every engine of Ollama's API continues: no chat template
has to be known. One token is computed for each probe, so an audit costs little of what the answer did.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import ollama

from protocol.documents import LlmResult, LlmSpec, model_name
from protocol.fingerprint import Fingerprint, TokenMark
from runner.verification.fingerprinting import token_mark
from runner.verification.places import BROKEN, Place, end_of, last_of

ALTERNATIVES = 20
"""The most that Ollama gives."""
_OF_A_CHARACTER = 4
"""The most tokens that one character takes: its bytes in UTF-8."""
_END_AMONG = 3
"""A sampled answer may end where ending is among this many of the model's likeliest tokens."""
_END_WITHIN = 500
"""A greedy answer may end where ending is at most so much less likely than the model's own choice, in thousandths of a nat."""


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

    @property
    def regret(self) -> int | None:
        """Return how much likelier the auditor's own choice is than the committed token, in thousandths; None as for `delta`."""
        own = self._own_logprob()
        return None if own is None or self.found is None else max(0, self.found.logprob - own)

    def _own_logprob(self) -> int | None:
        if self.found is None:
            return None
        known = {other.token: other.logprob for other in (*self.found.top, self.found)}
        return known.get(self.committed.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """All that an auditor's model said of an answer.

    `blind` are places whose white space the auditor's model did not come through. `characters`: where tokens could not be compared,
    whether its model goes on with the answer's character. `ends`: whether it would end where the answer says
    it ended. `greedy`: whether every token had to be the likeliest. `output_tokens` are those that the answer's text has when it is cut anew, 0 where nobody counted.
    """

    probes: tuple[Probe, ...]
    input_tokens: int
    ends: bool
    greedy: bool = False
    blind: tuple[int, ...] = ()
    characters: tuple[bool, ...] = ()
    output_tokens: int = 0


def _likeliest(mark: TokenMark) -> str:
    return mark.top[0].token if mark.top else mark.token


class _Blind(Exception):
    """The auditor's model does not get to the place."""


class Prober:
    """Asks one engine, which must have the very model of the spec."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self._client = ollama.AsyncClient(host=url, timeout=httpx.Timeout(timeout_s, connect=5.0))

    async def probe(
        self, spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint, places: Sequence[Place]
    ) -> Probing:
        """Probe the given places, and the end of the answer.

        Raises the `ollama` client's and httpx's errors as they come: the engine is away, or lacks the model.
        """
        probes, blind, characters, input_tokens = [], [], [], 0
        for place in places:
            if place.is_too_far:
                blind.append(place.position)
                continue
            said = await self._next(spec, place, tokens=_OF_A_CHARACTER if place.is_hidden else 1)
            if not place.begun:
                input_tokens = said.prompt_eval_count or 0
            if place.is_hidden:
                characters.append(_goes_on(said, place))
                continue
            try:
                found = _found(said, place)
            except _Blind:
                blind.append(place.position)
                continue
            probe = Probe(position=place.position, committed=fingerprint.tokens[place.position], found=found)
            if _is_incomparable(probe):
                characters.append(_goes_on(await self._next(spec, place, tokens=_OF_A_CHARACTER), place))
            else:
                probes.append(probe)
        ends, output_tokens = await self._end(spec, result, fingerprint, input_tokens=input_tokens)
        return Probing(
            probes=tuple(probes),
            input_tokens=input_tokens,
            ends=ends,
            greedy=spec.options.takes_the_likeliest,
            blind=tuple(blind),
            characters=tuple(characters),
            output_tokens=output_tokens,
        )

    async def _end(
        self, spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint, *, input_tokens: int
    ) -> tuple[bool, int]:
        """Return whether the answer may end where it does, and how many tokens it has."""
        end = end_of(fingerprint, result.output)
        if end is None or end.is_too_far or fills_context(spec, result):
            return True, 0
        said = await self._next(spec, end)
        ends = result.done_reason != "stop" or _ends(spec, said, end)
        if not ends and spec.options.stop and (cut := last_of(fingerprint, result.output)) is not None:
            ends = _is_cut_by_a_stop(spec, await self._next(spec, cut), fingerprint.tokens[cut.position].text)
        return ends, _recounted(said, end, input_tokens)

    async def _next(self, spec: LlmSpec, place: Place, *, tokens: int = 1) -> ollama.ChatResponse:
        predicted = {"temperature": 0.0, "num_predict": len(place.through) + tokens, "stop": []}
        return await self._client.chat(
            model=model_name(spec.model),
            messages=_turns(spec, place.begun),
            options={**spec.options.to_ollama(), **predicted},
            logprobs=True,
            top_logprobs=ALTERNATIVES,
        )


def _goes_on(said: ollama.ChatResponse, place: Place) -> bool:
    """Return whether the model's text goes on with the answer's character."""
    return (said.message.content or "").startswith("".join(place.through) + place.shows)


def fills_context(spec: LlmSpec, result: LlmResult) -> bool:
    """Return whether the answer could not go on, and nothing can be asked behind it. Engines may keep a last token free."""
    return result.input_tokens + result.output_tokens >= spec.options.num_ctx - 1


def _found(said: ollama.ChatResponse, place: Place) -> TokenMark | None:
    """Return what the model says at a place; none where it ends there. `_Blind` if it says something else before."""
    marks = [token_mark(token, kept=ALTERNATIVES) for token in said.logprobs or ()]
    if [mark.text for mark in marks[: len(place.through)]] != list(place.through):
        raise _Blind
    after = marks[len(place.through) :]
    ended = said.done_reason == "stop"
    if after and (after[0].token or ended):
        return after[0]
    # The first of several tokens of a character may not show at all.
    return None if ended else TokenMark(token=BROKEN.encode().hex(), logprob=0)


def _is_incomparable(probe: Probe) -> bool:
    """Return whether the model would say a part of a character here, or the answer's may be one that takes several tokens."""
    found = probe.found
    if found is None or probe.within:
        return False
    if BROKEN in found.text:
        return True
    partial = any(BROKEN in other.text or not other.token for other in found.top)
    return partial and not probe.committed.text.isascii()


def _ends(spec: LlmSpec, said: ollama.ChatResponse, end: Place) -> bool:
    """Return whether an answer may end here by itself, or go on with one of the strings that stop it."""
    try:
        found = _found(said, end)
    except _Blind:
        return True
    if found is None or not found.token:
        return True
    greedy = spec.options.temperature == 0
    likely = [
        other.text
        for rank, other in enumerate(found.top)
        if (found.logprob - other.logprob <= _END_WITHIN if greedy else rank < _END_AMONG)
    ]
    return any(not text or _begins_a_stop(text, spec) for text in (*likely, found.text))


def _begins_a_stop(text: str, spec: LlmSpec) -> bool:
    return bool(text) and any(stop.startswith(text) or text.startswith(stop) for stop in spec.options.stop)


def _is_cut_by_a_stop(spec: LlmSpec, said: ollama.ChatResponse, last: str) -> bool:
    """Return whether the answer's last token may be the beginning of one that a string cut, which stops it."""
    return any(
        other.text.startswith(last) and _begins_a_stop(other.text.removeprefix(last), spec)
        for token in said.logprobs or ()
        for other in token_mark(token, kept=ALTERNATIVES).top
    )


def _recounted(said: ollama.ChatResponse, end: Place, input_tokens: int) -> int:
    """Return how many tokens an answer has; 0 where the engine does not count the text that it was given."""
    given = (said.prompt_eval_count or 0) - input_tokens
    return given + len(end.through) if input_tokens and given > 0 else 0


def _turns(spec: LlmSpec, begun: str) -> list[dict[str, str]]:
    system = [] if spec.system is None else [{"role": "system", "content": spec.system}]
    answer = [{"role": "assistant", "content": begun}] if begun else []
    return [*system, {"role": "user", "content": spec.prompt}, *answer]
