"""Who watches whom, when, and what a monitor commits to: computed here exactly as PeerMonitoring does.

A round is an epoch (its id is its number) or the judges' round of a challenge (its id is `challenge_round`). Heights are
blocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from protocol.enums import Level, ReportKind
from protocol.lottery import MAX_TICKET

MAX_TARGETS = 32
"""Reports in one reveal."""
NO_EVIDENCE = bytes(32)
_LEVELS = (
    (900_000, Level.DIAMOND),
    (800_000, Level.PLATINUM),
    (650_000, Level.GOLD),
    (500_000, Level.SILVER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a monitor says of one runner; `evidence` is the digest of a document on IPFS, or 32 zero bytes."""

    target: str
    kind: ReportKind
    evidence: bytes = NO_EVIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """All reports of a monitor in one round, in the order that the contract wants, with the salt that hid them."""

    reports: tuple[Report, ...]
    salt: bytes

    def as_arguments(self) -> tuple[list[str], list[int], list[bytes], bytes]:
        """Return what follows the round in `PeerMonitoring.revealReports`."""
        return (
            [report.target for report in self.reports],
            [int(report.kind) for report in self.reports],
            [report.evidence for report in self.reports],
            self.salt,
        )


def opening(reports: Iterable[Report], salt: bytes) -> Opening:
    """Order the reports by their targets' addresses, and leave out what is more than one reveal takes."""
    ordered = sorted(reports, key=lambda report: int(report.target, 16))
    return Opening(reports=tuple(ordered[:MAX_TARGETS]), salt=salt)


def commitment(round_: int, monitor: str, opened: Opening) -> bytes:
    """Hash an opening, bound to its round and monitor, as `PeerMonitoring.commitmentOf`; 32 bytes."""
    types = ("uint256", "address", "address[]", "uint8[]", "bytes32[]", "bytes32")
    return keccak(encode(types, (round_, monitor, *opened.as_arguments())))


def challenge_round(epoch: int, target: str) -> int:
    """Return the round in which a challenged verdict is judged, as `PeerMonitoring.challengeId`."""
    return int.from_bytes(keccak(encode(("uint256", "address"), (epoch, target))), "big")


def ticket(seed: int, target: str, monitor: str) -> int:
    """Draw a monitor's ticket for a target, as `PeerMonitoring.ticketOf`; `seed` is the round's 224 bits."""
    # As in `protocol.lottery.ticket`: written out, for each monitor draws for all targets.
    words = (bytes(12) + bytes.fromhex(node[2:]) for node in (target, monitor))
    return int.from_bytes(keccak(seed.to_bytes(32, "big") + b"".join(words)), "big")


def threshold(active: int, size: int) -> int:
    """Return the highest ticket that is drawn, as `PeerMonitoring.thresholdOf`: `size` monitors in expectation."""
    return MAX_TICKET if active <= size else MAX_TICKET // active * size


def targets_of(monitor: str, nodes: Iterable[str], *, seed: int, active: int, size: int) -> tuple[str, ...]:
    """Return the nodes that the beacon lets `monitor` watch, in the order of their addresses.

    Owners, ages and bans are the contract's to look at (`PeerMonitoring.isMonitorOf`), for these few.
    """
    highest = threshold(active, size)
    drawn = (node for node in nodes if node != monitor and ticket(seed, node, monitor) <= highest)
    return tuple(sorted(drawn, key=lambda node: int(node, 16)))


def level_of(score: int) -> Level:
    """Rank a decayed score in millionths, as `PeerMonitoring.levelOf`."""
    return next((level for least, level in _LEVELS if score >= least), Level.BRONZE)
