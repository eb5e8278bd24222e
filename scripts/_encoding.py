"""Calls as the bytes that other contracts carry: what a proposal or a multicall is made of."""

from functools import cache
from typing import Any, cast

from eth_abi.abi import encode
from eth_typing import ABIFunction
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector

from protocol.abi import AbiEntry, load_abi


@cache
def function_of(contract: str, method: str) -> AbiEntry:
    """Return the ABI entry of the one function called `method`."""
    (found,) = (e for e in load_abi(contract) if e["type"] == "function" and e["name"] == method)
    return found


def selector(contract: str, method: str) -> bytes:
    """Return the four bytes that a call of `method` begins with."""
    return bytes(function_abi_to_4byte_selector(cast(ABIFunction, function_of(contract, method))))


def encode_call(contract: str, method: str, *arguments: Any) -> bytes:
    """Encode a call; structs are tuples in the ABI's order."""
    kinds = [collapse_if_tuple(item) for item in function_of(contract, method)["inputs"]]
    return selector(contract, method) + encode(kinds, arguments)
