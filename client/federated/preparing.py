"""From wishes and data to a session's documents: everything is checked here, before anything is stored or paid."""

import json
import secrets
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from client.federated.columns import ONE_CLASS, class_names, count_classes, named, target_of
from client.federated.wishes import Protection, Split, Wishes, in_flags
from learning import assignment
from learning.assignment import ListPlace, PartitionIndex
from learning.canonical import MAX_DOCUMENT_BYTES
from learning.datasets import (
    Columns,
    Dataset,
    format_of,
    load_dataset,
    read_columns,
)
from learning.errors import ConfigError, DataError, TensorError
from learning.guide import session_config
from learning.model_spec import LinearRegression, NeuralNetwork, RandomForest
from learning.networks import layout, output_activation
from learning.partition import Indices
from learning.privacy import spent_after
from learning.session_config import Format, SessionConfig, VerificationSpec
from learning.standardizing import standardized, with_target
from learning.tensors import from_safetensors
from protocol.parts import stored_as

MODEL_TYPES = ("neural_network", "linear_regression", "random_forest", "torch")
_MOST_STANDARDIZED = 4_096
"""Two figures of each feature have to fit into the session's document with everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A session's documents, ready to be published. `lists` are contents, the last one being the held-out rows.

    `first` is the model's file that round one starts from; none if its weights are drawn from the seed. `samples` counts each seat's; it is empty where participants bring their own data. `epsilon` is what all rounds
    spend of privacy.
    """

    config: SessionConfig
    first: bytes | None
    lists: tuple[bytes, ...]
    index: PartitionIndex | None
    rows: int
    features: int
    samples: tuple[int, ...]
    held_out: int
    parameters: int | None
    epsilon: float | None


def prepare(wishes: Wishes, dataset: bytes | None, evaluation: bytes | None = None) -> Prepared:
    """Check wishes against each other and against the data, and write the session's documents.

    `dataset` is the content of `wishes.data.cid`, `None` if participants bring their own; `evaluation` that of
    `wishes.data.evaluation_cid`. Raises `InputError` naming the flag.
    """
    with in_flags():
        if dataset is None:
            return _prepare_private(wishes, evaluation)
        return _prepare_public(wishes, dataset, evaluation)


def _prepare_public(wishes: Wishes, content: bytes, evaluation: bytes | None) -> Prepared:
    form = _format(wishes, content)
    columns = read_columns(content, form)
    config = _configure(wishes, _dataset_section(wishes, columns, form), columns)
    data = _read(config, content)
    if config.classifies and len(np.unique(data.targets)) == 1:
        raise DataError(ONE_CLASS, field="dataset.target")
    if evaluation is not None:
        try:
            _read(config, evaluation)
        except DataError as error:
            raise DataError(str(error), field="dataset.evaluation_cid") from error
    share = 0.0 if config.dataset.evaluation_cid else float(config.dataset.evaluation_share)
    if not config.dataset.evaluation_cid and share == 0:
        raise ConfigError(
            "rounds are judged on held-out samples: set a share, or a file", field="evaluation_share"
        )
    division = assignment.divide_rows(data, config.partition, evaluation_share=share)
    trained_on = np.unique(np.concatenate(division.parts))
    config = _standardized(wishes, config, columns, trained_on)
    return _published(wishes, config, data, division.parts, division.held_out)


def _prepare_private(wishes: Wishes, evaluation: bytes | None) -> Prepared:
    if evaluation is None:
        raise ConfigError(
            "nobody else can evaluate on participants' private data: set --evaluation-cid",
            field="evaluation_share",
        )
    if wishes.model_file is None:
        raise ConfigError("without a shared data set, the model's shape must be given", field="config-file")
    form = _format(wishes, evaluation)
    columns = read_columns(evaluation, form)
    config = _configure(wishes, _dataset_section(wishes, columns, form), columns)
    data = _read(config, evaluation)
    config = _standardized(wishes, config, columns, np.arange(len(data)))
    return _prepared(wishes, config, data, lists=(), index=None, samples=(), held_out=len(data))


def _standardized(wishes: Wishes, config: SessionConfig, columns: Columns, rows: Indices) -> SessionConfig:
    """Have features of unlike sizes brought to one, by what is seen in `rows`, where that is wanted or nothing is said."""
    model, wanted = config.model, wishes.data.standardize
    few = model.input_dim <= _MOST_STANDARDIZED
    if wanted and not few:
        raise ConfigError(f"takes at most {_MOST_STANDARDIZED:,} features", field="standardize")
    if wanted is None:
        plain = isinstance(model, NeuralNetwork | LinearRegression) and config.dataset.divide_by == 1
        if plain and wishes.first is not None:
            raise ConfigError(
                "say whether the weights to begin with are of a model of standardized features: --standardize or --no-standardize",
                field="standardize",
            )
        wanted = plain and few
    dataset = standardized(config.dataset, columns, rows) if wanted else config.dataset
    # Trees ask about one feature at a time, whatever its size; but a gate's bound is of losses near 1 for them too.
    forest = isinstance(model, RandomForest) and wishes.data.standardize is None
    unbounded = isinstance(model, RandomForest) or output_activation(model) == "linear"
    if (wanted or forest) and unbounded and not config.classifies:
        dataset = with_target(dataset, columns, rows)
    return config.model_copy(update={"dataset": dataset})


