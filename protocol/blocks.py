"""Heads, blocks and logs for who asks at every block: the node's words, parsed without web3's formatters.

Those cost several times what the call itself does, and look at each field of a block for the two that are wanted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from protocol.chain import Chain
from protocol.errors import RpcUnavailable

Log = Mapping[str, Any]
"""A log with the fields that web3 gives it, so that its contracts' events decode it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A block: its height, its hash and its parent's in hex, and the Bloom filter over what its logs name (256 bytes)."""

    number: int
    hash: str
    parent: str
    bloom: bytes


async def block_at(chain: Chain, height: int | str = "latest") -> Head:
    """Read a block; `RpcUnavailable`, also when the node has none at that height."""
    wanted = hex(height) if isinstance(height, int) else height
    found = await _ask(chain, "eth_getBlockByNumber", [wanted, False])
    if found is None or found["number"] is None or found["hash"] is None:
        raise RpcUnavailable(
            f"the chain's node has no block {height}", hint="It may be catching up; ask again in a while."
        )
    return Head(
        number=int(found["number"], 16),
        hash=found["hash"].lower(),
        parent=found["parentHash"].lower(),
        bloom=bytes.fromhex((found.get("logsBloom") or "0x").removeprefix("0x")),
    )


async def logs_between(
    chain: Chain, first: int, last: int, *, addresses: Sequence[str], topics: Sequence[object] = ()
) -> list[Log]:
    """List what contracts said in blocks `first` to `last`, which one query may span. `RpcUnavailable`."""
    query = {
        "fromBlock": hex(first),
        "toBlock": hex(last),
        "address": list(addresses),
        "topics": list(topics),
    }
    logs = [_log(entry) for entry in await _ask(chain, "eth_getLogs", [query])]
    if not all(first <= log["blockNumber"] <= last and log["address"] in addresses for log in logs):
        raise RpcUnavailable(
            "the chain's node answered eth_getLogs with what was not asked for",
            hint="Check that FILECOIN_RPC names a sound node of the deployment's chain.",
        )
    return sorted(logs, key=lambda log: (log["blockNumber"], log["logIndex"]))


async def _ask(chain: Chain, method: str, parameters: list[object]) -> Any:
    reply = await chain.w3.provider.make_request(method, parameters)
    if "error" in reply:
        raise RpcUnavailable(
            f"the chain's node refused {method}: {reply['error']['message']}",
            hint="Check that FILECOIN_RPC names a sound node of the deployment's chain.",
        )
    return reply["result"]


def _log(entry: Mapping[str, Any]) -> Log:
    return {
        "address": to_checksum_address(entry["address"]),
        "topics": [HexBytes(topic) for topic in entry["topics"]],
        "data": HexBytes(entry["data"]),
        "blockNumber": int(entry["blockNumber"], 16),
        "blockHash": HexBytes(entry["blockHash"]),
        "transactionHash": HexBytes(entry["transactionHash"]),
        "transactionIndex": int(entry["transactionIndex"], 16),
        "logIndex": int(entry["logIndex"], 16),
    }
