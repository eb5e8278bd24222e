"""USDFC amounts: `int` base units inside, decimals for people. Never a float."""

import re

from protocol.errors import InputError

DECIMALS = 18
USDFC: int = 10**DECIMALS
MAX_AMOUNT: int = 2**96 - 1
"""The most that one call of the contracts takes (uint96), in base units: about 79 billion USDFC."""

_WORD_DIGITS = 78
_AMOUNT = re.compile(r"[0-9]{1,29}(?:\.[0-9]{1,18})?")


def parse_usdfc(text: str, *, field: str = "amount") -> int:
    """Turn a person's decimal amount of USDFC into base units; `InputError` on anything else.

    >>> parse_usdfc("1.25")
    1250000000000000000
    """
    if not _AMOUNT.fullmatch(text.strip()):
        raise InputError(
            f"{field}: {text!r} is not an amount of USDFC",
            field=field,
            hint="Write a positive decimal number with at most 18 digits after the point, such as 1.25.",
        )
    whole, _, fraction = text.strip().partition(".")
    amount = int(whole) * USDFC + int(fraction.ljust(DECIMALS, "0"))
    if amount > MAX_AMOUNT:
        raise InputError(
            f"{field}: {text.strip()} USDFC is more than one call can carry",
            field=field,
            hint=f"The most is {format_usdfc(MAX_AMOUNT)} USDFC.",
        )
    return amount


def is_whole_number(text: str) -> bool:
    """Return whether this is a decimal string of base units that a word of the EVM could hold: digits, and at most 78."""
    return text.isascii() and text.isdigit() and len(text) <= _WORD_DIGITS


def format_usdfc(amount: int) -> str:
    """Write base units as the shortest exact decimal of USDFC.

    >>> format_usdfc(1250000000000000000)
    '1.25'
    """
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), USDFC)
    decimals = f"{fraction:018d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def format_about(amount: int) -> str:
    """Write what is only estimated: base units of USDFC to three digits that count, rounded up.

    >>> format_about(122857142857142)
    '0.000123'
    """
    step = 10 ** max(len(str(amount)) - 3, 0)
    return format_usdfc(-(-amount // step) * step)


def format_native(amount: int) -> str:
    """Write an amount of a chain's native coin (18 decimals, as USDFC) to six digits, rounded up."""
    step = 10**12
    return format_usdfc(-(-amount // step) * step)
