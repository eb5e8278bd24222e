"""What training lowers (losses) and what people read (metrics)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from learning.datasets import Dataset
from learning.model_spec import OutputActivation
from learning.networks import activate
from learning.session_config import Loss, Metric

Numbers = NDArray[np.float64]


def loss_function(kind: Loss, output: OutputActivation) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of raw outputs (batch, output_dim) against targets (batch,), a mean over the batch.

    Cross-entropy takes raw outputs (its softmax is inside), as `bce` does its sigmoid; the others see predictions.
    """

    def predictions(outputs: Tensor) -> Tensor:
        return activate(outputs, output)

    def onto(outputs: Tensor, targets: Tensor) -> Tensor:
        if targets.is_floating_point():
            return targets.reshape(len(targets), -1).expand_as(outputs)
        return functional.one_hot(targets, outputs.shape[1]).to(outputs.dtype)

    match kind:
        case "cross_entropy":
            return functional.cross_entropy
        case "bce":
            return lambda raw, y: functional.binary_cross_entropy_with_logits(
                raw, y.to(raw.dtype).reshape(-1, 1) if raw.shape[1] == 1 else onto(raw, y)
            )
        case "mse":
            return lambda raw, y: functional.mse_loss(predictions(raw), onto(raw, y))
        case "mae":
            return lambda raw, y: functional.l1_loss(predictions(raw), onto(raw, y))
        case "huber":
            return lambda raw, y: functional.huber_loss(predictions(raw), onto(raw, y))


def classes_of(raw: Tensor) -> NDArray[np.int64]:
    """Return the predicted class of each row of raw outputs; one output means two classes, above 0 the second."""
    chosen = (raw[:, 0] > 0).long() if raw.shape[1] == 1 else raw.argmax(dim=1)
    return chosen.numpy()


def measure(predicted: NDArray[Any], data: Dataset, metrics: tuple[Metric, ...]) -> dict[str, float]:
    """Compare predicted classes or quantities, shape (samples,), with the targets; figures are in the data's own measure."""
    targets = data.targets
    return {
        name: _METRICS[name](np.asarray(predicted), np.asarray(targets))
        * data.unit ** _DIMENSIONS.get(name, 0)
        for name in metrics
    }


def _accuracy(predicted: NDArray[np.int64], targets: NDArray[np.int64]) -> float:
    return float((predicted == targets).mean())


def _by_class(predicted: NDArray[np.int64], targets: NDArray[np.int64]) -> tuple[Numbers, Numbers, Numbers]:
    """Return right, predicted and actual counts of each class that occurs."""
    occurring = np.union1d(predicted, targets)
    right = np.array([((predicted == c) & (targets == c)).sum() for c in occurring], dtype=np.float64)
    said = np.array([(predicted == c).sum() for c in occurring], dtype=np.float64)
    actual = np.array([(targets == c).sum() for c in occurring], dtype=np.float64)
    return right, said, actual


def _precision(predicted: NDArray[np.int64], targets: NDArray[np.int64]) -> float:
    right, said, _ = _by_class(predicted, targets)
    return float((right / np.maximum(said, 1)).mean())


def _recall(predicted: NDArray[np.int64], targets: NDArray[np.int64]) -> float:
    right, _, actual = _by_class(predicted, targets)
    return float((right / np.maximum(actual, 1)).mean())


def _f1(predicted: NDArray[np.int64], targets: NDArray[np.int64]) -> float:
    right, said, actual = _by_class(predicted, targets)
    return float((2 * right / np.maximum(said + actual, 1)).mean())


def _mse(predicted: Numbers, targets: Numbers) -> float:
    return float(((predicted.astype(np.float64) - targets) ** 2).mean())


def _r2(predicted: Numbers, targets: Numbers) -> float:
    exact = targets.astype(np.float64)
    spread = float(((exact - exact.mean()) ** 2).mean())
    return 1 - _mse(predicted, targets) / spread if spread else 0.0


_METRICS: dict[Metric, Callable[..., float]] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "mse": _mse,
    "rmse": lambda predicted, targets: _mse(predicted, targets) ** 0.5,
    "mae": lambda predicted, targets: float(np.abs(predicted.astype(np.float64) - targets).mean()),
    "r2": _r2,
}


_DIMENSIONS: dict[Metric, int] = {"mse": 2, "rmse": 1, "mae": 1}


def float_targets(data: Dataset) -> Tensor:
    """Return the targets as the tensor that losses take."""
    return torch.from_numpy(np.ascontiguousarray(data.targets))
