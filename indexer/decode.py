"""Decode events by layouts made from the ABI.

Static words are cut by one `struct` call an event, which is several times faster than a general ABI decoder; an event
with a dynamic argument goes through `eth_abi`.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from protocol.abi import AbiEntry, canonical_type

Arguments = tuple[Any, ...]
Decoder = Callable[[bytes, bytes], Arguments]

WORD = 32
_UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
_SIGNED = {1: "b", 2: "h", 4: "i", 8: "q"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One word of an event: a scalar argument, or a scalar member of a struct argument."""

    name: str
    type: str


def leaves(argument: AbiEntry) -> Iterator[Leaf]:
    """List the scalars of an argument in ABI order; members of a struct are named `argument.member`."""
    if argument["type"] != "tuple":
        yield Leaf(argument["name"], argument["type"])
        return
    for member in argument["components"]:
        for leaf in leaves(member):
            yield Leaf(f"{argument['name']}.{leaf.name}", leaf.type)


def leaf_names(event: AbiEntry) -> tuple[str, ...]:
    """Name the positions of what the event's decoder returns."""
    return tuple(leaf.name for argument in event["inputs"] for leaf in leaves(argument))


def decoder(event: AbiEntry) -> Decoder:
    """Make a function of (topics, data) that gives the arguments flat, in the ABI's order; the first topic is skipped.

    Addresses, bytesN and strings become bytes, integers int. The function raises `ValueError` when lengths do not fit.
    """
    indexed = [argument for argument in event["inputs"] if argument["indexed"]]
    unindexed = [argument for argument in event["inputs"] if not argument["indexed"]]
    names = leaf_names(event)
    in_log_order = [leaf for argument in (*indexed, *unindexed) for leaf in leaves(argument)]
    order = [[leaf.name for leaf in in_log_order].index(name) for name in names]
    if all(_format(leaf.type) for leaf in in_log_order):
        cut = _static([leaf.type for leaf in in_log_order])
    else:
        cut = _dynamic(indexed, unindexed)
    if order == list(range(len(order))):
        return cut
    permute = itemgetter(*order)
    return lambda topics, data: permute(cut(topics, data))


def _format(abi_type: str) -> str | None:
    """Return the `struct` format of one word, or None for a type that is not one word."""
    if abi_type == "address":
        return "12x20s"
    if abi_type == "bool":
        return "31x?"
    if abi_type.startswith("bytes") and abi_type[5:].isdigit():
        size = int(abi_type[5:])
        return f"{size}s{WORD - size}x"
    for prefix, codes in (("uint", _UNSIGNED), ("int", _SIGNED)):
        if abi_type.startswith(prefix) and abi_type[len(prefix) :].isdigit():
            size = int(abi_type[len(prefix) :]) // 8
            # Signed words are sign-extended, so an odd size can only be read whole.
            width = size if prefix == "uint" or size in codes else WORD
            return f"{WORD - width}x{codes.get(width, f'{width}s')}"
    return None


def _static(types: Sequence[str]) -> Decoder:
    formats = [_format(abi_type) or "" for abi_type in types]
    layout = struct.Struct(f">{WORD}x" + "".join(formats))
    wide = [
        (position, partial(int.from_bytes, signed=True) if abi_type.startswith("int") else int.from_bytes)
        for position, (abi_type, code) in enumerate(zip(types, formats, strict=True))
        if "int" in abi_type and code.endswith("s")
    ]
    unpack = layout.unpack

    def cut(topics: bytes, data: bytes) -> Arguments:
        try:
            values = unpack(topics + data)
        except struct.error as error:
            size = len(topics) + len(data) - WORD
            raise ValueError(f"{size} bytes, expected {layout.size - WORD}") from error
        if not wide:
            return values
        arguments = list(values)
        for position, number in wide:
            arguments[position] = number(arguments[position])
        return tuple(arguments)

    return cut


def _dynamic(indexed: Sequence[AbiEntry], unindexed: Sequence[AbiEntry]) -> Decoder:
    # An indexed argument of dynamic type is in the log as its hash alone.
    topic_types = [argument["type"] if _format(argument["type"]) else "bytes32" for argument in indexed]
    # No contract sees to it that a string is UTF-8: whoever sends one may put any bytes in it.
    data_types = [canonical_type(argument).replace("string", "bytes") for argument in unindexed]

    def cut(topics: bytes, data: bytes) -> Arguments:
        # It takes a tenth of the indexer's start to load, and few chains hold such an event.
        from eth_abi.abi import decode as abi_decode  # noqa: PLC0415
        from eth_abi.exceptions import DecodingError  # noqa: PLC0415

        try:
            values = (*abi_decode(topic_types, topics[WORD:]), *abi_decode(data_types, data))
        except (DecodingError, OverflowError) as error:
            raise ValueError(str(error)) from error
        return tuple(_flat(values, (*topic_types, *data_types)))

    return cut


def _flat(values: Sequence[Any], types: Sequence[str]) -> Iterator[Any]:
    for value, abi_type in zip(values, types, strict=True):
        if abi_type.startswith("(") and abi_type.endswith(")"):
            yield from _members(value)
        else:
            yield _scalar(value)


def _members(value: Any) -> Iterator[Any]:
    for member in value:
        if isinstance(member, tuple):
            yield from _members(member)
        else:
            yield _scalar(member)


def _scalar(value: Any) -> Any:
    """Return a value or an array as we have it: what `eth_abi` writes as text is an address."""
    if isinstance(value, tuple):
        return tuple(_scalar(item) for item in value)
    return bytes.fromhex(value[2:]) if isinstance(value, str) else value
