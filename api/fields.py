"""Validated values of requests: anything of the wrong form is refused before the database is read."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from api.graphql.scalars import read_address, read_bytes32, write_address, write_hex
from protocol.errors import InputError

M = TypeVar("M", bound=BaseModel)

_NUMBER_SCHEMA = {"type": "string", "pattern": "^[0-9]{1,78}$"}
_CAMEL_CASE = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, validate_by_alias=True)


def _checked_address(value: object) -> str:
    return write_address(_said(read_address, value))


def _checked_hash(value: object) -> str:
    return write_hex(_said(read_bytes32, value))


def _said(read: Any, value: object) -> bytes:
    try:
        content: bytes = read(value)
    except Exception as error:
        # A border: the scalars' own errors are GraphQL's, and pydantic wants a ValueError.
        raise ValueError(str(error)) from error
    return content


def _number(bits: int) -> Any:
    def read(value: object) -> int:
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= 78 and int(text) < 2**bits):
            raise ValueError(f"expected a whole number below 2^{bits} as a decimal string")
        return int(text)

    return Annotated[int, BeforeValidator(read), Field(json_schema_extra={**_NUMBER_SCHEMA})]


AddressIn = Annotated[
    str,
    BeforeValidator(_checked_address),
    Field(pattern="^0x[0-9a-fA-F]{40}$", examples=["0x" + "00" * 20]),
]
HashIn = Annotated[
    str, BeforeValidator(_checked_hash), Field(pattern="^0x[0-9a-f]{64}$", examples=["0x" + "00" * 32])
]
AmountIn = Annotated[str, Field(pattern="^[0-9]{1,29}$", description="USDFC base units (10^-18 USDFC)")]
HexIn = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$", max_length=20_000)]
Uint64 = _number(64)
Uint96 = _number(96)
Uint128 = _number(128)
Uint256 = _number(256)
HeightIn = Annotated[int, Field(ge=0, le=2**40 - 1)]


class Parameters(BaseModel):
    """What every request's parameters share: camelCase, and nothing unknown."""

    model_config = _CAMEL_CASE


class NoParameters(Parameters):
    """None."""


class Body(BaseModel):
    """What every request's body shares: camelCase, and nothing unknown."""

    model_config = _CAMEL_CASE


def bytes_of(text: str | None) -> bytes:
    """Read checked hex; nothing of nothing."""
    return bytes.fromhex((text or "0x")[2:])


def as_json(message: Mapping[str, object]) -> dict[str, object]:
    """Write a message for browsers: a large JSON number would be rounded there, and another one signed."""
    return {
        name: str(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 2**32
        else "0x" + value.hex()
        if isinstance(value, bytes)
        else value
        for name, value in message.items()
    }


def checked(model: type[M], document: object, *, place: str | None) -> M:
    """Read a document into a model; `InputError` names the first field that is wrong."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or place or "request"
        message = first["msg"].removeprefix("Value error, ")
        hint = (
            "Remove it." if first["type"] == "extra_forbidden" else "See /openapi.json for what is expected."
        )
        raise InputError(f"{name}: {message}", field=name, hint=hint) from None
