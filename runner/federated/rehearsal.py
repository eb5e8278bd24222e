"""A session tried before it is joined: everything it will ask for is read, and a few steps are trained and timed.

A seat binds for all rounds, and silence in a phase costs a part of the bond. So what cannot be read, does not belong together
or takes too long has to be found out before, and not in the first round.
"""

import time

from learning import assignment, forest, privacy
from learning.assignment import read_list
from learning.datasets import Dataset
from learning.errors import ConfigError, PartitionError
from learning.evaluate import evaluate
from learning.local import Place, local_task
from learning.model_spec import RandomForest
from learning.optimizers import slot_names
from learning.session_config import SessionConfig
from learning.trainer import Checkpoint, Trainer, deterministic
from learning.updates import Vector
from runner.federated.messages import Rehearse, Rehearsed
from runner.federated.names import name_of

STEPS = 10
"""Steps that are timed; the one before them, in which torch gets ready, is not."""
MAX_CHECKPOINT_BYTES = 2 << 30
"""The most that the checkpoints of one round's training may take of memory and disk."""


def rehearse(
    work: Rehearse, config: SessionConfig, *, rows: int, data: Dataset, evaluation: Dataset, first: Vector
) -> Rehearsed:
    """Try a session whose data set has so many `rows`; `data` is the largest share.

    Raises `LearningError` for what nobody could do or check.
    """
    _check_lists(work, config, rows=rows)
    if isinstance(config.model, RandomForest):
        return Rehearsed(seconds=_time_trees(config.model, data))
    if config.privacy is not None:
        privacy.check_norm(config.privacy, parameters=len(first))
    steps = config.training.local_epochs * -(-len(data) // config.training.batch_size)
    _check_checkpoints(config, steps, parameters=len(first))
    evaluate(config.model, first, evaluation, config.training)
    return Rehearsed(seconds=steps * _time_step(config, data, first))


def _check_lists(work: Rehearse, config: SessionConfig, *, rows: int) -> None:
    if not work.lists:
        return
    assignment.check_all(work.lists, config.partition)
    for content, said in zip(work.lists, work.sizes, strict=True):
        found = len(read_list(content, samples=rows))
        if found != said:
            raise PartitionError(f"a list is said to have {said} samples, and has {found}", field="partition")


def _check_checkpoints(config: SessionConfig, steps: int, *, parameters: int) -> None:
    kept = steps // config.training.segment_steps + 2
    vectors = 1 + len(slot_names(config.training.optimizer))
    size = 4 * kept * vectors * parameters
    if size > MAX_CHECKPOINT_BYTES:
        raise ConfigError(
            f"a round's checkpoints would be {size >> 20:,} MiB; at most {MAX_CHECKPOINT_BYTES >> 20:,} are kept",
            field="training.segment_steps",
        )


def _time_step(config: SessionConfig, data: Dataset, first: Vector) -> float:
    once = config.model_copy(update={"training": config.training.model_copy(update={"local_epochs": 1})})
    correction = first * 0 if config.aggregation.method == "scaffold" else None
    task = local_task(once, Place("rehearsal", 0, 0, name_of(0)), correction=correction)
    with deterministic():
        trainer = Trainer(task, data, base=first)
        began = time.perf_counter()
        ready = trainer.run(trainer.start(), stop=1)
        _check_moved(ready, first)
        if trainer.steps == 1:
            return time.perf_counter() - began
        began, stop = time.perf_counter(), min(1 + STEPS, trainer.steps)
        last = trainer.run(ready, stop=stop)
        took = time.perf_counter() - began
    _check_moved(last, ready.weights)
    return took / (stop - 1)


def _check_moved(after: Checkpoint, before: Vector) -> None:
    if (after.weights == before).all():
        raise ConfigError(
            "training changes nothing, or runs away beyond all numbers: such work would not count",
            field="training.learning_rate",
        )


def _time_trees(spec: RandomForest, data: Dataset) -> float:
    began = time.perf_counter()
    forest.grow(spec.model_copy(update={"trees": 1}), data, seed=0)
    return spec.trees * (time.perf_counter() - began)
