"""A participant's optimisers over one flat vector of parameters, equal to torch's own of the same name.

State is a few vectors of the parameters' shape, so that a checkpoint is weights and those vectors, and nothing else.
"""

import torch
from torch import Tensor

from learning.model_spec import Optimizer

Slots = dict[str, Tensor]
_BETA1, _BETA2, _EPSILON, _RMS_ALPHA = 0.9, 0.999, 1e-8, 0.99


def slot_names(spec: Optimizer) -> tuple[str, ...]:
    """Name the vectors of state, in the order in which they are hashed."""
    if spec.type in ("adam", "adamw"):
        return ("mean", "square")
    momentum = ("momentum",) if spec.momentum else ()
    return (*momentum, "square") if spec.type == "rmsprop" else momentum


def fresh_slots(spec: Optimizer, parameters: int) -> Slots:
    """Return the state before the first step."""
    return {name: torch.zeros(parameters) for name in slot_names(spec)}


def step(
    weights: Tensor, gradient: Tensor, slots: Slots, spec: Optimizer, *, rate: float, number: int
) -> None:
    """Change `weights` and `slots` by step `number` (from 0). `gradient` may be changed too."""
    decay, momentum = float(spec.weight_decay), float(spec.momentum)
    if decay and spec.type == "adamw":
        weights.mul_(1 - rate * decay)
    elif decay:
        gradient.add_(weights, alpha=decay)
    match spec.type:
        case "sgd":
            weights.sub_(_sgd_direction(gradient, slots, spec, momentum), alpha=rate)
        case "adam" | "adamw":
            _adam(weights, gradient, slots, rate=rate, number=number)
        case "rmsprop":
            _rmsprop(weights, gradient, slots, rate=rate, momentum=momentum)


def _sgd_direction(gradient: Tensor, slots: Slots, spec: Optimizer, momentum: float) -> Tensor:
    if not momentum:
        return gradient
    buffer = slots["momentum"].mul_(momentum).add_(gradient)
    return gradient.add_(buffer, alpha=momentum) if spec.nesterov else buffer


def _adam(weights: Tensor, gradient: Tensor, slots: Slots, *, rate: float, number: int) -> None:
    slots["mean"].lerp_(gradient, 1 - _BETA1)
    slots["square"].mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
    first, second = 1 - _BETA1 ** (number + 1), 1 - _BETA2 ** (number + 1)
    denominator = (slots["square"].sqrt() / second**0.5).add_(_EPSILON)
    weights.addcdiv_(slots["mean"], denominator, value=-rate / first)


def _rmsprop(weights: Tensor, gradient: Tensor, slots: Slots, *, rate: float, momentum: float) -> None:
    slots["square"].mul_(_RMS_ALPHA).addcmul_(gradient, gradient, value=1 - _RMS_ALPHA)
    denominator = slots["square"].sqrt().add_(_EPSILON)
    if momentum:
        slots["momentum"].mul_(momentum).addcdiv_(gradient, denominator)
        weights.sub_(slots["momentum"], alpha=rate)
    else:
        weights.addcdiv_(gradient, denominator, value=-rate)
