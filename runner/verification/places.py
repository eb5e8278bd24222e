"""Where in a committed answer another copy of the model can be asked what it would have said.

A place is given as the text before it, which the other engine cuts into tokens anew. Where that would not give the tokens that were
generated, the place is reached otherwise or left out:

- Text that ends in white space is cut otherwise when nothing follows. So the text before the white space is given, and the auditor's
  model has to come through the white space by itself.
- A character that takes several tokens has no text in its middle. Engines show its tokens as replacement characters, or as one. There the
  auditor compares characters: whether its model goes on with the one that the answer has.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.documents import LlmResult, LlmSpec
from protocol.fingerprint import Fingerprint

OPENING = 8
"""The first tokens, all of which are probed: an answer to an edited prompt gives itself away there, and less further on."""
BROKEN = "\N{REPLACEMENT CHARACTER}"
_RUN = re.compile(f"{BROKEN}+|[^{BROKEN}]+")
_MOST_TRIED = 1_000_000
_LATELY = 2
"""Characters before a hidden one that make its place the same as an earlier one."""
_FARTHEST = 16
"""Tokens of white space that an auditor's model is let through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A token of the answer, or its end: `begun` is the text to give, `through` are tokens that come between it and the place.

    `shows` is the answer's character there, none at its end. `is_hidden`: the token is not known from the papers, only the character.
    """

    position: int
    begun: str
    through: tuple[str, ...] = ()
    shows: str = ""
    is_hidden: bool = False

    @property
    def is_too_far(self) -> bool:
        """Return whether more lies between than an auditor's model is let through."""
        return len(self.through) > _FARTHEST


def spelled(texts: Sequence[str], output: str) -> list[int | None] | None:
    """Return where in the output each token begins, and the end; None inside a character, and if the tokens do not spell the output.

    A run of replacement characters stands for one or more characters beyond ASCII, at most as many as it is long.
    """
    runs = [_Run(found.group(), found.start()) for found in _RUN.finditer("".join(texts))]
    ends = _ends_of(runs, output)
    if ends is None:
        return None
    starts: list[int | None] = []
    offset, number, done = 0, 0, 0
    for text in [*texts, ""]:
        while number < len(runs) and offset >= runs[number].end:
            done, number = ends[number], number + 1
        inside = offset - runs[number].start if number < len(runs) else 0
        whole = inside == 0 or not runs[number].is_broken
        starts.append(done + max(0, inside) if whole else None)
        offset += len(text)
    return starts


def places_to_probe(
    fingerprint: Fingerprint, output: str, *, seed: bytes, count: int, cut: bool = False
) -> list[Place]:
    """Choose places: the opening, and others that follow from `seed`, which no runner could know.

    `cut`: a string that stops the answer may have cut its last token.
    """
    texts = [mark.text for mark in fingerprint.tokens]
    starts = spelled(texts, output)
    if starts is None:
        return []
    told = sum(map(bool, texts)) - cut
    usable = list(_usable(texts[:told], starts, output))
    opening, rest = usable[:OPENING], usable[OPENING:]
    lots = random.Random(seed)  # noqa: S311 (the seed is a beacon's)
    drawn = [*opening[:count], *lots.sample(rest, min(max(0, count - len(opening)), len(rest)))]
    places = [
        _place(at, texts, starts, output)
        if character is None
        else Place(position=at, begun=output[:character], shows=output[character], is_hidden=True)
        for at, character in sorted(drawn, key=lambda one: (one[0], one[1] or 0))
    ]
    return [place for place in places if place is not None]


def _usable(
    texts: Sequence[str], starts: Sequence[int | None], output: str
) -> Iterator[tuple[int, int | None]]:
    """Give the tokens that can be probed, and where tokens are hidden, their characters' places in the output too."""
    reach = _reach(texts, starts)
    met: set[str] = set()
    for at, text in enumerate(texts):
        start = starts[at]
        if text and BROKEN not in text:
            if reach[at] is not None:
                yield at, None
        elif text and start is not None:
            later = (starts[after] for after in range(at + 1, len(starts)))
            end = next(known for known in later if known is not None)
            for character in range(start, end):
                # What repeats itself any model would go on with, made up or not.
                lately = output[max(0, character - _LATELY) : character + 1]
                if lately not in met and not lately[:-1][-1:].isspace():
                    yield at, character
                met.add(lately)


