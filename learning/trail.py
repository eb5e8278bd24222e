"""The list that leads from a training's committed root to each of its checkpoints: what an auditor reads first."""

from collections.abc import Sequence
from dataclasses import dataclass

from learning import merkle
from learning.errors import EvidenceError

_TAG = b"parity/trail/v1\0"
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """One checkpoint: its leaf in the committed tree, and the digest by which its bytes are found; 32 bytes each."""

    leaf: bytes
    place: bytes


def write_trail(marks: Sequence[Mark]) -> bytes:
    """Write a trail, in the order of the checkpoints."""
    return _TAG + b"".join(mark.leaf + mark.place for mark in marks)


def read_trail(content: bytes, *, root: bytes, checkpoints: int) -> tuple[Mark, ...]:
    """Read the trail of a training that was committed as `root`; raises `EvidenceError` for anything else."""
    body = content[len(_TAG) :]
    if not content.startswith(_TAG) or len(body) != 2 * _DIGEST * checkpoints:
        raise EvidenceError("not a list of this training's checkpoints", field="trail")
    cut = [body[start : start + _DIGEST] for start in range(0, len(body), _DIGEST)]
    marks = tuple(Mark(leaf, place) for leaf, place in zip(cut[::2], cut[1::2], strict=True))
    if merkle.root([mark.leaf for mark in marks]) != root:
        raise EvidenceError("leads to another root than was committed to", field="trail")
    return marks
