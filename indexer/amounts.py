"""Amounts between Postgres' `numeric` and `int`, on one connection.

The driver makes a `Decimal` of each, and takes several times as long to write one as for all the rest of its row.
"""

import struct
from functools import lru_cache

import asyncpg

_BASE = 10_000
_NEGATIVE = 0x4000
_head = struct.Struct(">hhHh")
"""How many digits to the base 10,000 there are, the place of the first, sign, and decimals to show."""


async def read_and_write_integers(connection: asyncpg.Connection) -> None:
    """Have the connection take and give `numeric` as `int`, which all of ours are."""
    await connection.set_type_codec(
        "numeric", schema="pg_catalog", encoder=encoded, decoder=decoded, format="binary"
    )


@lru_cache(maxsize=16_384)
def encoded(value: int) -> bytes:
    """Write an integer as Postgres does in binary: its digits up to the last that is not 0."""
    digits: list[int] = []
    rest, places = abs(value), 0
    while rest:
        rest, digit = divmod(rest, _BASE)
        if digit or digits:
            digits.append(digit)
        places += 1
    digits.reverse()
    sign = _NEGATIVE if value < 0 else 0
    return _head.pack(len(digits), max(0, places - 1), sign, 0) + struct.pack(f">{len(digits)}H", *digits)


def decoded(content: bytes) -> int:
    """Read an integer. Raises `ValueError` for what is none: a fraction, infinity, or not a number."""
    count, weight, sign, decimals = _head.unpack_from(content)
    if decimals or sign not in (0, _NEGATIVE) or count > weight + 1:
        raise ValueError("a numeric that is no integer")
    value = 0
    for digit in struct.unpack_from(f">{count}H", content, _head.size):
        value = value * _BASE + digit
    value *= _BASE ** (weight + 1 - count) if count else 1
    return -value if sign else value
