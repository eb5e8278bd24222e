"""The contracts' ABIs as `protocol/abi/*.json` has them, and lookups by selector and topic."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from eth_typing import ABIError, ABIEvent
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

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


@cache
def event_topics() -> Mapping[str, Mapping[bytes, EventAbi]]:
    """Map each contract's name and first topic to the event; topics alone may repeat between contracts."""
    return {
        contract: {
            topic: EventAbi(contract=contract, name=entry["name"], topic=topic, entry=entry)
            for entry in load_abi(contract)
            if entry["type"] == "event"
            for topic in (bytes(event_abi_to_log_topic(cast(ABIEvent, entry))),)
        }
        for contract in CONTRACTS
    }


@cache
def errors_by_selector() -> Mapping[bytes, AbiEntry]:
    """Map each custom error's 4-byte selector to its ABI entry, over all contracts and tokens."""
    return {
        bytes(function_abi_to_4byte_selector(cast(ABIError, entry))): entry
        for contract in (*CONTRACTS, TOKEN, BEACON, *GOVERNANCE)
        for entry in load_abi(contract)
        if entry["type"] == "error"
    }
