"""What a participant does in a round, from the base model to what it hands in."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from learning import compression, forest
from learning.contribution import Manifest
from learning.datasets import Dataset
from learning.errors import ConfigError
from learning.model_spec import RandomForest
from learning.scaffold import own_variate
from learning.seeds import derive_seed
from learning.session_config import CompressionSpec, SessionConfig
from learning.tensors import digest
from learning.trainer import LocalTask, batch_seed, kernel_profile, learning_rate
from learning.trajectory import TrainingRun, train
from learning.updates import Vector


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a session a piece of work belongs. `session` is the session's identifier as text, rounds count from 0."""

    session: str
    round: int
    seat: int
    participant: str


@dataclass(frozen=True, slots=True)
class Work:
    """A round's finished work. Keep `run` until the audit window ends, and `residual` and `variate` for the next round."""

    content: bytes
    manifest: Manifest
    run: TrainingRun
    residual: Vector | None = None
    variate: Vector | None = None


def local_task(config: SessionConfig, place: Place, *, correction: Vector | None = None) -> LocalTask:
    """Return the task that everybody derives alike for this place; an auditor calls it too."""
    if isinstance(config.model, RandomForest):
        raise ConfigError("a random_forest is grown, not trained in steps", field="model")
    mu = float(config.aggregation.proximal_mu) if config.aggregation.method == "fedprox" else 0.0
    seed = batch_seed(place.session, place.round, place.seat)
    return LocalTask(config.model, config.training, place.round, seed, proximal_mu=mu, correction=correction)


def contribute(
    config: SessionConfig,
    place: Place,
    data: Dataset,
    *,
    base: Vector,
    correction: Vector | None = None,
    residual: Vector | None = None,
    threads: int = 1,
) -> Work:
    """Train on one's own share, and encode the update. Under secure aggregation `run.delta` is masked instead."""
    task = local_task(config, place, correction=correction)
    run = train(task, data, base=base, threads=threads)
    content, lost = compression.encode_with_feedback(run.delta, residual, config.compression)
    variate = None
    if correction is not None:
        momentum = float(config.training.optimizer.momentum)
        rate = learning_rate(config.training, place.round)
        variate = own_variate(correction, run.delta, steps=run.steps, rate=rate, momentum=momentum)
    manifest = Manifest(
        session=place.session,
        round=place.round,
        participant=place.participant,
        base=digest(base).hex(),
        update=hashlib.sha256(content).hexdigest(),
        samples=len(data),
        steps=run.steps,
        trajectory=run.trajectory.root.hex(),
        checkpoints=len(run.checkpoints),
        profile=kernel_profile(threads),
    )
    return Work(content, manifest, run, lost, variate)


def hands_in(
    content: bytes, spec: CompressionSpec, *, residual: Vector | None = None
) -> Callable[[Vector], bool]:
    """Return a function, for `audit.reexecute`, that tells whether a difference of weights is what these bytes hand in.

    With error feedback the bytes also carry what earlier rounds lost, `residual`, which an audit takes as it is shown.
    """
    return lambda delta: compression.encode_with_feedback(delta, residual, spec)[0] == content


def grow_trees(config: SessionConfig, place: Place, data: Dataset) -> bytes:
    """Grow a participant's trees and write them; an auditor grows them again and compares the bytes."""
    if not isinstance(config.model, RandomForest):
        raise ConfigError("only a random_forest is grown", field="model")
    seed = derive_seed("trees", place.session, place.round, place.seat)
    return forest.to_bytes(forest.grow(config.model, data, seed=seed), config.model)
