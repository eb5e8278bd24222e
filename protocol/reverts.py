"""Contract errors in people's words: what was refused, with the figures, and what to do about it."""

import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from web3.exceptions import ContractLogicError

from protocol.abi import AbiEntry, errors_by_selector
from protocol.enums import AuditStage, ProposalState, Ruling, SessionPhase, TaskStatus
from protocol.errors import TransactionReverted
from protocol.money import format_usdfc
from protocol.revert_sentences import SENTENCES

_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_PANICS = {
    0x01: "a failed assertion",
    0x11: "an arithmetic overflow",
    0x12: "a division by zero",
    0x32: "a wrong index",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """A decoded revert: the error's name and arguments, a sentence, and what to do."""

    name: str
    arguments: Mapping[str, object]
    message: str
    hint: str | None

    def as_error(self) -> TransactionReverted:
        """Return it as an exception."""
        return TransactionReverted(self.name, self.arguments, self.message, hint=self.hint)


def explain(revert_data: bytes | str | None) -> Revert:
    """Decode what a contract reverted with. It never fails: unknown data is said to be unknown."""
    data = _to_bytes(revert_data)
    selector, body = data[:4], data[4:]
    try:
        if selector == _ERROR_STRING:
            (reason,) = decode(["string"], body)
            return Revert(name="Error", arguments={"reason": reason}, message=str(reason), hint=None)
        if selector == _PANIC:
            (code,) = decode(["uint256"], body)
            what = _PANICS.get(code, f"panic {code:#x}")
            return _plain("Panic", {"code": code}, f"The contract stopped itself: {what}.")
        entry = errors_by_selector().get(selector)
        if entry is not None:
            return _custom(entry, body)
    except DecodingError:
        pass
    if not data:
        return _plain("Unknown", {}, "The contract refused without saying why.")
    return _plain(
        "Unknown",
        {"data": "0x" + data.hex()},
        f"The contract refused with the unknown error 0x{selector.hex()}.",
    )


@contextmanager
def decoded_reverts() -> Iterator[None]:
    """Turn web3's revert exceptions into `TransactionReverted`."""
    try:
        yield
    except ContractLogicError as error:
        raise revert_of(error).as_error() from error


def revert_of(error: ContractLogicError) -> Revert:
    """Decode the revert that web3 raised."""
    data = error.data if isinstance(error.data, str) else None
    revert = explain(data)
    if revert.name == "Unknown" and not data and error.message:
        return _plain("Unknown", {}, str(error.message))
    return revert


def _custom(entry: AbiEntry, body: bytes) -> Revert:
    inputs = entry["inputs"]
    values = decode([collapse_if_tuple(item) for item in inputs], body)
    arguments = {
        item["name"]: to_checksum_address(value) if item["type"] == "address" else value
        for item, value in zip(inputs, values, strict=True)
    }
    name = str(entry["name"])
    if name not in SENTENCES:
        return _plain(name, arguments, f"The contract refused: {name}.")
    sentence, hint = SENTENCES[name]
    write = _Writer().vformat
    return Revert(
        name=name,
        arguments=arguments,
        message=write(sentence, (), arguments),
        hint=write(hint, (), arguments),
    )


def _plain(name: str, arguments: Mapping[str, object], message: str) -> Revert:
    return Revert(
        name=name, arguments=arguments, message=message, hint="Report it, with the transaction's details."
    )


def _to_bytes(data: bytes | str | None) -> bytes:
    if isinstance(data, str):
        try:
            return bytes.fromhex(data.removeprefix("0x"))
        except ValueError:
            return b""
    return bytes(data or b"")


class _Writer(string.Formatter):
    """Writes `{name:usdfc}` as an amount, `{name:status}` as a phase, `{name:text}` as bytes32 text, and so on."""

    def format_field(self, value: Any, format_spec: str) -> str:
        write = _WRITERS.get(format_spec)
        return write(value) if write else str(super().format_field(value, format_spec))


def _member(kind: type[IntEnum], value: int) -> str:
    return kind(value).name.lower() if value < len(kind) else str(value)


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "usdfc": lambda value: f"{format_usdfc(value)} USDFC",
    "votes": lambda value: f"{format_usdfc(value)} votes",  # as many decimals as USDFC
    "status": lambda value: _member(TaskStatus, value),
    "phase": lambda value: _member(SessionPhase, value),
    "ruling": lambda value: _member(Ruling, value),
    "stage": lambda value: _member(AuditStage, value),
    "proposal": lambda value: _member(ProposalState, value),
    "text": lambda value: bytes(value).rstrip(b"\0").decode("utf-8", errors="replace"),
    "hex": lambda value: "0x" + bytes(value).hex(),
}
