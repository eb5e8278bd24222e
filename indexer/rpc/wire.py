"""JSON-RPC messages as structs. Quantities stay the hex strings of the wire; `quantity` and `data` turn them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    params: Sequence[Any] = ()


class ErrorObject(msgspec.Struct, gc=False):
    """A JSON-RPC error."""

    code: int = 0
    message: str = ""


class Reply(msgspec.Struct, gc=False):
    """One response; the result is left undecoded until its type is known."""

    id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: ErrorObject | None = None


class WireHeader(msgspec.Struct, gc=False, rename="camel"):
    """The part of a block that we use."""

    number: str
    hash: str
    parent_hash: str
    timestamp: str


class WireLog(msgspec.Struct, gc=False, rename="camel"):
    """A log. `block_timestamp` is an extension that anvil and geth have and Lotus has not."""

    address: str
    topics: list[str]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    transaction_index: str
    log_index: str
    removed: bool = False
    block_timestamp: str | None = None


def quantity(text: str) -> int:
    """Read a hex quantity."""
    return int(text, 16)


def data(text: str) -> bytes:
    """Read hex data; `0x` is empty."""
    return bytes.fromhex(text[2:])


def hexed(value: bytes) -> str:
    """Write bytes as the wire wants them."""
    return "0x" + value.hex()
