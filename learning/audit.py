"""Re-executing parts of a training, drawn after everything was committed, and narrowing a dispute to one segment.

Evidence, not proof: work within the tolerance can hide small changes, and training honestly on poisoned data passes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from learning import merkle
from learning.contribution import Manifest
from learning.datasets import Dataset
from learning.errors import EvidenceError
from learning.trainer import Checkpoint, LocalTask, Trainer, deterministic
from learning.trajectory import checkpoint_hash
from learning.updates import Vector

_FLOOR = 1e-6
"""A segment shorter than this, beside weights of about 1, is compared by absolute distance."""


class Finding(StrEnum):
    """What an audit found."""

    REEXECUTED = "re-executed within tolerance"
    NOT_SHOWN = "a drawn checkpoint was not shown, or is not the committed one"
    OTHER_BASE = "does not start at the round's model"
    OTHER_UPDATE = "does not end at the handed-in update"
    OTHER_RESULT = "the same steps give another result"


@dataclass(frozen=True, slots=True)
class Shown:
    """A checkpoint shown in an audit, and what leads from it to the committed root."""

    checkpoint: Checkpoint
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit's outcome: what was found, in which segment, and the relative distance there."""

    finding: Finding
    segment: int | None = None
    distance: float = 0.0

    @property
    def passed(self) -> bool:
        """Return whether everything drawn was re-executed within tolerance."""
        return self.finding is Finding.REEXECUTED

    @property
    def disproved(self) -> bool:
        """Return whether what was shown is itself false, rather than missing: the network may lose what honest work showed."""
        return self.finding not in (Finding.REEXECUTED, Finding.NOT_SHOWN)


def reexecute(
    manifest: Manifest,
    task: LocalTask,
    data: Dataset,
    *,
    base: Vector,
    handed_in: Callable[[Vector], bool],
    segments: Sequence[int],
    show: Callable[[int], Shown | None],
    tolerance: float,
    threads: int = 1,
) -> Audit:
    """Run the drawn segments from the participant's own checkpoints; `show` fetches a checkpoint by number.

    `handed_in` tells whether a difference of weights is what was handed in (see `local.hands_in`).
    """
    with deterministic(threads):
        trainer = Trainer(task, data, base=base)
        expected_checkpoints = 1 + -(-trainer.steps // task.training.segment_steps)
        if (manifest.steps, manifest.checkpoints) != (trainer.steps, expected_checkpoints):
            return Audit(Finding.NOT_SHOWN)
        worst = 0.0
        for segment in segments:
            before, after = (_shown(manifest, number, show) for number in (segment, segment + 1))
            if before is None or after is None:
                return Audit(Finding.NOT_SHOWN, segment)
            if problem := _ends(
                manifest, segment, before, after, trainer=trainer, base=base, handed_in=handed_in
            ):
                return Audit(problem, segment)
            if _places(segment, trainer.steps, task) != (before.step, after.step):
                return Audit(Finding.NOT_SHOWN, segment)
            again = trainer.run(before, stop=after.step)
            apart = distance(before, again, after)
            worst = max(worst, apart)
            if not apart <= tolerance:
                return Audit(Finding.OTHER_RESULT, segment, apart)
    return Audit(Finding.REEXECUTED, None, worst)


def distance(before: Checkpoint, again: Checkpoint, claimed: Checkpoint) -> float:
    """Return how far a claimed end of a segment is from the re-executed one, relative to how far the segment went.

    The largest over weights and optimiser state; 0 if equal bit for bit.
    """
    worst = 0.0
    for name in ("weights", *again.slots):
        start, right, said = (
            (one.weights if name == "weights" else one.slots[name]).astype(np.float64)
            for one in (before, again, claimed)
        )
        went = float(np.linalg.norm(right - start))
        apart = float(np.linalg.norm(said - right))
        worst = max(worst, apart / max(went, _FLOOR))
    return worst


def first_difference(leaves: int, agree: Callable[[int], bool]) -> int:
    """Bisect a dispute: give the first checkpoint on which two trajectories differ, asking about few of them.

    `agree(i)` tells whether both sides have the same hash for checkpoint i. They must agree on 0 and differ on the last.
    The segment that leads there is what a committee runs on the reference profile.
    """
    if not agree(0):
        raise EvidenceError("the sides do not start at the same model", field="checkpoint 0")
    if agree(leaves - 1):
        raise EvidenceError("the sides do not differ", field=f"checkpoint {leaves - 1}")
    low, high = 0, leaves - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if agree(middle) else (low, middle)
    return high


def _places(segment: int, steps: int, task: LocalTask) -> tuple[int, int]:
    every = task.training.segment_steps
    return segment * every, min((segment + 1) * every, steps)


def _shown(manifest: Manifest, number: int, show: Callable[[int], Shown | None]) -> Checkpoint | None:
    shown = show(number)
    if shown is None:
        return None
    root, leaf = bytes.fromhex(manifest.trajectory), checkpoint_hash(shown.checkpoint)
    try:
        merkle.check(root, leaf, index=number, leaves=manifest.checkpoints, path=shown.path)
    except EvidenceError:
        return None
    return shown.checkpoint


def _ends(
    manifest: Manifest,
    segment: int,
    before: Checkpoint,
    after: Checkpoint,
    *,
    trainer: Trainer,
    base: Vector,
    handed_in: Callable[[Vector], bool],
) -> Finding | None:
    if before.slots.keys() != trainer.start().slots.keys() or after.slots.keys() != before.slots.keys():
        return Finding.NOT_SHOWN
    if segment == 0 and checkpoint_hash(before) != checkpoint_hash(trainer.start()):
        return Finding.OTHER_BASE
    if segment == manifest.checkpoints - 2 and not handed_in(after.weights - base):
        return Finding.OTHER_UPDATE
    return None
