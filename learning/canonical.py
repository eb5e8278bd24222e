"""One spelling for every document, so that equal documents have equal digests.

RFC 8785 JSON restricted to text, whole numbers, booleans, null, lists and objects. Decimal numbers are text ("0.1"): how a
floating-point number is printed is then no question.
"""

import hashlib
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

import rfc8785
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from learning.errors import ConfigError

MAX_DOCUMENT_BYTES = 256 * 1024
"""What fits in one block of content, so that the SHA-256 digest of the bytes is the content's identifier."""


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic turns ValueError alone into a field error
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError:
        raise ValueError("expected a number") from None
    if not number.is_finite():
        raise ValueError("expected a finite number")
    if len(number.as_tuple().digits) > 18 or abs(number.adjusted()) > 18:
        raise ValueError("expected at most 18 digits")
    return number


def plain(number: Decimal) -> str:
    """Spell a number without exponent or trailing zeros: 0.10 and 1E-1 are both "0.1"."""
    spelled = format(number.normalize() + 0, "f")
    return "0" if spelled == "-0" else spelled


Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(plain, return_type=str)]
"""A decimal number, exact; text, whole and floating-point numbers are taken, text is written."""


class Document(BaseModel):
    """A frozen document whose unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Read a document; `ConfigError` names the field that is wrong."""
        if len(content) > MAX_DOCUMENT_BYTES:
            raise ConfigError(f"more than {MAX_DOCUMENT_BYTES} bytes", field="document")
        try:
            return _spelled(cls.model_validate_json(content))
        except ValidationError as error:
            raise config_error(error) from None

    @classmethod
    def build(cls, fields: dict[str, Any]) -> Self:
        """Check fields that come from a person; `ConfigError` names the one that is wrong."""
        try:
            return _spelled(cls.model_validate(fields))
        except ValidationError as error:
            raise config_error(error) from None

    def canonical(self) -> bytes:
        """Return the one spelling of this document."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    def digest(self) -> bytes:
        """Return the SHA-256 digest of the canonical bytes, 32 bytes: what the chain holds."""
        return hashlib.sha256(self.canonical()).digest()


D = TypeVar("D", bound=Document)


def _spelled(document: D) -> D:
    """Pass on a document that can be written: whole numbers of 2**53 and more have no spelling that everybody reads alike."""
    try:
        document.canonical()
    except rfc8785.CanonicalizationError as error:
        raise ConfigError(f"cannot be written: {error}", field="document") from None
    return document


def config_error(error: ValidationError) -> ConfigError:
    """Turn pydantic's first complaint into ours, with the path of the field."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "document"
    return ConfigError(first["msg"].removeprefix("Value error, "), field=field)
