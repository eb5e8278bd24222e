"""Decoders made from the ABI agree with the general ABI decoder."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.decode import decoder, leaf_names
from indexer.fold import FOLDS, WITHOUT_ROWS
from protocol.abi import canonical_type, event_topics

EVENTS = [(contract, event) for contract, topics in event_topics().items() for event in topics.values()]


def values_of(abi_type: str) -> st.SearchStrategy[Any]:
    if abi_type.startswith("uint"):
        return st.integers(0, 2 ** int(abi_type[4:]) - 1)
    if abi_type.startswith("int"):
        half = 2 ** (int(abi_type[3:]) - 1)
        return st.integers(-half, half - 1)
    if abi_type == "address":
        return st.binary(min_size=20, max_size=20)
    if abi_type == "bool":
        return st.booleans()
    if abi_type == "string":
        return st.text(max_size=40)
    size = abi_type.removeprefix("bytes")
    return st.binary(min_size=int(size or 0), max_size=int(size or 70))


def argument_of(argument: Any) -> st.SearchStrategy[Any]:
    if argument["type"] == "tuple":
        return st.tuples(*(argument_of(member) for member in argument["components"]))
    kind: str = argument["type"]
    return st.lists(values_of(kind[:-2]), max_size=5) if kind.endswith("[]") else values_of(kind)


def flat(value: Any) -> list[Any]:
    return [leaf for member in value for leaf in flat(member)] if isinstance(value, tuple) else [value]


def as_decoded(leaf: Any) -> Any:
    """A list becomes a tuple, and a string the bytes that it is on the chain."""
    if isinstance(leaf, list):
        return tuple(as_decoded(item) for item in leaf)
    return leaf.encode() if isinstance(leaf, str) else leaf


def check(entry: Any, arguments: tuple[Any, ...]) -> None:
    pairs = list(zip(entry["inputs"], arguments, strict=True))
    topics = b"".join(encode([canonical_type(i)], [value]) for i, value in pairs if i["indexed"])
    unindexed = [(canonical_type(i), value) for i, value in pairs if not i["indexed"]]
    data = encode([kind for kind, _ in unindexed], [value for _, value in unindexed])
    expected = [as_decoded(leaf) for leaf in flat(arguments)]
    assert list(decoder(entry)(bytes(32) + topics, data)) == expected
    assert len(leaf_names(entry)) == len(flat(arguments))


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=[f"{c}.{e.name}" for c, e in EVENTS])
@given(draw=st.data())
def test_every_event_decodes_as_the_abi_says(contract: str, event: Any, draw: st.DataObject) -> None:
    check(event.entry, draw.draw(st.tuples(*(argument_of(argument) for argument in event.entry["inputs"]))))


ODD_TYPES = ["int8", "int24", "int64", "int256", "uint24", "bool", "bytes4", "bytes", "string", "uint256"]


@settings(suppress_health_check=[HealthCheck.too_slow])  # as it is when the machine is busy
@given(kinds=st.lists(st.sampled_from(ODD_TYPES), min_size=1, max_size=5), draw=st.data())
def test_events_of_any_types_decode_as_the_abi_says(kinds: list[str], draw: st.DataObject) -> None:
    inputs = [{"name": f"a{i}", "type": kind, "indexed": False} for i, kind in enumerate(kinds)]
    check({"inputs": inputs}, draw.draw(st.tuples(*(values_of(kind) for kind in kinds))))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_data_of_another_length_is_refused(length: int) -> None:
    entry = {"inputs": [{"name": "amount", "type": "uint256", "indexed": False}]}
    with pytest.raises(ValueError, match="expected 32"):
        decoder(entry)(bytes(32), bytes(length))


def test_every_event_of_every_contract_is_folded_but_those_said_to_have_no_rows() -> None:
    assert {(contract, event.name) for contract, event in EVENTS if event.name not in WITHOUT_ROWS} == {
        (contract, name) for contract, folds in FOLDS.items() for name in folds
    }
