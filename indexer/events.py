"""Events of the deployment: raw logs as the node gives them, as the database keeps them, and decoded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import msgspec

from indexer.decode import Arguments, Decoder, decoder, leaf_names
from indexer.errors import FoldError
from protocol.abi import event_topics
from protocol.deployment import Deployment

TOPIC = 32


class Log(msgspec.Struct, frozen=True, gc=False):
    """A raw event; the fields are the columns of the table `logs`, in their order."""

    block_number: int
    tx_index: int
    log_index: int
    block_hash: bytes
    block_time: datetime
    tx_hash: bytes
    address: bytes
    topics: bytes
    data: bytes

    @property
    def where(self) -> str:
        """Return which event of the chain this is, for people."""
        return f"block {self.block_number}, transaction 0x{self.tx_hash.hex()}, log {self.log_index}"

    @property
    def position(self) -> tuple[int, int, int]:
        """Order of the chain."""
        return (self.block_number, self.tx_index, self.log_index)


@dataclass(frozen=True, slots=True, eq=False)
class EventType:
    """One event of one contract, with its decoder; `fields` name what the decoder returns.

    Each is equal to itself alone: every event looks things up by its type, and to hash all that is in it would take longer.
    """

    contract: str
    name: str
    fields: tuple[str, ...]
    decode: Decoder


class Event(msgspec.Struct, frozen=True, gc=False):
    """A decoded event; `args` in the ABI's order, members of structs flat."""

    type: EventType
    log: Log
    args: Arguments

    def named(self) -> dict[str, Any]:
        """Return the arguments by name, for messages."""
        return dict(zip(self.type.fields, self.args, strict=True))


@cache
def event_types() -> Mapping[str, Mapping[bytes, EventType]]:
    """Map each contract's name and first topic to the event."""
    return {
        contract: {
            topic: EventType(contract, event.name, leaf_names(event.entry), decoder(event.entry))
            for topic, event in topics.items()
        }
        for contract, topics in event_topics().items()
    }


_NO_EVENTS: Mapping[bytes, EventType] = {}


class EventBook:
    """Which addresses speak, and what they may say."""

    def __init__(self, contracts: Mapping[bytes, str]) -> None:
        by_contract = event_types()
        self.addresses = tuple(contracts)
        self.contracts = dict(contracts)
        self._types = {address: by_contract[contract] for address, contract in contracts.items()}

    @classmethod
    def of(cls, deployment: Deployment) -> "EventBook":
        """Make the book of the contracts of a deployment whose events are folded."""
        return cls(
            {
                address_bytes(deployment.stake_wallet): "StakeWallet",
                address_bytes(deployment.runner_reputation): "RunnerReputation",
                address_bytes(deployment.task_escrow): "TaskEscrow",
                address_bytes(deployment.session_charter): "SessionCharter",
                address_bytes(deployment.federated_learning): "FederatedLearning",
                address_bytes(deployment.peer_monitoring): "PeerMonitoring",
                address_bytes(deployment.audit_court): "AuditCourt",
                address_bytes(deployment.governor): "ParityGovernor",
            }
        )

    def decode(self, log: Log) -> Event:
        """Decode one log; `FoldError` when the ABI does not know it."""
        (event,) = self.decode_all([log])
        return event

    def decode_all(self, logs: Iterable[Log]) -> list[Event]:
        """Decode logs in their order; `FoldError` for one that the ABI does not know."""
        types = self._types
        events: list[Event] = []
        for log in logs:
            event_type = types.get(log.address, _NO_EVENTS).get(log.topics[:TOPIC])
            if event_type is None:
                raise _unknown(log)
            try:
                events.append(Event(event_type, log, event_type.decode(log.topics, log.data)))
            except ValueError as error:
                raise FoldError(
                    f"{event_type.contract}.{event_type.name} at {log.where} cannot be decoded: {error}",
                    hint="The contracts and this indexer's ABI differ: upgrade it, or distrust the node.",
                ) from error
        return events


def _unknown(log: Log) -> FoldError:
    return FoldError(
        f"unknown event at {log.where}: contract 0x{log.address.hex()}, topic 0x{log.topics[:TOPIC].hex()}",
        hint="The contracts are newer than this indexer: upgrade it.",
    )


def address_bytes(address: str) -> bytes:
    """Return the 20 bytes of a hex address."""
    return bytes.fromhex(address.removeprefix("0x"))


@lru_cache(maxsize=4096)
def block_time(seconds: int) -> datetime:
    """Return a block's time; cached because all events of a block share it."""
    return datetime.fromtimestamp(seconds, UTC)
