"""The command line's flags and its `model_config.json`, made into a session's configuration."""

import json
from typing import Any

from pydantic import Field

from learning.canonical import Document, Number
from learning.errors import ConfigError
from learning.model_spec import Activation, Optimizer, OutputActivation, Width
from learning.session_config import QUANTITY_LOSSES, Loss, Metric, SessionConfig

ADAPTIVE_RATE = "0.05"
"""The server's rate under fedadam and fedyogi, which divide each parameter's step by its own size: at a rate of 1, each moves by about 1."""


class Architecture(Document):
    """The file's `architecture`. Without `output_activation` it is softmax for classes, and linear for quantities."""

    input_dim: Width
    output_dim: Width
    activation: Activation = "relu"
    output_activation: OutputActivation | None = None


class Forest(Document):
    """The file's `forest`, for random_forest."""

    trees: int = 10
    max_depth: int = 12
    min_samples_leaf: int = 1


class ModelConfig(Document):
    """`model_config.json`: the model and how it learns. Whatever is left out has the session's default."""

    hidden_size: Width | tuple[Width, ...] = 128
    architecture: Architecture
    optimizer: Optimizer = Optimizer()
    loss: Loss | None = None
    metrics: tuple[Metric, ...] | None = None
    forest: Forest = Forest()
    torch: dict[str, Any] | None = Field(default=None, description="for model type torch: its architecture")
    max_gradient_norm: Number | None = None


def session_config(
    model_file: bytes | str, *, name: str, model_type: str, sections: dict[str, dict[str, Any]]
) -> SessionConfig:
    """Join `model_config.json` with what the flags say, by section of `SessionConfig`, such as
    `{"dataset": {"cid": …}, "training": {"rounds": 10}, "aggregation": {"method": "fedavg"}}`.

    Raises `ConfigError` naming the field.
    """  # noqa: D205 - the summary needs its example
    try:
        file = ModelConfig.build(json.loads(model_file))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"not JSON: {error}", field="config-file") from None
    regression = (
        file.architecture.output_dim == 1
        if model_type == "random_forest"
        else model_type == "linear_regression" or file.loss in QUANTITY_LOSSES
    )
    training: dict[str, Any] = {
        "optimizer": file.optimizer.model_dump(),
        "loss": file.loss or ("mse" if regression else "cross_entropy"),
        "metrics": file.metrics or (("mse", "r2") if regression else ("accuracy",)),
        "max_gradient_norm": file.max_gradient_norm,
    }
    merged = {key: dict(value) for key, value in sections.items()}
    merged["training"] = training | merged.get("training", {})
    if model_type == "random_forest":
        merged["aggregation"] = {"method": "forest_union"} | merged.get("aggregation", {})
    if merged.get("aggregation", {}).get("method") in ("fedadam", "fedyogi"):
        merged["aggregation"] = {"server_rate": ADAPTIVE_RATE} | merged["aggregation"]
    return SessionConfig.build(
        {"name": name, "model": _model(model_type, file, regression=regression), **merged}
    )


def _model(model_type: str, file: ModelConfig, *, regression: bool) -> dict[str, Any]:
    shape = {"input_dim": file.architecture.input_dim, "output_dim": file.architecture.output_dim}
    hidden = (file.hidden_size,) if isinstance(file.hidden_size, int) else file.hidden_size
    output = file.architecture.output_activation or ("linear" if regression else "softmax")
    match model_type:
        case "neural_network":
            layers = {"activation": file.architecture.activation, "output_activation": output}
            return {"type": model_type, "hidden": hidden, **shape, **layers}
        case "linear_regression":
            return {"type": model_type, **shape}
        case "random_forest":
            return {"type": model_type, **shape, **file.forest.model_dump()}
        case "torch":
            if file.torch is None:
                raise ConfigError(
                    'says no architecture; add {"torch": {"name": "cnn", …}}', field="config-file"
                )
            return {"type": model_type, **shape, "architecture": file.torch, "output_activation": output}
    known = "neural_network, linear_regression, random_forest, torch"
    raise ConfigError(f"expected one of {known}, not {model_type!r}", field="model-type")
