"""The way that a training took, committed to by one hash before anybody knows which part will be checked."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning import merkle
from learning.datasets import Dataset
from learning.errors import EvidenceError
from learning.trainer import Checkpoint, LocalTask, Trainer, deterministic
from learning.updates import Vector

_TAG = b"parity/checkpoint/v1\0"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One participant's finished training. `checkpoints` runs from the base model to the last step."""

    delta: Vector
    steps: int
    checkpoints: tuple[Checkpoint, ...]

    @property
    def trajectory(self) -> "Trajectory":
        """Return the hashes of the checkpoints."""
        return Trajectory(tuple(checkpoint_hash(checkpoint) for checkpoint in self.checkpoints))


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Hashes of the checkpoints in order. Its root is what is committed."""

    leaves: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """Return the Merkle root, 32 bytes."""
        return merkle.root(self.leaves)

    def proof(self, index: int) -> list[bytes]:
        """Return what shows that checkpoint `index` belongs to the root."""
        return merkle.proof(self.leaves, index)


def checkpoint_bytes(checkpoint: Checkpoint) -> bytes:
    """Write a checkpoint as it is hashed: tag, step, weights, then each vector of optimiser state by ascending name."""
    vectors = [checkpoint.weights, *(checkpoint.slots[name] for name in sorted(checkpoint.slots))]
    head = _TAG + struct.pack("<QQQ", checkpoint.step, len(vectors), len(checkpoint.weights))
    return head + b"".join(np.ascontiguousarray(vector, dtype="<f4").tobytes() for vector in vectors)


def read_checkpoint(content: bytes, *, slots: Sequence[str], parameters: int) -> Checkpoint:
    """Read a checkpoint of a model of this size; raises `EvidenceError` for anything else."""
    head = len(_TAG) + 24
    if len(content) != head + 4 * parameters * (1 + len(slots)) or not content.startswith(_TAG):
        raise EvidenceError("not a checkpoint of this model", field="checkpoint")
    step, vectors, size = struct.unpack_from("<QQQ", content, len(_TAG))
    if (vectors, size) != (1 + len(slots), parameters):
        raise EvidenceError("not a checkpoint of this model", field="checkpoint")
    table = np.frombuffer(content, dtype="<f4", offset=head).astype(np.float32).reshape(vectors, size)
    if not np.isfinite(table).all():
        raise EvidenceError("has infinite or undefined values", field="checkpoint")
    return Checkpoint(step, table[0], dict(zip(sorted(slots), table[1:], strict=True)))


def checkpoint_hash(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint's leaf hash, 32 bytes."""
    return merkle.leaf_hash(checkpoint_bytes(checkpoint))


def content_digest(content: bytes) -> bytes:
    """Return the SHA-256 digest by which a checkpoint is found as content."""
    return hashlib.sha256(content).digest()


def train(task: LocalTask, data: Dataset, *, base: Vector, threads: int = 1) -> TrainingRun:
    """Do a whole round's work, keeping every segment's checkpoint."""
    with deterministic(threads):
        trainer = Trainer(task, data, base=base)
        kept = [trainer.start()]
        last = trainer.run(kept[0], stop=trainer.steps, keep=kept.append)
    return TrainingRun(last.weights - base, last.step, tuple(kept))
