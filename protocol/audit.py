"""What an auditor seals, opens and leaves behind as its reasons, exactly as AuditCourt and its panels have it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from pydantic import Field, TypeAdapter

from protocol.documents import Count, Document, ModelReference, TaskId, parse_as

_TYPES = ("bytes32", "uint8", "address", "bool", "bytes32", "bytes32")

Thousandths = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A vote, as `IPanel.Ballot`. `evidence` is the digest of a document on IPFS, or 32 zero bytes."""

    valid: bool
    evidence: bytes
    salt: bytes

    def as_tuple(self) -> tuple[bool, bytes, bytes]:
        """Return the fields in ABI order, as web3 takes a struct."""
        return (self.valid, self.evidence, self.salt)


def seal(task_id: bytes, round_: int, node: str, ballot: Ballot) -> bytes:
    """Hash a vote, bound to its case, round and voter, as `AuditCourt.sealOf`; 32 bytes."""
    return keccak(encode(_TYPES, (task_id, round_, node, *ballot.as_tuple())))


class AuditScores(Document):
    """Probes in three numbers, in thousandths: two shares of 1, and the mean distance in nats, see `runner.verification.verdict`."""

    same_choice: Thousandths
    within: Thousandths
    distance: Thousandths


class AuditEvidence(Document):
    """Why an auditor voted as it did: what it found, and where it probed, so that anybody with the model can repeat it."""

    kind: Literal["audit-evidence"] = "audit-evidence"
    version: Literal[1] = 1
    task: TaskId
    round: Count
    model: ModelReference
    finding: Annotated[str, Field(pattern=r"^[a-z]{1,32}$")]
    positions: tuple[Count, ...] = Field(default=(), max_length=64)
    scores: AuditScores | None = None


_EVIDENCE: TypeAdapter[AuditEvidence] = TypeAdapter(AuditEvidence)


def parse_evidence(content: bytes) -> AuditEvidence:
    """Read an auditor's reasons; `InputError` names the field that is wrong, `ContentTooLarge`."""
    return parse_as(_EVIDENCE, content)
