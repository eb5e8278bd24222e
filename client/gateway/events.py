"""A runner's event stream, read: what goes on to the caller, what is due, and what was signed for at the end."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx

from protocol.streaming import DUE, RECEIPT, Receipt

_MAX_EVENT = 1_048_576


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
    async for line in response.aiter_lines():
        if len(line) > _MAX_EVENT:
            raise StreamBroken("an event is too long")
        if line.startswith(":"):
            if (said := _comment(line)) is not None:
                yield said
        elif line == "data: [DONE]":
            return
        elif line.startswith("data: "):
            yield _chunk(line.removeprefix("data: "))
    raise StreamBroken("the runner broke off")


def _comment(line: str) -> Due | Receipt | None:
    name, _, value = line.removeprefix(":").strip().partition(" ")
    try:
        if name == DUE:
            cumulative, reading, counted = (int(word) for word in value.split())
            return Due(cumulative, reading, counted)
        return Receipt.from_json(value) if name == RECEIPT else None
    except (ValueError, KeyError, TypeError) as error:
        raise StreamBroken(f"its {name} cannot be read") from error


def _chunk(text: str) -> Chunk:
    try:
        document = json.loads(text)
        if "error" in document:
            raise StreamBroken(str(document["error"]["message"]))
        delta = document["choices"][0]["delta"] if document["choices"] else {}
        return Chunk(document, str(delta.get("content") or ""), int(document.pop("parity_tokens", 0)))
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise StreamBroken("an event cannot be read") from error
