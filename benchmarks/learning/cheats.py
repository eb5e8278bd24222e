"""Who is caught, and how: the four cheats and four dishonest ways, each by every participant in turn, and honest work.

One round of the task. Screening and flags see all ten contributions; an audit re-executes three segments on the reference
profile. A cheat of work pretends the assigned steps: it hands in as many checkpoints as honest work has.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.learning import task
from benchmarks.learning.report import Row
from learning import audit, compression, lots
from learning.attacks import flip_labels, sign_flip
from learning.audit import Shown
from learning.contribution import Contribution, Manifest
from learning.datasets import Dataset
from learning.local import hands_in
from learning.screen import Expected, Screened, screen
from learning.session_config import CompressionSpec, VerificationSpec
from learning.tensors import digest
from learning.trainer import Checkpoint, LocalTask, batch_seed
from learning.trajectory import TrainingRun, read_checkpoint, train
from learning.updates import Update, Vector

_ROOT = Path(__file__).resolve().parents[2]
_SPEC, _WHOLE, _CLIP = VerificationSpec(), CompressionSpec(), 4.0
_ELSEWHERE = """
import sys
from benchmarks.learning.cheats import honest
from learning.trajectory import checkpoint_bytes
for checkpoint in honest(int(sys.argv[1])).checkpoints:
    sys.stdout.buffer.write(checkpoint_bytes(checkpoint))
"""


@dataclass(frozen=True, slots=True)
class Handed:
    """What one participant hands in: an update, and the training that is said to have led to it."""

    delta: Vector
    run: TrainingRun


Way = Callable[[int], Handed]


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Give, of each way, the share that screening rejects, that is flagged, and that an audit catches once it is drawn."""
    seats = (1, 8) if tiny else range(task.PARTICIPANTS)
    ways: Mapping[str, Way] = {"another seed": CHEATS["another seed"]} if tiny else {**CHEATS, **HONEST}
    for name, way in ways.items():
        found = [_tried(seat, way(seat)) for seat in seats]
        rejected, flagged, caught = (float(np.mean(column)) for column in zip(*found, strict=True))
        yield Row("cheats", f"{name}: rejected by screening", 100 * rejected, "%")
        yield Row("cheats", f"{name}: flagged", 100 * flagged, "%")
        limit = 0.0 if name in HONEST else None
        yield Row("cheats", f"{name}: caught when audited", 100 * caught, "%", "limit", limit)
        # Who has cheated from the start has never passed an audit, and so is drawn as if it were flagged.
        once = rejected + (1 - rejected) * float(_SPEC.flagged_rate) * caught
        yield Row("cheats", f"{name}: left out, a round", 100 * once, "%")
        yield Row("cheats", f"{name}: left out, within 20 rounds", 100 * (1 - (1 - once) ** 20), "%")


@cache
def honest(seat: int, threads: int = 1) -> TrainingRun:
    """Do a participant's work of the first round."""
    return train(_task(seat), _data(seat), base=task.first_weights(0), threads=threads)


def elsewhere(seat: int) -> TrainingRun:
    """Do the same work with the oldest instructions that the processor has."""
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(seat)],
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default"},
        cwd=_ROOT,
        check=True,
        capture_output=True,
    ).stdout
    base, count = task.first_weights(0), len(honest(seat).checkpoints)
    size = len(done) // count
    checkpoints = tuple(
        read_checkpoint(done[i * size : (i + 1) * size], slots=["momentum"], parameters=len(base))
        for i in range(count)
    )
    return TrainingRun(checkpoints[-1].weights - base, honest(seat).steps, checkpoints)


def _data(seat: int) -> Dataset:
    return task.shares(0)[seat]


def _task(seat: int, *, seed: int = 0, **changes: object) -> LocalTask:
    training = task.TRAINING.model_copy(update=changes)
    return LocalTask(task.MLP, training, 0, batch_seed("session", 0, seat) + seed)


def _cheat(seat: int, work: LocalTask, data: Dataset) -> Handed:
    """Work otherwise, and repeat or drop checkpoints until there are as many as honest work has."""
    run, wanted = train(work, data, base=task.first_weights(0)), honest(seat).checkpoints
    kept: list[Checkpoint] = [
        run.checkpoints[min(i, len(run.checkpoints) - 1)] for i in range(len(wanted) - 1)
    ]
    kept.append(run.checkpoints[-1])
    shown = tuple(replace(one, step=right.step) for one, right in zip(kept, wanted, strict=True))
    return Handed(run.delta, TrainingRun(run.delta, honest(seat).steps, shown))


