"""Views of one contract as of one block, by name."""

from collections.abc import Mapping
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types

from indexer.chain import ChainReader
from indexer.events import address_bytes
from protocol.abi import AbiEntry, canonical_type, load_abi

Facts = Mapping[str, Any]


class Contract:
    """Views of one contract as of one block."""

    def __init__(self, chain: ChainReader, name: str, address: str, *, block: int) -> None:
        self._chain = chain
        self._address = address_bytes(address)
        self._block = block
        self._functions: dict[str, AbiEntry] = {
            entry["name"]: entry for entry in load_abi(name) if entry["type"] == "function"
        }

    async def read(self, name: str, *args: Any) -> Facts:
        """Call a view; gives the members of the struct it returns, or its outputs, by name."""
        entry = self._functions[name]
        payload = bytes(function_abi_to_4byte_selector(entry)) + abi_encode(get_abi_input_types(entry), args)  # type: ignore[arg-type]
        answer = await self._chain.call(self._address, payload, block=self._block)
        outputs = entry["outputs"]
        values = abi_decode([canonical_type(output) for output in outputs], answer)
        if len(outputs) == 1 and outputs[0]["type"] == "tuple":
            return dict(zip((member["name"] for member in outputs[0]["components"]), values[0], strict=True))
        return dict(zip((output["name"] or "value" for output in outputs), values, strict=True))
