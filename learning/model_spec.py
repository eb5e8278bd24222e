"""What a model is, as data: a closed list of architectures, so that no code from a stranger is ever imported."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from learning.canonical import Document, Number

Width = Annotated[int, Field(ge=1, le=65_536)]
Activation = Literal["relu", "tanh", "sigmoid", "gelu", "leaky_relu"]
OutputActivation = Literal["softmax", "sigmoid", "linear"]
MAX_PARAMETERS = 200_000_000


class Network(Document):
    """What has weights: they are drawn from the session's seed, or begin as another session or training left them.

    `init` then names the safetensors file, by the SHA-256 digest of the list of its parts.
    """

    input_dim: Width
    output_dim: Width
    init: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class NeuralNetwork(Network):
    """Fully connected layers: `input_dim`, then each of `hidden`, then `output_dim`."""

    type: Literal["neural_network"] = "neural_network"
    hidden: tuple[Width, ...] = Field(default=(128,), max_length=32)
    activation: Activation = "relu"
    output_activation: OutputActivation = "softmax"


class LinearRegression(Network):
    """One linear layer, trained by gradient steps like any network."""

    type: Literal["linear_regression"] = "linear_regression"
    output_dim: Width = 1


class RandomForest(Document):
    """Decision trees; participants grow `trees` each, their union votes (or averages)."""

    type: Literal["random_forest"] = "random_forest"
    input_dim: Width
    output_dim: Width = Field(description="classes; 1 means regression")
    trees: int = Field(default=10, ge=1, le=1_000)
    max_depth: int = Field(default=12, ge=1, le=32)
    min_samples_leaf: int = Field(default=1, ge=1)


class Mlp(Document):
    """The network of `NeuralNetwork`, with layer normalisation if asked."""

    name: Literal["mlp"] = "mlp"
    hidden: tuple[Width, ...] = Field(default=(128,), max_length=32)
    activation: Activation = "relu"
    layer_norm: bool = False


class Cnn(Document):
    """3x3 convolutions, each followed by the activation and 2x2 max pooling, then one hidden layer."""

    name: Literal["cnn"] = "cnn"
    image: tuple[Width, Width, Width] = Field(description="channels, height, width")
    channels: tuple[Width, ...] = Field(default=(16, 32), min_length=1, max_length=6)
    hidden: Width = 64
    activation: Activation = "relu"

    @model_validator(mode="after")
    def _room_for_pooling(self) -> Self:
        if min(self.image[1:]) < 2 ** len(self.channels):
            raise ValueError(
                f"images of {self.image[1]}x{self.image[2]} are halved {len(self.channels)} times; take fewer channels"
            )
        return self


class Transformer(Document):
    """An encoder over the input cut into `tokens` equal parts: embedding, blocks, mean, output."""

    name: Literal["transformer"] = "transformer"
    tokens: Width
    width: Width = 32
    heads: int = Field(default=4, ge=1, le=64)
    layers: int = Field(default=2, ge=1, le=24)
    activation: Activation = "gelu"

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


class TorchModel(Network):
    """One of the declared architectures."""

    type: Literal["torch"] = "torch"
    architecture: Annotated[Mlp | Cnn | Transformer, Field(discriminator="name")]
    output_activation: OutputActivation = "softmax"

    @model_validator(mode="after")
    def _input_fits(self) -> Self:
        match self.architecture:
            case Cnn(image=(channels, height, width)) if channels * height * width != self.input_dim:
                raise ValueError(f"input_dim {self.input_dim} is not the image's {channels}x{height}x{width}")
            case Transformer(tokens=tokens) if self.input_dim % tokens:
                raise ValueError(f"input_dim {self.input_dim} is not a multiple of tokens {tokens}")
        return self


ModelSpec = Annotated[
    NeuralNetwork | LinearRegression | RandomForest | TorchModel, Field(discriminator="type")
]
NetworkSpec = NeuralNetwork | LinearRegression | TorchModel


class Optimizer(Document):
    """A participant's optimiser; its state starts anew each round."""

    type: Literal["sgd", "adam", "adamw", "rmsprop"] = "sgd"
    momentum: Number = Field(default=Decimal(0), ge=0, lt=1)
    nesterov: bool = False
    weight_decay: Number = Field(default=Decimal(0), ge=0, le=1)
