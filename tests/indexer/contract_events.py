"""Events as the contracts emit them: who is who on the model's chain, and the encoding."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import event_abi_to_log_topic

from protocol.abi import canonical_type, load_abi

ADDRESSES = {
    "StakeWallet": bytes.fromhex("a1" * 20),
    "RunnerReputation": bytes.fromhex("a2" * 20),
    "TaskEscrow": bytes.fromhex("a3" * 20),
    "SessionCharter": bytes.fromhex("a4" * 20),
    "FederatedLearning": bytes.fromhex("a5" * 20),
    "PeerMonitoring": bytes.fromhex("a6" * 20),
    "AuditCourt": bytes.fromhex("a7" * 20),
    "ParityGovernor": bytes.fromhex("a8" * 20),
}
TREASURY = bytes.fromhex("77" * 20)
DEAD = bytes.fromhex("000000000000000000000000000000000000dead")
PAYERS = [bytes([0x10 + i]) * 20 for i in range(3)]
OWNERS = [bytes([0x20 + i]) * 20 for i in range(4)]
NODES = [bytes([0x30 + i]) * 20 for i in range(4)]
ABI = {
    (contract, entry["name"]): entry
    for contract in ADDRESSES
    for entry in load_abi(contract)
    if entry["type"] == "event"
}


@dataclass
class Emitted:
    """One event before it has a place in a block."""

    address: bytes
    topics: list[bytes]
    data: bytes


def emitted(contract: str, name: str, *args: Any, text: str = "string") -> Emitted:
    """Encode an event as Solidity would; strings are given as `text`, which may be bytes."""
    entry = ABI[contract, name]
    topics = [bytes(event_abi_to_log_topic(entry))]
    types, values = [], []
    for argument, value in zip(entry["inputs"], args, strict=True):
        if argument["indexed"]:
            topics.append(encode([canonical_type(argument)], [value]))
        else:
            types.append(canonical_type(argument).replace("string", text))
            values.append(value)
    return Emitted(ADDRESSES[contract], topics, encode(types, values))
