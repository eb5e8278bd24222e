"""The declared architectures as torch modules, and their first weights, which every machine derives alike."""

import math
from collections.abc import Callable
from typing import assert_never

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from learning.errors import ConfigError
from learning.model_spec import (
    MAX_PARAMETERS,
    Activation,
    Cnn,
    LinearRegression,
    Mlp,
    NetworkSpec,
    NeuralNetwork,
    OutputActivation,
    TorchModel,
    Transformer,
)
from learning.seeds import derive_seed, generator
from learning.tensors import Layout, State

_ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
}


def build(spec: NetworkSpec) -> nn.Module:
    """Make the module: (batch, input_dim) float32 to raw outputs (batch, output_dim). Its weights are still torch's."""
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in _module(spec).parameters())
    if size > MAX_PARAMETERS:
        raise ConfigError(f"{size} parameters; at most {MAX_PARAMETERS} are trained", field="model")
    return _module(spec)


def layout(spec: NetworkSpec) -> Layout:
    """Return names and shapes of the tensors, without making them."""
    with torch.device("meta"):
        named = {name: tuple(p.shape) for name, p in _module(spec).named_parameters()}
    return Layout(tuple(sorted(named.items())))


def initial_state(spec: NetworkSpec, *, seed: int) -> State:
    """Draw first weights: uniform within ±1/√fan_in, as torch's layers do, from numpy's stream for each tensor's name."""
    shapes = dict(layout(spec).shapes)
    return {name: _draw(name, shapes, seed=seed) for name in sorted(shapes)}


def _draw(
    name: str, shapes: dict[str, tuple[int, ...]], *, seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    shape = shapes[name]
    prefix, _, kind = name.rpartition(".")
    weight = shapes.get(f"{prefix}.weight", shape)
    if len(weight) == 1:  # a normalisation's scale and shift
        return np.full(shape, 1.0 if kind == "weight" else 0.0, dtype=np.float32)
    bound = 1 / math.sqrt(math.prod(weight[1:]))
    rng = generator(derive_seed("weights", seed, name))
    return ((2 * rng.random(shape) - 1) * bound).astype(np.float32)


def activate(outputs: Tensor, kind: OutputActivation) -> Tensor:
    """Turn raw outputs into predictions: probabilities or quantities."""
    match kind:
        case "softmax":
            return outputs.softmax(dim=-1)
        case "sigmoid":
            return outputs.sigmoid()
        case "linear":
            return outputs


def output_activation(spec: NetworkSpec) -> OutputActivation:
    """Return what turns a model's raw outputs into predictions."""
    return "linear" if isinstance(spec, LinearRegression) else spec.output_activation


def _module(spec: NetworkSpec) -> nn.Module:
    match spec:
        case NeuralNetwork():
            return _mlp(spec.input_dim, spec.hidden, spec.output_dim, activation=spec.activation)
        case LinearRegression():
            return nn.Sequential(nn.Linear(spec.input_dim, spec.output_dim))
        case TorchModel():
            return _declared(spec)
    assert_never(spec)


def _declared(spec: TorchModel) -> nn.Module:
    match spec.architecture:
        case Mlp() as mlp:
            return _mlp(
                spec.input_dim, mlp.hidden, spec.output_dim, activation=mlp.activation, norm=mlp.layer_norm
            )
        case Cnn() as cnn:
            return _cnn(cnn, spec.output_dim)
        case Transformer() as transformer:
            return Encoder(transformer, spec.input_dim, spec.output_dim)
    assert_never(spec.architecture)


def _mlp(
    inputs: int, hidden: tuple[int, ...], outputs: int, *, activation: Activation, norm: bool = False
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(inputs, width))
        if norm:
            layers.append(nn.LayerNorm(width))
        layers.append(_ACTIVATIONS[activation]())
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _cnn(spec: Cnn, outputs: int) -> nn.Sequential:
    channels, height, width = spec.image
    layers: list[nn.Module] = [nn.Unflatten(1, spec.image)]
    for filters in spec.channels:
        layers += [
            nn.Conv2d(channels, filters, 3, padding=1),
            _ACTIVATIONS[spec.activation](),
            nn.MaxPool2d(2),
        ]
        channels, height, width = filters, height // 2, width // 2
    layers += [nn.Flatten(), nn.Linear(channels * height * width, spec.hidden)]
    return nn.Sequential(*layers, _ACTIVATIONS[spec.activation](), nn.Linear(spec.hidden, outputs))


class Encoder(nn.Module):
    """A small transformer encoder: (batch, input_dim) is cut into tokens, embedded, attended, averaged."""

    def __init__(self, spec: Transformer, inputs: int, outputs: int) -> None:
        super().__init__()
        self.tokens = spec.tokens
        self.embed = nn.Linear(inputs // spec.tokens, spec.width)
        self.position = nn.Linear(spec.tokens, spec.width, bias=False)
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.layers))
        self.norm = nn.LayerNorm(spec.width)
        self.output = nn.Linear(spec.width, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return raw outputs, (batch, output_dim)."""
        hidden = self.embed(inputs.reshape(len(inputs), self.tokens, -1)) + self.position.weight.T
        for block in self.blocks:
            hidden = block(hidden)
        raw: Tensor = self.output(self.norm(hidden.mean(dim=1)))
        return raw


class Block(nn.Module):
    """Self-attention and a two-layer network, each with normalisation before and the input added after."""

    def __init__(self, spec: Transformer) -> None:
        super().__init__()
        self.heads = spec.heads
        self.before = nn.LayerNorm(spec.width)
        self.project = nn.Linear(spec.width, 3 * spec.width)
        self.join = nn.Linear(spec.width, spec.width)
        self.after = nn.LayerNorm(spec.width)
        self.widen = nn.Linear(spec.width, 4 * spec.width)
        self.narrow = nn.Linear(4 * spec.width, spec.width)
        self.activation = _ACTIVATIONS[spec.activation]()

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        hidden = hidden + self.join(self._attend(self.before(hidden)))
        result: Tensor = hidden + self.narrow(self.activation(self.widen(self.after(hidden))))
        return result

    def _attend(self, hidden: Tensor) -> Tensor:
        query, key, value = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2)
            for part in self.project(hidden).chunk(3, 2)
        )
        scores = functional.softmax(query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]), dim=-1)
        attended: Tensor = (scores @ value).transpose(1, 2).flatten(2)
        return attended
