"""What a person wants of a session, as the command line's flags say it, and errors in the flags' own names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from learning.errors import DataError, LearningError
from protocol.errors import InputError

Decimals = str | int | float | Decimal
"""A number as a person writes it; kept exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """How the data are to be read. `None` means: find out from the data themselves.

    `standardize` brings every feature to mean 0 and deviation 1. `None` does so for networks and linear regression whose features are
    not divided by anything.
    """

    cid: str = ""
    form: str | None = None
    target: str | None = None
    group: str | None = None
    divide_by: Decimals = 1
    standardize: bool | None = None
    evaluation_cid: str = ""
    evaluation_share: Decimals = "0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How the samples are divided among the participants; see `learning.session_config.PartitionSpec`."""

    strategy: str = "random"
    alpha: Decimals | None = None
    labels_each: int | None = None
    power: Decimals | None = None
    min_samples: int | None = None
    overlap_ratio: Decimals | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """Privacy and secrecy of what participants hand in."""

    differential_privacy: bool = False
    noise_multiplier: Decimals | None = None
    l2_norm_clip: Decimals | None = None
    delta: Decimals | None = None
    secure_aggregation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Money and time. Amounts are USDFC base units; `None` lets them follow from the others and the chain's rules.

    `budget` caps what the whole session may cost; `reward` is of each accepted contribution. `join_s` and `train_s`
    are seconds.
    """

    budget: int | None = None
    reward: int | None = None
    bond: int | None = None
    aggregators: int | None = None
    join_s: float = 3_600.0
    train_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """A session as a person asks for it.

    `model_file` is the text of `model_config.json`, if there is one; `first` the safetensors file to begin with. With a
    `buffer`, rounds are asynchronous and go on when so many updates are there, the others counting later, at most
    `max_staleness` rounds.
    """

    name: str
    model_type: str = "neural_network"
    model_file: str | None = None
    first: bytes | None = None
    rounds: int = 10
    min_participants: int = 3
    max_participants: int | None = None
    method: str | None = None
    learning_rate: Decimals = "0.01"
    batch_size: int = 32
    local_epochs: int = 1
    hostile: int = 0
    proximal_mu: Decimals | None = None
    compression: str = "none"
    patience: int | None = None
    buffer: int | None = None
    max_staleness: int | None = None
    audit_rate: Decimals | None = None
    seed: int | None = None
    private_data: bool = False
    data: Data = Data()
    split: Split = Split()
    protection: Protection = Protection()
    terms: Terms = Terms()

    @property
    def seats(self) -> int:
        """Count the participants that there may be."""
        return self.min_participants if self.max_participants is None else self.max_participants


_DATA = "data set"
"""What is wrong with a file as a whole: it may have come by its name or by its CID."""
_FLAGS: Mapping[str, str] = {
    "name": "--name",
    "model-type": "--model-type",
    "config-file": "--config-file",
    "init": "--start-from",
    "hidden_size": "--config-file",
    "architecture": "--config-file",
    "optimizer": "--config-file",
    "loss": "--config-file",
    "metrics": "--config-file",
    "dataset": _DATA,
    "dataset.cid": "--dataset-cid",
    "dataset.format": "--dataset-format",
    "dataset.target": "--target",
    "dataset.group": "--group",
    "dataset.divide_by": "--divide-by",
    "divide_by": "--divide-by",
    "standardize": "--standardize",
    "dataset.centers": "--standardize",
    "dataset.scales": "--standardize",
    "centers": "--standardize",
    "scales": "--standardize",
    "dataset.evaluation_cid": "--evaluation-cid",
    "dataset.evaluation_share": "--evaluation-share",
    "evaluation_share": "--evaluation-share",
    "partition.strategy": "--split-strategy",
    "partition.participants": "--max-participants",
    "participants": "--max-participants",
    "partition.alpha": "--alpha",
    "alpha": "--alpha",
    "labels_each": "--labels-each",
    "partition.labels_each": "--labels-each",
    "partition.power": "--power",
    "power": "--power",
    "min_samples": "--min-samples",
    "partition.min_samples": "--min-samples",
    "partition.overlap_ratio": "--overlap-ratio",
    "group": "--group",
    "training.rounds": "--total-rounds",
    "training.min_participants": "--min-participants",
    "training.learning_rate": "--learning-rate",
    "training.batch_size": "--batch-size",
    "training.local_epochs": "--local-epochs",
    "aggregation.method": "--aggregation-method",
    "aggregation.hostile": "--hostile",
    "aggregation.proximal_mu": "--proximal-mu",
    "privacy": "--enable-differential-privacy",
    "privacy.noise_multiplier": "--noise-multiplier",
    "noise_multiplier": "--noise-multiplier",
    "privacy.clip_norm": "--l2-norm-clip",
    "privacy.delta": "--delta",
    "delta": "--delta",
    "secure_aggregation": "--secure-aggregation",
    "compression.codec": "--compression",
    "asynchronous": "--asynchronous",
    "asynchronous.buffer": "--asynchronous",
    "asynchronous.max_staleness": "--max-staleness",
    "max_staleness": "--max-staleness",
    "features": "--config-file",
    "verification.audit_rate": "--audit-rate",
    "audit_rate": "--audit-rate",
    "training.seed": "--seed",
    "seed": "--seed",
}
_MENTIONED = (
    "asynchronous", "secure_aggregation", "aggregation.method", "aggregation.hostile", "training.min_participants",
    "partition.participants", "partition.strategy", "training.loss", "training.metrics", "compression.codec",
    "dataset.group", "privacy.placement", "model.",
)  # fmt: skip


@contextmanager
def in_flags() -> Iterator[None]:
    """Turn errors of `learning` into `InputError`, naming the flag by which the person can change what is wrong."""
    try:
        yield
    except LearningError as error:
        flag = flag_of(error)
        text = (
            str(error).removeprefix(f"{error.field}: ")
            if flag.startswith("column ")
            else _in_flags(str(error))
        )
        raise InputError(f"{flag}: {text}", field=flag, hint=_hint(flag)) from error


def flag_of(error: LearningError) -> str:
    """Name the flag that an error is about; where there is none, what the error itself names."""
    if error.field in _FLAGS:
        return _FLAGS[error.field]
    if "needs dataset.group" in str(error):
        return "--group"
    mentioned = next((name for name in _MENTIONED if name in str(error)), None)
    if error.field == "document" and mentioned:
        return _FLAGS.get(mentioned, "--config-file")
    if isinstance(error, DataError):
        return f"column {error.field!r}"
    head = error.field.partition(".")[0]
    return (
        "--config-file" if head in ("model", "architecture", "optimizer", "forest", "torch") else error.field
    )


def _in_flags(text: str) -> str:
    """Leave out the name of a field that the flag already says."""
    field, separator, rest = text.partition(": ")
    return rest if separator and (field in _FLAGS or field == "document") else text


def _hint(flag: str) -> str:
    if flag == "--config-file":
        return "Correct the model's file; docs/tutorials/first-federated-session.md shows one."
    if flag == _DATA:
        return "Correct the file: a table with a header, as CSV in UTF-8, JSON, Parquet or NPZ."
    if flag.startswith("column "):
        return (
            "Correct the file; every feature is a number, and every row has one class or quantity to predict."
        )
    return f"Change {flag}, or leave it out; parity-client fl create-session --help says what it takes."