def _published(
    wishes: Wishes, config: SessionConfig, data: Dataset, parts: tuple[Indices, ...], held_out: Indices
) -> Prepared:
    published = assignment.publish(parts)
    held = assignment.publish([held_out]).lists if len(held_out) else ()
    sizes = [len(part) for part in parts]
    index = PartitionIndex(
        samples=len(data),
        root=published.root,
        lists=tuple(_place(content, size) for content, size in zip(published.lists, sizes, strict=True)),
        evaluation=_place(held[0], len(held_out)) if held else None,
    )
    places = {"root": published.root, "index": index.digest().hex()}
    config = config.model_copy(update={"partition": config.partition.model_copy(update=places)})
    return _prepared(
        wishes,
        config,
        data,
        lists=(*published.lists, *held),
        index=index,
        samples=tuple(sizes),
        held_out=len(held_out),
    )


def _prepared(
    wishes: Wishes,
    config: SessionConfig,
    data: Dataset,
    *,
    lists: tuple[bytes, ...],
    index: PartitionIndex | None,
    samples: tuple[int, ...],
    held_out: int,
) -> Prepared:
    privacy = config.privacy
    if (size := len(config.canonical())) > MAX_DOCUMENT_BYTES:
        raise DataError(
            f"the session's document would have {size:,} bytes, and {MAX_DOCUMENT_BYTES:,} are the most; "
            "shorten the names of classes and columns",
            field="dataset",
        )
    return Prepared(
        config=config,
        first=wishes.first,
        lists=lists,
        index=index,
        rows=len(data),
        features=data.features.shape[1],
        samples=samples,
        held_out=held_out,
        parameters=None if isinstance(config.model, RandomForest) else layout(config.model).size,
        epsilon=spent_after(privacy, config.training.rounds).epsilon if privacy else None,
    )


def _place(content: bytes, samples: int) -> ListPlace:
    return ListPlace(parts=stored_as(content).root.hex(), samples=samples)


def _format(wishes: Wishes, content: bytes) -> Format:
    given = wishes.data.form
    if given is None:
        return format_of(content)
    known: dict[str, Format] = {name: name for name in get_args(Format)}
    if given not in known:
        raise ConfigError(f"expected one of {', '.join(known)}, not {given!r}", field="dataset.format")
    return known[given]


def _dataset_section(wishes: Wishes, columns: Columns, form: Format) -> dict[str, Any]:
    wanted = wishes.data
    return {
        "cid": wanted.cid,
        "format": form,
        "target": target_of(columns, wanted.target),
        "group": wanted.group,
        "divide_by": wanted.divide_by,
        "evaluation_cid": wanted.evaluation_cid,
        "evaluation_share": wanted.evaluation_share,
    }


def _configure(wishes: Wishes, dataset: dict[str, Any], columns: Columns) -> SessionConfig:
    file = wishes.model_file or _default_model(wishes, dataset, columns)
    sections = _sections(wishes) | {"dataset": dataset}
    config = session_config(file, name=wishes.name, model_type=wishes.model_type, sections=sections)
    _require_supported(config)
    config = config.model_copy(update={"dataset": named(config.dataset, columns)})
    if wishes.first is not None:
        config = _begun_with(wishes.first, config)
    if config.classifies and (names := class_names(columns[config.dataset.target], config.dataset.target)):
        config = config.model_copy(update={"dataset": config.dataset.model_copy(update={"labels": names})})
        classes = _classes(config)
        if classes is not None and len(names) > max(classes, 2):
            raise ConfigError(
                f"output_dim {classes} is fewer than the {len(names)} classes of column {config.dataset.target!r}",
                field="architecture",
            )
    return config


def _begun_with(first: bytes, config: SessionConfig) -> SessionConfig:
    """Name the file that the session begins with, once its tensors are seen to be the model's."""
    if isinstance(config.model, RandomForest):
        raise ConfigError("a random_forest begins without trees", field="init")
    try:
        from_safetensors(first, layout(config.model))
    except TensorError as error:
        raise ConfigError(f"not the weights of the session's model: {error}", field="init") from error
    model = config.model.model_copy(update={"init": stored_as(first).root.hex()})
    return config.model_copy(update={"model": model})


def _require_supported(config: SessionConfig) -> None:
    """Refuse what no runner would take part in, before it costs anything."""
    if config.privacy and not config.secure_aggregation:
        raise ConfigError(
            "noise protects only what nobody can read without it, and updates lie on IPFS: add --secure-aggregation",
            field="privacy",
        )