def _says(seat: int, delta: Vector) -> Handed:
    """Hand in something else at the end of honest work."""
    run = honest(seat)
    last = replace(run.checkpoints[-1], weights=task.first_weights(0) + delta)
    claimed = TrainingRun(delta, run.steps, (*run.checkpoints[:-1], last))
    return Handed(claimed.checkpoints[-1].weights - task.first_weights(0), claimed)


def _nine_tenths(data: Dataset) -> Dataset:
    return data.take(np.arange(round(0.9 * len(data))))


def _faint(seat: int) -> Vector:
    noise = np.random.Generator(np.random.PCG64(seat)).standard_normal(len(task.first_weights(0)))
    return (1e-4 * noise).astype(np.float32)


CHEATS: dict[str, Way] = {
    "half the epochs": lambda seat: _cheat(seat, _task(seat, local_epochs=1), _data(seat)),
    "another seed": lambda seat: _cheat(seat, _task(seat, seed=1), _data(seat)),
    "90 % of the data": lambda seat: _cheat(seat, _task(seat), _nine_tenths(_data(seat))),
    "half the learning rate": lambda seat: _cheat(seat, _task(seat, learning_rate=0.05), _data(seat)),
    "label flipping": lambda seat: _cheat(seat, _task(seat), flip_labels(_data(seat), 10)),
    "sign flipping": lambda seat: _says(seat, sign_flip([], honest(seat).delta, 0)),
    "copying the neighbour": lambda seat: _says(seat, honest((seat + 1) % task.PARTICIPANTS).delta),
    "free riding, with faint noise": lambda seat: _says(seat, _faint(seat)),
}
HONEST: dict[str, Way] = {
    "honest, one thread": lambda seat: Handed(honest(seat).delta, honest(seat)),
    "honest, two threads": lambda seat: Handed(honest(seat, 2).delta, honest(seat, 2)),
    "honest, oldest instructions": lambda seat: Handed((run := elsewhere(seat)).delta, run),
}


def _tried(seat: int, handed: Handed) -> tuple[bool, bool, float]:
    """Return whether a participant is rejected and flagged among the honest others, and how many of ten audits catch it."""
    name, screened = _name(seat), _screened(seat, handed)
    audits = [not _audited(seat, handed, draw=bytes([draw])) for draw in range(10)]
    return name in screened.rejected, name in screened.flagged, float(np.mean(audits))


def _screened(seat: int, handed: Handed) -> Screened:
    everybody = range(task.PARTICIPANTS)
    # Whoever copies commits after the one that it copies: the last of all.
    order = [*(other for other in everybody if other != seat), seat]
    runs = {other: Handed(honest(other).delta, honest(other)) for other in everybody} | {seat: handed}
    expected = Expected(
        bases={0: digest(task.first_weights(0)).hex()},
        parameters=len(task.first_weights(0)),
        samples={_name(other): len(_data(other)) for other in everybody},
        steps={_name(other): honest(other).steps for other in everybody},
        norm_cap=1_000,
        clip=_CLIP,
    )
    return screen([_contribution(other, runs[other]) for other in order], expected)


def _audited(seat: int, handed: Handed, *, draw: bytes) -> bool:
    claims = _contribution(seat, handed).manifest
    trajectory = handed.run.trajectory
    return audit.reexecute(
        claims,
        _task(seat),
        _data(seat),
        base=task.first_weights(0),
        handed_in=hands_in(compression.encode(handed.delta, _WHOLE), _WHOLE),
        segments=lots.drawn_segments(draw, _name(seat), checkpoints=claims.checkpoints, count=_SPEC.segments),
        show=lambda number: Shown(handed.run.checkpoints[number], trajectory.proof(number)),
        tolerance=float(_SPEC.tolerance),
    ).passed


def _contribution(seat: int, handed: Handed) -> Contribution:
    run, samples = handed.run, len(_data(seat))
    claims = Manifest(
        session="session",
        round=0,
        participant=_name(seat),
        base=digest(task.first_weights(0)).hex(),
        update=digest(handed.delta).hex(),
        samples=samples,
        steps=run.steps,
        trajectory=run.trajectory.root.hex(),
        checkpoints=len(run.checkpoints),
        profile="benchmark",
    )
    return Contribution(claims, Update(_name(seat), samples, handed.delta))


def _name(seat: int) -> str:
    return f"p{seat:03}"
