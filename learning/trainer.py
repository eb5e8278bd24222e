"""One participant's training in one round: segments of a few steps, each repeatable by an auditor from its checkpoint.

Everything that a step depends on is in its checkpoint (weights, optimiser state, step number) or derived from the session
(batches, learning rate): there is no random state. On one kernel profile two runs are equal bit for bit; between profiles
(other thread counts, other instruction sets) a segment of ten steps differs by about 1e-6 of its length, while whole
trainings drift apart chaotically. So segments are compared, never whole trainings.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learning import networks, optimizers
from learning.datasets import Dataset
from learning.model_spec import NetworkSpec
from learning.objectives import float_targets, loss_function
from learning.seeds import derive_seed, generator
from learning.session_config import Schedule, TrainingSpec
from learning.updates import Vector

_LARGEST = 1e36
"""Beyond this, and where it is no number at all, a weight has run away; the largest float32 is 3e38."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that the next step depends on. `weights` and each of `slots` have shape (parameters,), float32."""

    step: int
    weights: Vector
    slots: dict[str, Vector] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalTask:
    """What one participant has to do in one round. `correction` (scaffold) is added to every gradient."""

    model: NetworkSpec
    training: TrainingSpec
    round: int
    seed: int
    proximal_mu: float = 0.0
    correction: Vector | None = None


def batch_seed(session: str, round_number: int, seat: int) -> int:
    """Derive what decides the order of a participant's batches: nobody chooses it."""
    return derive_seed("batches", session, round_number, seat)


def batches(samples: int, task: LocalTask) -> list[NDArray[np.int64]]:
    """Return each step's sample numbers: every epoch a new order, the last batch of each may be smaller."""
    training = task.training
    return [
        order[start : start + training.batch_size]
        for epoch in range(training.local_epochs)
        for order in [generator(derive_seed("epoch", task.seed, epoch)).permutation(samples)]
        for start in range(0, samples, training.batch_size)
    ]


def learning_rate(training: TrainingSpec, round_number: int) -> float:
    """Return the participants' learning rate in a round, counted from 0."""
    schedule: Schedule = training.schedule
    rate = float(training.learning_rate)
    match schedule.type:
        case "constant":
            return rate
        case "step":
            return rate * float(schedule.factor) ** (round_number // schedule.every)
        case "cosine":
            return rate * (1 + math.cos(math.pi * round_number / training.rounds)) / 2


@contextmanager
def deterministic(threads: int = 1) -> Iterator[None]:
    """Run torch with algorithms that repeat themselves and this many threads; restore what was set after."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


def kernel_profile(threads: int = 1) -> str:
    """Name what decides the last bits of a result here; equal names promise equal bits on equal processors."""
    capability = torch.backends.cpu.get_cpu_capability()
    onednn = "on" if torch.backends.mkldnn.enabled else "off"
    return f"torch {torch.__version__} cpu {capability} float32 threads={threads} onednn={onednn}"


class Trainer:
    """Trains one participant's share from any checkpoint to any later step. Use within `deterministic`."""

    def __init__(self, task: LocalTask, data: Dataset, *, base: Vector) -> None:
        self._task = task
        self._features = torch.from_numpy(np.ascontiguousarray(data.features))
        self._targets = float_targets(data)
        self._batches = [torch.from_numpy(batch) for batch in batches(len(data), task)]
        self._base = torch.from_numpy(base.copy())
        self._rate = learning_rate(task.training, task.round)
        output = networks.output_activation(task.model)
        self._loss = loss_function(task.training.loss, output)
        self._correction = None if task.correction is None else torch.from_numpy(task.correction.copy())
        self._weights, self._gradient, self._module = _on_flat_vectors(task.model)

    @property
    def steps(self) -> int:
        """Count the steps of the whole round."""
        return len(self._batches)

    def start(self) -> Checkpoint:
        """Return the checkpoint that everybody starts from: the base model, an optimiser without history."""
        slots = optimizers.fresh_slots(self._task.training.optimizer, len(self._base))
        return Checkpoint(0, self._base.numpy().copy(), {name: slot.numpy() for name, slot in slots.items()})

    def run(
        self, checkpoint: Checkpoint, *, stop: int, keep: Callable[[Checkpoint], None] | None = None
    ) -> Checkpoint:
        """Train from a checkpoint up to step `stop`; `keep` gets a checkpoint at the end of each segment and at `stop`.

        A segment that runs away, beyond all numbers, counts as if it had changed nothing: its work is done all the same, and
        can be shown and repeated like any other.
        """
        every = self._task.training.segment_steps
        last = checkpoint
        slots = self._restored(checkpoint)
        for number in range(checkpoint.step, stop):
            self._step(number, slots)
            if (number + 1) % every and number + 1 < stop:
                continue
            if _is_sound(self._weights, slots):
                last = self._checkpoint(number + 1, slots)
            else:
                last = replace(last, step=number + 1)
                slots = self._restored(last)
            if keep:
                keep(last)
        return last

    def _restored(self, checkpoint: Checkpoint) -> optimizers.Slots:
        """Go on from a checkpoint's weights; gives its optimiser state."""
        self._weights.copy_(torch.from_numpy(checkpoint.weights))
        return {name: torch.from_numpy(slot.copy()) for name, slot in checkpoint.slots.items()}

    def _step(self, number: int, slots: optimizers.Slots) -> None:
        task = self._task
        batch = self._batches[number]
        self._gradient.zero_()
        self._loss(self._module(self._features[batch]), self._targets[batch]).backward()  # type: ignore[no-untyped-call]
        if task.proximal_mu:
            self._gradient.add_(self._weights - self._base, alpha=task.proximal_mu)
        if self._correction is not None:
            self._gradient.add_(self._correction)
        if limit := task.training.max_gradient_norm:
            norm = float(self._gradient.norm())
            self._gradient.mul_(min(1.0, float(limit) / max(norm, 1e-12)))
        optimizer = task.training.optimizer
        optimizers.step(self._weights, self._gradient, slots, optimizer, rate=self._rate, number=number)

    def _checkpoint(self, step: int, slots: optimizers.Slots) -> Checkpoint:
        kept = {name: slot.numpy().copy() for name, slot in slots.items()}
        return Checkpoint(step, self._weights.numpy().copy(), kept)


def _is_sound(weights: Tensor, slots: optimizers.Slots) -> bool:
    """Return whether all are numbers that can be calculated with; what is no number compares as false."""
    return all(bool((vector.abs() <= _LARGEST).all()) for vector in (weights, *slots.values()))


def _on_flat_vectors(spec: NetworkSpec) -> tuple[Tensor, Tensor, nn.Module]:
    """Build the model so that all parameters, and all gradients, are views of one vector each, in the layout's order."""
    module = networks.build(spec)
    places = networks.layout(spec)
    weights, gradient = torch.zeros(places.size), torch.zeros(places.size)
    parameters = dict(module.named_parameters())
    for name, shape, place in places.spans():
        parameters[name].data = weights[place].view(shape)
        parameters[name].grad = gradient[place].view(shape)
    return weights, gradient, module
