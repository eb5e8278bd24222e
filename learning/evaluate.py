"""What a model is worth on samples that nobody trained on.

Aggregators publish these figures, and whose document differs from the others' is slashed. So they are computed in float64, where
processors differ in the fifteenth digit: in float32 they differ in the seventh, and would round to other figures now and then.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from learning import networks
from learning.datasets import Dataset
from learning.model_spec import NetworkSpec
from learning.objectives import classes_of, float_targets, loss_function, measure
from learning.session_config import TrainingSpec
from learning.tensors import unflatten
from learning.trainer import deterministic
from learning.updates import Vector

_BATCH = 4_096


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean loss, and the session's metrics, over `samples`."""

    loss: float
    metrics: dict[str, float]
    samples: int


def raw_outputs(
    model: NetworkSpec, weights: Vector, features: NDArray[np.float32], *, threads: int = 1
) -> torch.Tensor:
    """Compute raw outputs, float64 of shape (samples, output_dim)."""
    module = networks.build(model)
    state = unflatten(weights, networks.layout(model))
    module.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in state.items()})
    module.double()
    with deterministic(threads), torch.inference_mode():
        inputs = torch.from_numpy(np.ascontiguousarray(features))
        return torch.cat([module(inputs[i : i + _BATCH].double()) for i in range(0, len(inputs), _BATCH)])


def predict(model: NetworkSpec, weights: Vector, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute predictions after the output activation, float32 of shape (samples, output_dim)."""
    raw = raw_outputs(model, weights, features)
    result: NDArray[np.float32] = networks.activate(raw, networks.output_activation(model)).float().numpy()
    return result


def evaluate(model: NetworkSpec, weights: Vector, data: Dataset, training: TrainingSpec) -> Evaluation:
    """Compute loss and metrics on `data`."""
    raw = raw_outputs(model, weights, data.features)
    output = networks.output_activation(model)
    with deterministic():
        targets = float_targets(data)
        targets = targets.double() if targets.is_floating_point() else targets
        loss = float(loss_function(training.loss, output)(raw, targets))
    by_class = np.issubdtype(data.targets.dtype, np.integer)
    predicted = classes_of(raw) if by_class else networks.activate(raw, output)[:, 0].numpy()
    return Evaluation(loss, measure(predicted, data, training.metrics), len(data))
