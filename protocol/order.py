"""The order: what a client signs, and the whole of what a task may cost and how it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from protocol.address import parse_address
from protocol.enums import Mode
from protocol.errors import InputError
from protocol.money import is_whole_number

ORDER_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("client", "client", "address"),
    ("payer", "payer", "address"),
    ("reward", "reward", "uint96"),
    ("bond", "bond", "uint96"),
    ("input_price", "inputPrice", "uint96"),
    ("output_price", "outputPrice", "uint96"),
    ("params_id", "paramsId", "uint16"),
    ("replicas", "replicas", "uint8"),
    ("quorum", "quorum", "uint8"),
    ("mode", "mode", "uint8"),
    ("claim_by", "claimBy", "uint40"),
    ("retention", "retention", "uint32"),
    ("client_epoch", "clientEpoch", "uint64"),
    ("spec", "spec", "bytes32"),
    ("salt", "salt", "bytes32"),
)
"""Attribute, JSON and Solidity name, Solidity type; in ABI order."""

_AMOUNTS = {"reward", "bond", "inputPrice", "outputPrice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order, as `ITaskEscrow.Order`. Amounts are USDFC base units, prices per 1,000 tokens, heights blocks.

    Addresses are normalised to their checksummed form. Raises `InputError` naming a field out of its type's range.
    """

    client: str
    payer: str
    reward: int
    bond: int
    input_price: int
    output_price: int
    params_id: int
    replicas: int
    quorum: int
    mode: Mode = Mode.QUORUM
    claim_by: int
    retention: int
    client_epoch: int
    spec: bytes
    salt: bytes

    def __post_init__(self) -> None:
        for attribute, name, kind in ORDER_FIELDS:
            value = _checked(getattr(self, attribute), name=name, kind=kind)
            object.__setattr__(self, attribute, Mode(value) if attribute == "mode" else value)

    def as_tuple(self) -> tuple[object, ...]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def to_message(self) -> dict[str, object]:
        """Return the fields by Solidity name, as EIP-712 takes a message."""
        return {name: getattr(self, attribute) for attribute, name, _ in ORDER_FIELDS}

    def to_json(self) -> dict[str, object]:
        """Return the fields as JSON takes them: amounts as decimal strings, bytes as 0x hex."""
        return {name: _to_json(value, name=name) for name, value in self.to_message().items()}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read what `to_json` writes; `InputError` names the field that is missing, unknown or wrong."""
        names = {name for _, name, _ in ORDER_FIELDS}
        for name in sorted(document.keys() - names):
            raise InputError(f"order.{name}: unknown field", field=f"order.{name}", hint="Remove it.")
        for name in sorted(names - document.keys()):
            raise InputError(
                f"order.{name}: missing", field=f"order.{name}", hint="Include every field of the order."
            )
        return cls(
            **{
                attribute: _from_json(document[name], name=name, kind=kind)
                for attribute, name, kind in ORDER_FIELDS
            }
        )


def _checked(value: Any, *, name: str, kind: str) -> Any:
    if kind == "address":
        return parse_address(value, field=f"order.{name}")
    if kind == "bytes32":
        if not isinstance(value, bytes) or len(value) != 32:
            raise _wrong(name, expected="32 bytes (0x and 64 hex digits)")
        return bytes(value)
    limit = len(Mode) if name == "mode" else 2 ** int(kind.removeprefix("uint"))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise _wrong(name, expected=f"a whole number from 0 to {limit - 1}")
    return value


def _to_json(value: object, *, name: str) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if name in _AMOUNTS else int(value) if isinstance(value, int) else value


def _from_json(value: object, *, name: str, kind: str) -> Any:
    if name in _AMOUNTS:
        if not isinstance(value, str) or not is_whole_number(value):
            raise _wrong(name, expected="a decimal string of base units")
        return int(value)
    if kind == "bytes32":
        if not isinstance(value, str) or not value.startswith("0x"):
            raise _wrong(name, expected="32 bytes (0x and 64 hex digits)")
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            raise _wrong(name, expected="32 bytes (0x and 64 hex digits)") from None
    return value


def _wrong(name: str, *, expected: str) -> InputError:
    return InputError(f"order.{name}: expected {expected}", field=f"order.{name}", hint=f"Use {expected}.")
