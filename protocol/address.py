"""Addresses: 20 bytes as checksummed hex. A mixed-case address whose checksum is wrong was mistyped."""

from typing import Annotated

from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address
from pydantic import AfterValidator

from protocol.errors import InputError

EXPECTED = "an address: 0x and 40 hex digits, with the right checksum if mixed case"


def parse_address(text: object, *, field: str = "address") -> str:
    """Give an address in its checksummed form; `InputError` names `field`."""
    address = _parsed(text)
    if address is None:
        raise InputError(
            f"{field}: expected {EXPECTED}", field=field, hint="Copy it anew from where it is shown."
        )
    return address


def _parsed(text: object) -> str | None:
    if not isinstance(text, str) or not text.startswith("0x") or not is_hex_address(text):
        return None
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        return None
    return str(to_checksum_address(text))


def _validated(text: str) -> str:
    address = _parsed(text)
    if address is None:
        raise ValueError(f"expected {EXPECTED}")
    return address


Address = Annotated[str, AfterValidator(_validated)]
"""A pydantic field that holds an address in its checksummed form."""
