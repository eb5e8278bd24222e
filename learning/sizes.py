"""How many parameters a declared model has, by arithmetic: asked before anything is made that a stranger's document describes."""

from itertools import pairwise

from learning.model_spec import Cnn, LinearRegression, Mlp, NetworkSpec, NeuralNetwork, Transformer


def parameters(spec: NetworkSpec) -> int:
    """Count a network's parameters without making it."""
    match spec:
        case LinearRegression():
            return _layers(spec.input_dim, spec.output_dim)
        case NeuralNetwork():
            return _layers(spec.input_dim, *spec.hidden, spec.output_dim)
    match spec.architecture:
        case Mlp() as mlp:
            scales = 2 * sum(mlp.hidden) if mlp.layer_norm else 0
            return _layers(spec.input_dim, *mlp.hidden, spec.output_dim) + scales
        case Cnn() as cnn:
            return _convolutions(cnn) + _layers(_pooled(cnn), cnn.hidden, spec.output_dim)
        case Transformer() as encoder:
            return _encoder(encoder, spec.input_dim) + _layers(encoder.width, spec.output_dim)


def _layers(*widths: int) -> int:
    return sum((before + 1) * after for before, after in pairwise(widths))


def _convolutions(spec: Cnn) -> int:
    return sum((9 * before + 1) * after for before, after in pairwise((spec.image[0], *spec.channels)))


def _pooled(spec: Cnn) -> int:
    height, width = (size >> len(spec.channels) for size in spec.image[1:])
    return spec.channels[-1] * height * width


def _encoder(spec: Transformer, inputs: int) -> int:
    width, norm = spec.width, 2 * spec.width
    block = 2 * norm + _layers(width, 3 * width) + _layers(width, width) + _layers(width, 4 * width, width)
    return _layers(inputs // spec.tokens, width) + spec.tokens * width + spec.layers * block + norm
