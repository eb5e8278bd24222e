"""The training process: reads one piece of work after another from standard input, and answers on standard output.

It has no keys, no environment and opens no connection. What it is given comes from strangers, checked by `learning/`.
"""

import os
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from learning import networks, rounds, tensors
from learning.aggregate import quantise
from learning.assignment import read_list
from learning.datasets import Dataset, load_dataset
from learning.errors import LearningError
from learning.local import Place, contribute
from learning.merkle import leaf_hash
from learning.model_spec import NetworkSpec, RandomForest
from learning.privacy import distributed_steps
from learning.rounds import Progress
from learning.session_config import SessionConfig
from learning.trail import Mark, write_trail
from learning.trajectory import TrainingRun, checkpoint_bytes
from learning.updates import Vector
from protocol.parts import stored_as
from runner.federated import forests, rehearsal
from runner.federated.aggregation import aggregate
from runner.federated.archive import read_progress
from runner.federated.messages import (
    Aggregate,
    Data,
    Failed,
    Rehearse,
    Rehearsed,
    Request,
    Response,
    Train,
    Trained,
)
from runner.federated.names import name_of
from runner.federated.workshop import LENGTH


def main() -> None:
    """Work until standard input ends."""
    # Whatever a library prints must not end up between two answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests, each with its length in front, until there are no more."""
    decoder = msgspec.msgpack.Decoder(Request)
    while head := requests.read(LENGTH.size):
        (size,) = LENGTH.unpack(head)
        said = msgspec.msgpack.encode(answer(partial(decoder.decode, requests.read(size))))
        answers.write(LENGTH.pack(len(said)) + said)
        answers.flush()


def answer(read: Callable[[], Request]) -> Response:
    """Do the work that `read` gives. It raises nothing: what went wrong is the answer."""
    try:
        match read():
            case Rehearse() as work:
                return rehearse(work)
            case Train() as work:
                return train(work)
            case Aggregate() as work:
                config = SessionConfig.parse(work.config)
                return aggregate(
                    work,
                    config,
                    progress=_progress(config, work.progress, first=work.first),
                    evaluation=_samples(config, work.evaluation),
                    samples=partial(_samples, config),
                    weights_of=partial(_first, config),
                )
    except LearningError as error:
        return Failed(reason=str(error))
    except Exception as error:  # noqa: BLE001 - a border: the daemon is told, and its other work goes on
        return Failed(reason=f"{type(error).__name__}: {error}", ours=True)


def rehearse(work: Rehearse) -> Rehearsed:
    """Try a session before it is joined."""
    config = SessionConfig.parse(work.config)
    return rehearsal.rehearse(
        work,
        config,
        rows=len(_dataset(config.canonical(), work.data.file)),
        data=_samples(config, work.data),
        evaluation=_samples(config, work.evaluation),
        first=_first(config, work.first),
    )


def train(work: Train) -> Trained:
    """Train one slot's share; under secure aggregation nothing readable is given back but what is to be masked."""
    config = SessionConfig.parse(work.config)
    if isinstance(config.model, RandomForest):
        return forests.grow(work, config, _samples(config, work.data))
    progress = read_progress(work.progress) if work.progress else None
    name = name_of(work.slot)
    correction = progress.variates.correction(name) if progress and progress.variates else None
    if correction is None and config.aggregation.method == "scaffold":
        correction = np.zeros(networks.layout(_network(config)).size, np.float32)
    done = contribute(
        config,
        Place(work.session, work.round, work.slot, name),
        _samples(config, work.data),
        base=_first(config, work.base),
        correction=correction,
        residual=None if work.residual is None else _vector(work.residual),
    )
    samples = done.manifest.samples
    trail = None if work.checkpoints is None else _leave(done.run, Path(work.checkpoints))
    if work.summed_with:
        steps = _steps(config, done.run.delta, samples=samples, honest=work.summed_with)
        return Trained(samples=samples, steps=steps.astype("<i8").tobytes())
    return Trained(
        samples=samples,
        manifest=done.manifest.canonical(),
        content=done.content,
        residual=None if done.residual is None else done.residual.astype("<f4").tobytes(),
        variate=None if done.variate is None else done.variate.astype("<f4").tobytes(),
        trail=trail,
    )


def _leave(run: TrainingRun, folder: Path) -> bytes:
    """Write each checkpoint to a file of its number, and give the trail."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    marks = []
    for number, checkpoint in enumerate(run.checkpoints):
        content = checkpoint_bytes(checkpoint)
        (folder / str(number)).write_bytes(content)
        marks.append(Mark(leaf_hash(content), stored_as(content).root))
    return write_trail(marks)


def _steps(
    config: SessionConfig, delta: Vector, *, samples: int, honest: int
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    clip = float(config.aggregation.clip)
    if config.privacy:
        return distributed_steps(delta, config.privacy, honest=honest, clip=clip)
    weight = (
        1 if config.partition.index is None else samples
    )  # see `aggregation`: one's own number is only claimed
    weighted: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = quantise(delta, clip=clip) * weight
    return weighted


def _progress(config: SessionConfig, content: bytes | None, *, first: bytes | None) -> Progress:
    return rounds.start(config, _first(config, first)) if content is None else read_progress(content)


def _first(config: SessionConfig, file: bytes | None) -> Vector:
    """Return the weights of a model's file; none stands for those drawn from the session's seed."""
    if isinstance(config.model, RandomForest):
        return np.zeros(0, np.float32)  # a forest has trees, and begins with none
    layout = networks.layout(config.model)
    state = (
        networks.initial_state(config.model, seed=config.training.seed)
        if file is None
        else tensors.from_safetensors(file, layout)
    )
    return tensors.flatten(state, layout)


def _network(config: SessionConfig) -> NetworkSpec:
    if isinstance(config.model, RandomForest):
        raise LearningError("a forest has no weights", field="model")
    return config.model


def _vector(content: bytes) -> Vector:
    return np.frombuffer(content, "<f4").astype(np.float32)


def _samples(config: SessionConfig, data: Data) -> Dataset:
    whole = _dataset(config.canonical(), data.file)
    return whole if data.rows is None else whole.take(read_list(data.rows, samples=len(whole)))


@lru_cache(maxsize=4)
def _dataset(config: bytes, file: str) -> Dataset:
    session = SessionConfig.parse(config)
    classes = session.model.output_dim if session.classifies else None
    return load_dataset(
        Path(file).read_bytes(), session.dataset, input_dim=session.model.input_dim, classes=classes
    )


if __name__ == "__main__":
    main()
