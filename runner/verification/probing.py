"""Probing: give one's own copy of the model the prompt and a part of the committed answer, and see what it would say next.

The part is given behind the prompt, as the engine's own template writes it. One token is computed for each probe, so an audit costs
little of what the answer did.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.documents import LlmResult, LlmSpec
from protocol.fingerprint import Fingerprint, TokenMark
from runner.engine import Engine
from runner.verification.asking import ALTERNATIVES, Asker, Said
from runner.verification.fingerprinting import token_mark
from runner.verification.places import BROKEN, Place, end_of, last_of, place_at

FAR = 2_000
"""By so much, in thousandths of a nat, no rounding moves a token: four times what was seen at any of 30,000 honest places."""
_BACK = 4
"""A token that no rounding explains is looked at again from so many tokens before it."""
_FREE = 8
"""Tokens before the end of a full context at which there is room for a question."""
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

    @property
    def is_beyond_rounding(self) -> bool:
        """Return whether the model would never have chosen this token where the likeliest was asked for."""
        if self.found is None:
            return False
        if self.regret is not None:
            return self.regret > FAR
        # It is less likely than the last of the list, which may be a short one.
        listed = [other.logprob for other in self.found.top]
        return bool(listed) and self.found.logprob - min(listed) > FAR // 2

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
    it ended. `greedy`: whether every token had to be the likeliest; `forced` are then places whose token is another for no reason that
    an engine could have. `output_tokens` are those that the answer's text has when it is cut anew, 0 where nobody counted.
    """

    probes: tuple[Probe, ...]
    input_tokens: int
    ends: bool
    greedy: bool = False
    blind: tuple[int, ...] = ()
    characters: tuple[bool, ...] = ()
    output_tokens: int = 0
    forced: tuple[int, ...] = ()


def _likeliest(mark: TokenMark) -> str:
    return mark.top[0].token if mark.top else mark.token


@dataclass(frozen=True, slots=True, kw_only=True)
class _Odd:
    """A token that no rounding explains, on the way to a place, and how many tokens the engine was given for that."""

    probe: Probe
    place: Place
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """What is known of an answer's end, see `Probing`. `odd`: it lies behind such a token."""

    may_be: bool
    odd: _Odd | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class Prober:
    """Asks one engine, which must have the very model of the spec."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self._engine = Engine(url, timeout_s=timeout_s)

    async def probe(
        self, spec: LlmSpec, result: LlmResult, fingerprint: Fingerprint, places: Sequence[Place]
    ) -> Probing:
        """Probe the given places, and the end of the answer.

        Raises the `ollama` client's and httpx's errors as they come: the engine is away, or lacks the model.
        """
        asker = await Asker.of(self._engine, spec)
        probes, blind, characters, odd, input_tokens = [], [], [], [], 0
        for place in places:
            if place.is_too_far:
                blind.append(place.position)
                continue
            said = await asker.next(place, tokens=_OF_A_CHARACTER if place.is_hidden else 1)
            if said is None:
                blind.append(place.position)
                continue
            if not place.begun:
                input_tokens = said.given
            if place.is_hidden:
                characters.append(_goes_on(said, place))
                continue
            probe = _probe(said, place, fingerprint)
            if probe.position < place.position:
                blind.append(place.position)
            elif _is_incomparable(probe):
                more = await asker.next(place, tokens=_OF_A_CHARACTER)
                characters.append(more is not None and _goes_on(more, place))
            else:
                probes.append(probe)
            if _is_odd(spec, probe):
                odd.append(_Odd(probe=probe, place=place, given=said.given))
        end = await _end(asker, result, fingerprint, input_tokens=input_tokens)
        answer = (result, fingerprint, input_tokens or end.input_tokens)
        return Probing(
            probes=tuple(probes),
            input_tokens=input_tokens or end.input_tokens,
            ends=end.may_be and (end.odd is None or not await _is_forced(asker, *answer, odd=end.odd)),
            greedy=spec.options.takes_the_likeliest,
            blind=tuple(blind),
            characters=tuple(characters),
            output_tokens=end.output_tokens,
            forced=tuple([each.probe.position for each in odd if await _is_forced(asker, *answer, odd=each)]),
        )


async def _is_forced(
    asker: Asker, result: LlmResult, fingerprint: Fingerprint, input_tokens: int, *, odd: _Odd
) -> bool:
    """Look at a token again, by a way on which the text before it is cut into tokens as it was generated."""
    position = odd.probe.position
    if not position:
        return True
    back = place_at(fingerprint, result.output, position, back=_BACK)
    if back is not None and (said := await asker.next(back)) is not None:
        again = _probe(said, back, fingerprint)
        if again.position == position:
            return _is_odd(asker.spec, again)
    # The model says something else on the way, so let the number of tokens tell.
    first = odd.place.position - len(odd.place.through)
    return bool(input_tokens) and odd.given - input_tokens == first


async def _end(asker: Asker, result: LlmResult, fingerprint: Fingerprint, *, input_tokens: int) -> _End:
    """Return whether the answer may end where it does, and how many tokens it has."""
    spec = asker.spec
    if fills_context(spec, result):
        return await _full(asker, result, fingerprint, input_tokens=input_tokens)
    end = end_of(fingerprint, result.output)
    if end is None or end.is_too_far:
        return _End(may_be=True)
    said = await asker.next(end)
    if said is None:
        return _End(may_be=True)
    given = said.given
    came, found = _heard(said, end)
    may_be, odd = True, None
    if result.done_reason == "stop" and came == len(end.through):
        may_be = _ends(spec, found)
    elif result.done_reason == "stop" and not spec.options.stop:
        # Behind white space that the model does not say, anything could be an end.
        probe = _probe(said, end, fingerprint)
        odd = _Odd(probe=probe, place=end, given=given) if _is_odd(spec, probe) else None
    if not may_be and spec.options.stop and (cut := last_of(fingerprint, result.output)) is not None:
        last = await asker.next(cut)
        may_be = last is not None and _is_cut_by_a_stop(spec, last, fingerprint.tokens[cut.position].text)
    return _End(
        may_be=may_be,
        odd=odd,
        input_tokens=0 if end.begun else given,
        output_tokens=_recounted(given, end, input_tokens),
    )


async def _full(asker: Asker, result: LlmResult, fingerprint: Fingerprint, *, input_tokens: int) -> _End:
    """Count an answer's tokens where nothing can be asked behind it."""
    before = sum(bool(mark.token) for mark in fingerprint.tokens) - _FREE
    place = place_at(fingerprint, result.output, before) if before > 0 else None
    if place is None or place.is_too_far:
        return _End(may_be=True)
    said = await asker.next(place)
    counted = _recounted(said.given, place, input_tokens) if said else 0
    left = sum(most_tokens(mark) for mark in fingerprint.tokens[before:])
    return _End(may_be=True, output_tokens=counted + left if counted else 0)


