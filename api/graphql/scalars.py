"""Validated scalars: anything of the wrong form is refused before the database is read."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NewType

import strawberry
from eth_utils.address import is_address, is_checksum_address, to_canonical_address, to_checksum_address
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Address = NewType("Address", bytes)
Bytes = NewType("Bytes", bytes)
Bytes32 = NewType("Bytes32", bytes)
BigInt = NewType("BigInt", int)
UInt = NewType("UInt", int)

_MAX_SAFE = 2**53 - 1
_MAX_BIG = 2**256 - 1


def read_address(value: object) -> bytes:
    """Read an address: 0x and 40 hex digits, with the right checksum if in mixed case."""
    if not isinstance(value, str) or not value.startswith("0x") or not is_address(value):
        raise GraphQLError(f"{value!r:.80} is not an address (0x and 40 hex digits)")
    digits = value[2:]
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(value):
        raise GraphQLError(f"{value!r:.80} is mistyped: its checksum (the case of its letters) is wrong")
    return to_canonical_address(value)


def read_bytes32(value: object) -> bytes:
    """Read 32 bytes: 0x and 64 hex digits."""
    content = _read_hex(value)
    if len(content) != 32:
        raise GraphQLError(f"{value!r:.80} is not 32 bytes (0x and 64 hex digits)")
    return content


@lru_cache(maxsize=65_536)
def write_address(address: bytes) -> str:
    """Write an address with its checksum."""
    return to_checksum_address(address)


def write_hex(content: bytes) -> str:
    """Write bytes as 0x hex."""
    return "0x" + content.hex()


def _read_hex(value: object) -> bytes:
    if isinstance(value, str) and value.startswith("0x"):
        with contextlib.suppress(ValueError):
            return bytes.fromhex(value[2:])
    raise GraphQLError(f"{value!r:.80} is not bytes in hex (0x and an even number of hex digits)")


def _read_big(value: object) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 78 and int(text) <= _MAX_BIG):
        raise GraphQLError(f"{value!r:.80} is not a whole number of base units from 0 to 2^256 - 1")
    return int(text)


def _read_uint(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_SAFE:
        raise GraphQLError(f"{value!r:.80} is not a whole number from 0 to 2^53 - 1")
    return value


def _read_time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(
            f"{value!r:.80} is not an ISO 8601 date and time, such as 2026-01-31T12:00:00Z"
        ) from None


def _write_big(value: int | Decimal) -> str:
    return str(int(value))


SCALARS: dict[object, ScalarDefinition] = {
    Address: strawberry.scalar(
        name="Address",
        description="An Ethereum address, 0x and 40 hex digits; written with its checksum, which is checked on input.",
        serialize=write_address,
        parse_value=read_address,
    ),
    Bytes: strawberry.scalar(
        name="Bytes",
        description="Bytes in hex, with 0x before them.",
        serialize=write_hex,
        parse_value=_read_hex,
    ),
    Bytes32: strawberry.scalar(
        name="Bytes32",
        description="32 bytes in hex, with 0x before them: an id, a digest or a transaction hash.",
        serialize=write_hex,
        parse_value=read_bytes32,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number as a decimal string; of money, USDFC base units (10^-18 USDFC).",
        serialize=_write_big,
        parse_value=_read_big,
    ),
    UInt: strawberry.scalar(
        name="UInt",
        description="A whole number from 0 to 2^53 - 1: a block height, a count of blocks or of tokens.",
        serialize=int,
        parse_value=_read_uint,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, ISO 8601 in UTC.",
        serialize=datetime.isoformat,
        parse_value=_read_time,
    ),
}
