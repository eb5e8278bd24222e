"""The contracts' ABIs as `protocol/abi/*.json` has them, and lookups by selector and topic.

The hashes of signatures are read from `protocol/identifiers.json`, which `make abi` writes with the ABIs: to compute them
at every start would load a Keccak implementation and most of `eth_utils` into each process.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from protocol.errors import ConfigError

CONTRACTS = (
    "StakeWallet",
    "RunnerReputation",
    "TaskEscrow",
    "SessionCharter",
    "FederatedLearning",
    "PeerMonitoring",
    "AuditCourt",
)
"""The contracts of a deployment, by the names of their ABI files."""

TOKEN = "TestUSDFC"  # noqa: S105 (a currency)
"""The USDFC token: the local stand-in's ABI holds all that Parity uses of the real one."""
BEACON = "IBeacon"
GOVERNANCE = ("ParityToken", "ParityGovernor", "ParityTimelock", "ParityAccessManager")
"""Who may change the rules; nothing of theirs is needed to order, do or pay for work."""

SPEAKING = (*CONTRACTS, "ParityGovernor")
"""The contracts whose events are kept: all that happens to money, work and reputation, and how its rules are changed."""

AbiEntry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventAbi:
    """One event of one contract."""

    contract: str
    name: str
    topic: bytes
    entry: AbiEntry


@cache
def load_abi(contract: str) -> list[dict[str, Any]]:
    """Read a contract's ABI, such as `load_abi("TaskEscrow")`. Callers must not change what it returns."""
    try:
        text = files("protocol").joinpath("abi", f"{contract}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"no ABI of {contract}", hint="Run `make abi` to export the contracts' ABIs."
        ) from None
    abi: list[dict[str, Any]] = json.loads(text)
    return abi


def canonical_type(argument: AbiEntry) -> str:
    """Write an argument's type as signatures have it, structs as tuples of their members: `(address,uint96)[]`."""
    kind: str = argument["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(canonical_type(member) for member in argument['components'])}){kind[5:]}"


def signature(entry: AbiEntry) -> str:
    """Write the signature of an event, error or function, such as `Moved(bytes32,address,uint96,uint96,uint96)`."""
    return f"{entry['name']}({','.join(canonical_type(argument) for argument in entry['inputs'])})"


@cache
def _identifiers() -> Mapping[str, Mapping[str, str]]:
    """Read topics of events and selectors of errors, in hex, by signature."""
    found: dict[str, dict[str, str]] = json.loads(
        files("protocol").joinpath("identifiers.json").read_text(encoding="utf-8")
    )
    return found


@cache
def event_topics() -> Mapping[str, Mapping[bytes, EventAbi]]:
    """Map each contract's name and first topic to the event; topics alone may repeat between contracts."""
    topics = _identifiers()["events"]
    return {
        contract: {
            topic: EventAbi(contract=contract, name=entry["name"], topic=topic, entry=entry)
            for entry in load_abi(contract)
            if entry["type"] == "event"
            for topic in (bytes.fromhex(topics[signature(entry)]),)
        }
        for contract in SPEAKING
    }


@cache
def errors_by_selector() -> Mapping[bytes, AbiEntry]:
    """Map each custom error's 4-byte selector to its ABI entry, over all contracts and tokens."""
    selectors = _identifiers()["errors"]
    return {
        bytes.fromhex(selectors[signature(entry)]): entry
        for contract in (*CONTRACTS, TOKEN, BEACON, *GOVERNANCE)
        for entry in load_abi(contract)
        if entry["type"] == "error"
    }
