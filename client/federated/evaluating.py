"""What a fetched model is worth on samples of one's own."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.federated.local_data import read_data_file
from learning import forest, forest_rounds
from learning.datasets import Dataset, format_of, load_dataset
from learning.errors import LearningError
from learning.evaluate import Evaluation, evaluate
from learning.model_spec import RandomForest
from learning.networks import layout
from learning.session_config import SessionConfig
from learning.tensors import flatten, from_safetensors
from protocol.errors import ContentMismatch, InputError

_MAX_CARD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Mean loss and the session's metrics of a model over `samples`."""

    model: str
    data: str
    loss: float
    metrics: dict[str, float]
    samples: int


def evaluate_model(model: Path, data: Path) -> Measured:
    """Measure a model that `get_model` wrote, with its card beside it, on a file of the session's columns.

    Raises `InputError` naming what cannot be read, `ContentMismatch` if the model is not the one of its card.
    """
    card = _read_card(model)
    with _said_of("MODEL", hint="Fetch it again: parity-client fl get-model ID -o FILE --replace"):
        config = SessionConfig.build(card["config"])
    content, _ = read_data_file(data)
    with _said_of("DATA", hint="Correct the file: it needs the columns of the session's data set."):
        spec = config.dataset.model_copy(update={"format": format_of(content)})
        classes = config.model.output_dim if config.classifies else None
        samples = load_dataset(content, spec, input_dim=config.model.input_dim, classes=classes)
    with _said_of("MODEL", hint="Fetch it again: parity-client fl get-model ID -o FILE --replace"):
        found = _measured(config, _read_weights(model, card), samples)
    return Measured(
        model=str(model), data=str(data), loss=found.loss, metrics=found.metrics, samples=found.samples
    )


@contextmanager
def _said_of(argument: str, *, hint: str) -> Iterator[None]:
    """Turn errors of `learning` into `InputError` that names the argument, and the column if it is about one."""
    try:
        yield
    except LearningError as error:
        raise InputError(f"{argument}: {error}", field=argument, hint=hint) from error


def _measured(config: SessionConfig, file: bytes, samples: Dataset) -> Evaluation:
    if isinstance(config.model, RandomForest):
        return forest_rounds.evaluate(forest.from_bytes(file, config.model), samples, config.training)
    places = layout(config.model)
    weights = flatten(from_safetensors(file, places), places)
    return evaluate(config.model, weights, samples, config.training)


def _read_card(model: Path) -> dict[str, Any]:
    path = model.with_name(model.name + ".card.json")
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise _no_card(path, "too long")
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_card(path, str(error)) from error
    if not isinstance(card, dict) or not {"config", "chainModel"} <= card.keys():
        raise _no_card(path, "not a model's card")
    return card


def _read_weights(model: Path, card: dict[str, Any]) -> bytes:
    try:
        content = model.read_bytes()
    except OSError as error:
        raise InputError(
            f"MODEL: {model} cannot be read ({error.strerror})", field="MODEL", hint="Check the path."
        ) from error
    if "0x" + hashlib.sha256(content).hexdigest() != card["chainModel"]:
        raise ContentMismatch(
            f"{model}: not the model that its card names",
            hint="Fetch it again: parity-client fl get-model ID -o FILE --replace",
        )
    return content


def _no_card(path: Path, why: str) -> InputError:
    return InputError(
        f"MODEL: {path} cannot be read ({why})",
        field="MODEL",
        hint="Keep the card that parity-client fl get-model wrote in the same folder as the model.",
    )