def _goes_on(said: Said, place: Place) -> bool:
    """Return whether the model's text goes on with the answer's character."""
    return said.text.startswith("".join(place.through) + place.shows)


def most_tokens(mark: TokenMark) -> int:
    """Return how many tokens a mark may stand for: engines may show the tokens of one character beyond ASCII together."""
    return 1 if mark.text.isascii() or BROKEN in mark.text else len(mark.content)


def fills_context(spec: LlmSpec, result: LlmResult) -> bool:
    """Return whether the answer could not go on, and nothing can be asked behind it. Engines may keep a last token free."""
    return result.input_tokens + result.output_tokens >= spec.options.num_ctx - 1


def _heard(said: Said, place: Place) -> tuple[int, TokenMark | None]:
    """Return how many of the tokens that come between the model says too, and what it says then; none where it ends."""
    marks, way = [token_mark(token, kept=ALTERNATIVES) for token in said.tokens], place.through
    came = 0
    while came < min(len(marks), len(way)) and marks[came].text == way[came]:
        came += 1
    return came, _next_of(marks[came:], ended=said.ended)


def _probe(said: Said, place: Place, fingerprint: Fingerprint) -> Probe:
    """Hold what the model says against the answer: at the place, or on the way to it, if it says something else there."""
    came, found = _heard(said, place)
    position = place.position - len(place.through) + came
    return Probe(position=position, committed=fingerprint.tokens[position], found=found)


def _next_of(marks: Sequence[TokenMark], *, ended: bool) -> TokenMark | None:
    """Return what comes next, none for an end."""
    if marks and (marks[0].token or ended):
        return marks[0]
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


def _is_odd(spec: LlmSpec, probe: Probe) -> bool:
    """Return whether the model would never have chosen this token, though the likeliest was asked for."""
    return spec.options.takes_the_likeliest and probe.is_beyond_rounding and not _is_incomparable(probe)


def _ends(spec: LlmSpec, found: TokenMark | None) -> bool:
    """Return whether an answer may end here by itself, or go on with one of the strings that stop it."""
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


def _is_cut_by_a_stop(spec: LlmSpec, said: Said, last: str) -> bool:
    """Return whether the answer's last token may be the beginning of one that a string cut, which stops it."""
    return any(
        other.text.startswith(last) and _begins_a_stop(other.text.removeprefix(last), spec)
        for token in said.tokens
        for other in token_mark(token, kept=ALTERNATIVES).top
    )


def _recounted(given: int, place: Place, input_tokens: int) -> int:
    """Return how many tokens an answer has up to a place; 0 where the engine does not count the text that it was given."""
    begun = given - input_tokens
    return begun + len(place.through) if input_tokens and begun > 0 else 0
