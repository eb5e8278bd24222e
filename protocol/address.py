"""Addresses: 20 bytes as checksummed hex. A mixed-case address whose checksum is wrong was mistyped.

`eth_utils` knows them too, but loads for as long as all the rest of a small process; the hash behind it is all that is needed.
"""

import re
from typing import Annotated

from eth_hash.auto import keccak
from pydantic import AfterValidator

from protocol.errors import InputError

EXPECTED = "an address: 0x and 40 hex digits, with the right checksum if mixed case"
_FORM = re.compile(r"0x[0-9a-fA-F]{40}")


def checksummed(address: str) -> str:
    """Write an address of any case with its checksum: a letter is a capital where the digit of the hash is above 7 (EIP-55)."""
    digits = address[2:].lower()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if over > "7" else digit for digit, over in zip(digits, hashed, strict=False)
    )


def parse_address(text: object, *, field: str = "address") -> str:
    """Return an address in its checksummed form; `InputError` names `field`."""
    address = _parsed(text)
    if address is None:
        raise InputError(
            f"{field}: expected {EXPECTED}", field=field, hint="Copy it again from where it is shown."
        )
    return address


def _parsed(text: object) -> str | None:
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        return None
    address = checksummed(text)
    digits = text[2:]
    is_plain = digits in (digits.lower(), digits.upper())
    return address if is_plain or text == address else None


def _validated(text: str) -> str:
    address = _parsed(text)
    if address is None:
        raise ValueError(f"expected {EXPECTED}")
    return address


Address = Annotated[str, AfterValidator(_validated)]
"""A pydantic field that holds an address in its checksummed form."""
