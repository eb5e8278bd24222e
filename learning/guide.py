"""The command line's flags and its `model_config.json`, made into a session's configuration."""

import json
from typing import Any

from pydantic import Field

from learning.canonical import Document, Number
from learning.errors import ConfigError
from learning.model_spec import Activation, Optimizer, OutputActivation, Width
from learning.session_config import Loss, Metric, SessionConfig


class Architecture(Document):
    """The file's `architecture`."""

    input_dim: Width
    output_dim: Width
    activation: Activation = "relu"
    output_activation: OutputActivation = "softmax"


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
    regression = model_type == "linear_regression" or (
        model_type == "random_forest" and file.architecture.output_dim == 1
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
    return SessionConfig.build({"name": name, "model": _model(model_type, file), **merged})


def _model(model_type: str, file: ModelConfig) -> dict[str, Any]:
    shape = {"input_dim": file.architecture.input_dim, "output_dim": file.architecture.output_dim}
    hidden = (file.hidden_size,) if isinstance(file.hidden_size, int) else file.hidden_size
    match model_type:
        case "neural_network":
            layers = file.architecture.model_dump(include={"activation", "output_activation"})
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
            output = file.architecture.output_activation
            return {"type": model_type, **shape, "architecture": file.torch, "output_activation": output}
    known = "neural_network, linear_regression, random_forest, torch"
    raise ConfigError(f"expected one of {known}, not {model_type!r}", field="model-type")