def may_be_cut(spec: LlmSpec, result: LlmResult) -> bool:
    """Return whether the answer's last token may be cut by a string that stopped it."""
    return bool(spec.options.stop) and result.done_reason == "stop"


def end_of(fingerprint: Fingerprint, output: str) -> Place | None:
    """Return the place after the last token that shows; none where it cannot be reached."""
    texts = [mark.text for mark in fingerprint.tokens]
    starts = spelled(texts, output)
    if starts is None:
        return None
    shown = sum(bool(text) for text in texts)
    return _place(shown, texts[:shown], [*starts[:shown], len(output)], output)


def last_of(fingerprint: Fingerprint, output: str) -> Place | None:
    """Return the place of the last token that shows, reached without white space; none where there is none."""
    shown = sum(bool(mark.token) for mark in fingerprint.tokens)
    starts = spelled([mark.text for mark in fingerprint.tokens], output)
    start = starts[shown - 1] if shown and starts else None
    return None if start is None else Place(position=shown - 1, begun=output[:start])


def place_at(fingerprint: Fingerprint, output: str, position: int, *, back: int = 0) -> Place | None:
    """Return the place of a token, reached from so many tokens before it at least; none where it cannot be."""
    texts = [mark.text for mark in fingerprint.tokens]
    starts = spelled(texts, output)
    return None if starts is None else _place(position, texts, starts, output, back=back)


def _place(
    at: int, texts: Sequence[str], starts: Sequence[int | None], output: str, *, back: int = 0
) -> Place | None:
    first, here = _reach(texts, starts)[max(0, at - back)], starts[at]
    if first is None or here is None:
        return None
    through = tuple(texts[first:at])
    return Place(position=at, begun=output[: starts[first]], through=through, shows=output[here : here + 1])


def _reach(texts: Sequence[str], starts: Sequence[int | None]) -> list[int | None]:
    """Return for each token, and for the end, the token from whose start it is reached; none where it cannot be."""
    reach: list[int | None] = []
    first, blank = 0, True
    for at in range(len(texts) + 1):
        if at and texts[at - 1][-1:].isspace():
            blank = blank and texts[at - 1].isspace()
        else:
            first, blank = at, True
        known = starts[first] is not None and starts[at] is not None
        # Behind nothing but white space, words are few; behind words that end in it they may be many, and are not overlooked.
        reach.append(first if known and not (blank and at - first > _FARTHEST) else None)
    return reach


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of replacement characters, or of others, in the tokens' text."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Return where it ends in the tokens' text."""
        return self.start + len(self.text)

    @property
    def is_broken(self) -> bool:
        """Return whether it stands for characters that are not known from it."""
        return self.text[0] == BROKEN


def _ends_of(runs: Sequence[_Run], output: str) -> list[int] | None:
    """Return where each run ends in the output; none if they do not fit. Every way to fit them is followed at once."""
    layers: list[dict[int, int]] = []  # where a run may end, and where it then began
    reached, tried = {0: 0}, 0
    for run in runs:
        layer: dict[int, int] = {}
        for at in reached:
            for end in _ends_from(run, output, at):
                layer.setdefault(end, at)
                tried += 1
        if not layer or tried > _MOST_TRIED:
            return None
        layers.append(layer)
        reached = layer
    if len(output) not in reached:
        return None
    ends, at = [], len(output)
    for layer in reversed(layers):
        ends.append(at)
        at = layer[at]
    return ends[::-1]


def _ends_from(run: _Run, output: str, at: int) -> Iterator[int]:
    if not run.is_broken:
        if output.startswith(run.text, at):
            yield at + len(run.text)
        return
    for end in range(at + 1, min(at + len(run.text), len(output)) + 1):
        if output[end - 1].isascii():
            return
        yield end