def _sections(wishes: Wishes) -> dict[str, dict[str, Any]]:
    seed = secrets.randbelow(2**31) if wishes.seed is None else wishes.seed
    sections: dict[str, dict[str, Any]] = {
        "partition": {"participants": wishes.seats, "seed": seed, **_split(wishes.split)},
        "training": {
            "rounds": wishes.rounds,
            "min_participants": wishes.min_participants,
            "local_epochs": wishes.local_epochs,
            "batch_size": wishes.batch_size,
            "learning_rate": wishes.learning_rate,
            "seed": seed,
        },
        "aggregation": {"hostile": wishes.hostile},
        "compression": {"codec": wishes.compression},
    }
    if wishes.method is not None:
        sections["aggregation"]["method"] = wishes.method
    if wishes.proximal_mu is not None:
        sections["aggregation"]["proximal_mu"] = wishes.proximal_mu
    if wishes.audit_rate is not None:
        sections["verification"] = _audits(wishes)
    if wishes.patience is not None:
        sections["training"]["early_stop"] = {"patience": wishes.patience}
    if wishes.buffer is not None:
        sections["asynchronous"] = {"buffer": wishes.buffer}
        if wishes.max_staleness is not None:
            sections["asynchronous"]["max_staleness"] = wishes.max_staleness
    elif wishes.max_staleness is not None:
        raise ConfigError("is for asynchronous rounds: add --asynchronous", field="max_staleness")
    return sections | _protection(wishes.protection, wishes)


def _audits(wishes: Wishes) -> dict[str, Any]:
    """Return how often contributions are re-executed; refused where nobody could."""
    if wishes.private_data or wishes.protection.secure_aggregation:
        hidden = "samples" if wishes.private_data else "updates"
        raise ConfigError(f"nobody can re-execute work whose {hidden} nobody may see", field="audit_rate")
    checked = VerificationSpec.build({"audit_rate": wishes.audit_rate})
    return {
        "audit_rate": checked.audit_rate,
        "flagged_rate": max(checked.flagged_rate, checked.audit_rate),
    }


def _split(split: Split) -> dict[str, Any]:
    """Return what was asked for, and refuse what the strategy would not look at."""
    only = {"alpha": "non_iid", "labels_each": "label_skew", "power": "quantity"}
    for name, strategy in only.items():
        if getattr(split, name) is not None and split.strategy != strategy:
            raise ConfigError(f"belongs to --split-strategy {strategy}, not {split.strategy}", field=name)
    fields = ("alpha", "labels_each", "power", "min_samples", "overlap_ratio")
    given = {name: value for name in fields if (value := getattr(split, name)) is not None}
    return {"strategy": split.strategy, **given}


def _protection(wanted: Protection, wishes: Wishes) -> dict[str, dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    given = {
        "noise_multiplier": wanted.noise_multiplier,
        "clip_norm": wanted.l2_norm_clip,
        "delta": wanted.delta,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if given and not wanted.differential_privacy:
        raise ConfigError(
            "sets a privacy parameter, but privacy is off: add --enable-differential-privacy",
            field=f"privacy.{next(iter(given))}",
        )
    if wanted.differential_privacy:
        placement = "distributed" if wanted.secure_aggregation else "central"
        sections["privacy"] = {**given, "placement": placement}
    if wanted.secure_aggregation:
        sections["secure_aggregation"] = {"threshold": _threshold(wishes)}
    return sections


def _threshold(wishes: Wishes) -> int:
    """Two thirds of the seats, and one; no more than the fewest participants there may be, and always a majority."""
    threshold = min(wishes.seats * 2 // 3 + 1, wishes.min_participants)
    if threshold < 2 or 2 * threshold <= wishes.seats:
        least = max(2, wishes.seats // 2 + 1)
        raise ConfigError(
            f"secure aggregation with up to {wishes.seats} participants needs at least {least} of them in every "
            f"round, not {wishes.min_participants}: a sum is unmasked by a majority",
            field="training.min_participants",
        )
    return threshold


def _default_model(wishes: Wishes, dataset: dict[str, Any], columns: Columns) -> str:
    """Write the model's file from the data: as many inputs as features, as many outputs as classes."""
    apart = {dataset["target"], dataset["group"]}
    inputs = sum(name not in apart for name in columns)
    if not inputs:
        raise DataError("there is no column besides the target, so nothing to learn from", field="dataset")
    outputs = (
        1
        if wishes.model_type == "linear_regression"
        else count_classes(columns[dataset["target"]], dataset["target"])
    )
    if wishes.model_type == "torch":
        raise ConfigError("a torch model needs a file with its architecture", field="config-file")
    return json.dumps({"architecture": {"input_dim": inputs, "output_dim": outputs}})


def _classes(config: SessionConfig) -> int | None:
    return config.model.output_dim if config.classifies else None


def _read(config: SessionConfig, content: bytes) -> Dataset:
    return load_dataset(content, config.dataset, input_dim=config.model.input_dim, classes=_classes(config))
