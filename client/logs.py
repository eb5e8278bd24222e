"""Reading the chain's event log, in spans that the network allows for one query."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from protocol.abi import event_topics
from protocol.chain import Chain

if TYPE_CHECKING:
    from web3.contract import AsyncContract


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One decoded event."""

    name: str
    arguments: dict[str, Any]
    address: str
    block: int
    transaction_hash: str
    index: int


@dataclass(frozen=True, slots=True)
class Span:
    """Blocks `first` to `last`, both included."""

    first: int
    last: int

    def parts(self, size: int) -> Iterable["Span"]:
        """Cut the span into parts of at most `size` blocks."""
        for first in range(self.first, self.last + 1, size):
            yield Span(first, min(first + size - 1, self.last))


async def read_events(
    chain: Chain,
    contract: str,
    *,
    names: Sequence[str],
    span: Span,
    reference: bytes | None = None,
    second_reference: bytes | None = None,
) -> list[Event]:
    """Read events of one contract ("StakeWallet", …) in block order.

    `reference` asks for events whose first indexed argument is that word, such as a task's id; `second_reference` for
    the second one. Raises `RpcUnavailable`.
    """
    source = _source(chain, contract)
    by_topic = {topic: abi.name for topic, abi in event_topics()[contract].items() if abi.name in names}
    topics: list[Any] = [["0x" + topic.hex() for topic in by_topic]]
    if reference is not None:
        topics.append("0x" + reference.hex())
    elif second_reference is not None:
        topics += [None, "0x" + second_reference.hex()]
    found: list[Event] = []
    for part in span.parts(chain.network.max_log_blocks):
        logs = await chain.w3.eth.get_logs(
            {"address": source.address, "topics": topics, "fromBlock": part.first, "toBlock": part.last}
        )
        found += [_decode(source, by_topic[bytes(log["topics"][0])], log) for log in logs]
    return found


def _decode(source: "AsyncContract", name: str, log: Any) -> Event:
    decoded = source.events[name]().process_log(log)
    return Event(
        name=name,
        arguments=dict(decoded["args"]),
        address=str(decoded["address"]),
        block=int(decoded["blockNumber"]),
        transaction_hash="0x" + bytes(decoded["transactionHash"]).hex(),
        index=int(decoded["logIndex"]),
    )


def _source(chain: Chain, contract: str) -> "AsyncContract":
    return {
        "StakeWallet": chain.wallet,
        "RunnerReputation": chain.reputation,
        "TaskEscrow": chain.escrow,
        "PeerMonitoring": chain.monitoring,
        "AuditCourt": chain.court,
        "FederatedLearning": chain.federated,
    }[contract]
