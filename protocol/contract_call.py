"""Reads of contracts, encoded and decoded by what is worked out once for each function.

web3 looks the function up in the ABI again for each call, twice, and hashes signatures on the way: most of what a read costs a
process that reads all day. What is sent, what comes back and what is raised are the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from web3._utils.method_formatters import get_error_formatters
from web3.exceptions import BadFunctionCallOutput
from web3.types import RPCEndpoint

from protocol.abi import AbiEntry, canonical_type, signature

if TYPE_CHECKING:
    from web3 import AsyncWeb3
    from web3.contract.async_contract import AsyncContractFunction

_CALL = RPCEndpoint("eth_call")
_KNOWN_ADDRESSES = 4_096

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one function is called: its selector, the types of what goes in and comes out, and what out-values become."""

    selector: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    converts: tuple[Convert | None, ...]


_codecs: dict[tuple[str, tuple[str, ...]], _Codec] = {}


async def read(
    w3: "AsyncWeb3[Any]", function: "AsyncContractFunction", *, sender: str | None, block: int | str
) -> Any:
    """Call a function without a transaction, and return what web3's own `call` does.

    Raises web3's exceptions: `ContractLogicError` for a revert, `Web3RPCError` for what else the node refuses, and
    `BadFunctionCallOutput` for an answer that is not the function's.
    """
    codec = _codec_of(function.abi)
    call = {"to": function.address, "data": _encoded(function, codec)}
    if sender:
        call["from"] = sender
    parameters = (call, hex(block) if isinstance(block, int) else block)
    response = await w3.provider.make_request(_CALL, parameters)
    if "error" in response:
        w3.manager.formatted_response(response, parameters, get_error_formatters(_CALL))
    data = bytes.fromhex(response["result"][2:])
    try:
        values = decode(codec.outputs, data)
    except DecodingError as error:
        raise BadFunctionCallOutput(
            f"{function.fn_name} answered {len(data)} bytes of something else"
        ) from error
    found = [
        convert(value) if convert else value for convert, value in zip(codec.converts, values, strict=True)
    ]
    return found[0] if len(found) == 1 else found


def _encoded(function: "AsyncContractFunction", codec: _Codec) -> str:
    if not function.kwargs:
        try:
            return codec.selector + encode(codec.inputs, function.args).hex()
        except EncodingError:
            pass
    # Names for arguments, and hex for bytes: web3 takes them too.
    return str(function._encode_transaction_data())  # noqa: SLF001 (it has no public way without a node)


def _codec_of(entry: AbiEntry) -> _Codec:
    outputs = entry["outputs"]
    # Functions of two contracts may be called the same and return different things.
    key = signature(entry), tuple(canonical_type(one) for one in outputs)
    if key not in _codecs:
        _codecs[key] = _Codec(
            selector="0x" + function_signature_to_4byte_selector(key[0]).hex(),
            inputs=tuple(canonical_type(one) for one in entry["inputs"]),
            outputs=key[1],
            converts=tuple(_convert(one["type"], one.get("components", ())) for one in outputs),
        )
    return _codecs[key]


def _convert(kind: str, members: Sequence[AbiEntry]) -> Convert | None:
    """Return what makes a value of this type what web3 makes of it: arrays lists, addresses checksummed; `None`: nothing."""
    if kind.endswith("]"):
        each = _convert(kind[: kind.rindex("[")], members)
        return list if each is None else lambda values: [each(one) for one in values]
    if kind == "tuple":
        converts = [_convert(one["type"], one.get("components", ())) for one in members]
        return _members(converts) if any(converts) else None
    return _checksummed if kind == "address" else None


def _members(converts: Sequence[Convert | None]) -> Convert:
    return lambda values: tuple(
        convert(value) if convert else value for convert, value in zip(converts, values, strict=True)
    )


@lru_cache(_KNOWN_ADDRESSES)
def _checksummed(address: str) -> str:
    return to_checksum_address(address)
