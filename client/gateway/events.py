"""A runner's event stream, read: what goes on to the caller, what is due, and what was signed for at the end.

Who sends it is not trusted: nothing is held that has no end, and what cannot be read ends the answer.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx

from protocol.streaming import DUE, RECEIPT, Receipt

_MAX_EVENT = 1_048_576
_UNREADABLE = (
    ValueError,
    OverflowError,
    RecursionError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
)
"""What JSON of another shape than expected leads to."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """An event of the answer. `tokens` is what the runner bills it as."""

    document: dict[str, Any]
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Due:
    """What the runner says the channel has earned, and for how many tokens of this prompt and answer."""

    cumulative: int
    input_tokens: int
    output_tokens: int


class StreamBroken(Exception):
    """The runner sent something that is no such stream, or an error in it."""


async def read_events(response: httpx.Response) -> AsyncGenerator[Chunk | Due | Receipt, None]:
    """Read events until the stream says it is done; `StreamBroken` when it ends otherwise."""
    async for line in _lines(response):
        if line.startswith(":"):
            if (said := _comment(line)) is not None:
                yield said
        elif line == "data: [DONE]":
            return
        elif line.startswith("data: "):
            yield _chunk(line.removeprefix("data: "))
    raise StreamBroken("the runner broke off")


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    begun = b""
    try:
        # As they come: packed bytes could unpack to any length.
        async for piece in response.aiter_raw():
            *whole, begun = (begun + piece).split(b"\n")
            if max(map(len, (*whole, begun))) > _MAX_EVENT:
                raise StreamBroken("an event is too long")
            for line in whole:
                yield line.rstrip(b"\r").decode("utf-8", "replace")
    except httpx.HTTPError as error:
        raise StreamBroken(f"the runner broke off ({str(error) or type(error).__name__})") from error


def _comment(line: str) -> Due | Receipt | None:
    name, _, value = line.removeprefix(":").strip().partition(" ")
    try:
        if name == DUE:
            cumulative, reading, counted = (int(word) for word in value.split())
            return Due(cumulative, reading, counted)
        return Receipt.from_json(value) if name == RECEIPT else None
    except _UNREADABLE as error:
        raise StreamBroken(f"its {name} cannot be read") from error


def _chunk(text: str) -> Chunk:
    try:
        document = json.loads(text)
        if "error" in document:
            raise StreamBroken(str(document["error"]["message"]))
        delta = document["choices"][0]["delta"] if document["choices"] else {}
        said = str(delta.get("content") or "")
        said.encode()
        return Chunk(document, said, int(document.pop("parity_tokens", 0)))
    except _UNREADABLE as error:
        raise StreamBroken("an event cannot be read") from error
