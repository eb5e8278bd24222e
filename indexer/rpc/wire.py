"""JSON-RPC messages as structs. Quantities stay the hex strings of the wire; `quantity` and `data` turn them.

What a string must look like is checked where it is decoded. Of a log, of which there are many, only the lengths are:
whoever turns its strings finds the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Quantity = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,15}$")]
"""An integer that fits Postgres' int8."""
Hash = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{64}$")]
Data = Annotated[str, Meta(pattern=r"^0x([0-9a-fA-F]{2})*$")]
_Word = Annotated[str, Meta(min_length=66, max_length=66)]
_Index = Annotated[str, Meta(min_length=3, max_length=9)]
"""A position in a block: it fits Postgres' int4."""


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
    """The part of a block that we use. `logs_bloom` is not read where nothing is asked of it."""

    number: Quantity
    hash: Hash
    parent_hash: Hash
    timestamp: Quantity
    logs_bloom: Data = ""


class WireLog(msgspec.Struct, gc=False, rename="camel"):
    """A log. `block_timestamp` is an extension that anvil and geth have and Lotus has not."""

    address: Annotated[str, Meta(min_length=42, max_length=42)]
    topics: Annotated[list[_Word], Meta(max_length=4)]
    data: Annotated[str, Meta(min_length=2)]
    block_number: Annotated[str, Meta(min_length=3, max_length=17)]
    block_hash: _Word
    transaction_hash: _Word
    transaction_index: _Index
    log_index: _Index
    removed: bool = False
    block_timestamp: Annotated[str, Meta(min_length=3, max_length=17)] | None = None


def quantity(text: str) -> int:
    """Read a hex quantity."""
    return int(text, 16)


def data(text: str) -> bytes:
    """Read hex data; `0x` is empty."""
    return bytes.fromhex(text[2:])


def hexed(value: bytes) -> str:
    """Write bytes as the wire wants them."""
    return "0x" + value.hex()
