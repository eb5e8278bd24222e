"""What becomes of the mean update: the server's optimisers (Reddi et al. 2021; Hsu et al. 2019), element by element.

The mean is taken as a step to make. All arithmetic is float64 without sums across parameters, so results do not depend
on the machine.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from learning.session_config import AggregationSpec
from learning.updates import Vector


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the server remembers between rounds: vectors by name, float64 of shape (parameters,)."""

    slots: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def apply(
    base: Vector, mean: Vector, state: ServerState, spec: AggregationSpec
) -> tuple[Vector, ServerState]:
    """Return the next model, float32 of shape (parameters,), and what to remember."""
    step, after = _step(mean.astype(np.float64), state, spec)
    return (base.astype(np.float64) + float(spec.server_rate) * step).astype(np.float32), after


def _step(
    mean: NDArray[np.float64], state: ServerState, spec: AggregationSpec
) -> tuple[NDArray[np.float64], ServerState]:
    match spec.method:
        case "fedavgm":
            momentum = float(spec.server_momentum) * state.slots.get("momentum", 0.0) + mean
            return momentum, ServerState({"momentum": momentum})
        case "fedadam" | "fedyogi":
            return _adaptive(mean, state, spec)
        case _:
            return mean, state


def _adaptive(
    mean: NDArray[np.float64], state: ServerState, spec: AggregationSpec
) -> tuple[NDArray[np.float64], ServerState]:
    beta1, beta2, tau = float(spec.beta1), float(spec.beta2), float(spec.tau)
    first = beta1 * state.slots.get("first", np.zeros_like(mean)) + (1 - beta1) * mean
    before = state.slots.get("second", np.full_like(mean, tau**2))
    square = mean * mean
    if spec.method == "fedadam":
        second = beta2 * before + (1 - beta2) * square
    else:
        second = before - (1 - beta2) * square * np.sign(before - square)
    return first / (np.sqrt(second) + tau), ServerState({"first": first, "second": second})
