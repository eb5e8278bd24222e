"""A session, whole: everything a participant, an aggregator and an auditor must agree on, in one canonical document."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from learning.canonical import Document, Number
from learning.model_spec import (
    MAX_PARAMETERS,
    LinearRegression,
    ModelSpec,
    Optimizer,
    RandomForest,
)
from learning.sizes import parameters

Positive = Annotated[Number, Field(gt=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Loss = Literal["cross_entropy", "bce", "mse", "mae", "huber"]
Metric = Literal["accuracy", "precision", "recall", "f1", "mse", "rmse", "mae", "r2"]
Method = Literal[
    "fedavg", "fedprox", "fedavgm", "fedadam", "fedyogi", "scaffold", "median", "trimmed_mean", "krum",
    "multi_krum", "bulyan", "norm_clip", "centred_clipping", "reputation", "forest_union",
]  # fmt: skip
Format = Literal["csv", "json", "parquet", "npz"]
Strategy = Literal["random", "stratified", "sequential", "non_iid", "label_skew", "quantity", "natural_id"]
NEEDS_EACH_UPDATE = frozenset(
    {"median", "trimmed_mean", "krum", "multi_krum", "bulyan", "norm_clip", "centred_clipping", "reputation"}
)
"""Rules that compare updates, so that they must be readable one by one."""
ALIKE = frozenset({"median", "trimmed_mean", "krum", "bulyan"})
"""Rules under which all updates count alike, whatever their weight."""
QUANTITY_LOSSES = frozenset({"mse", "mae", "huber"})
CLASS_METRICS = frozenset({"accuracy", "precision", "recall", "f1"})


def count_noise(participants: int) -> float:
    """Return the standard deviation of the noise on the count of updates within an adaptive clipping norm."""
    return max(1.0, participants / 20)


class DatasetSpec(Document):
    """What the data look like. `cid` is empty where every participant brings its own under this schema."""

    cid: str = Field(default="", max_length=128)
    format: Format = "csv"
    target: str = Field(default="label", min_length=1, max_length=128)
    features: tuple[str, ...] = Field(default=(), max_length=65_536, description="empty: all other columns")
    group: str | None = Field(default=None, max_length=128, description="column of natural ids")
    labels: tuple[str, ...] = Field(
        default=(), max_length=65_536, description="names of the classes, in order"
    )
    divide_by: Number = Field(default=Decimal(1), gt=0, description="each feature is divided by this")
    centers: tuple[Number, ...] = Field(
        default=(),
        max_length=65_536,
        description="taken from each feature, in their order; empty: nothing is",
    )
    scales: tuple[Positive, ...] = Field(
        default=(), max_length=65_536, description="what each feature is divided by after that"
    )
    target_center: Number = Field(default=Decimal(0), description="taken from a target that is a quantity")
    target_scale: Positive = Field(default=Decimal(1), description="what it is divided by after that")
    evaluation_cid: str = Field(default="", max_length=128)
    evaluation_share: Number = Field(default=Decimal("0.2"), ge=0, lt=1)

    @model_validator(mode="after")
    def _features_are_apart(self) -> Self:
        if len(set(self.features)) != len(self.features):
            raise ValueError("features: a column is named twice")
        if len(self.centers) != len(self.scales):
            raise ValueError(f"scales: {len(self.scales)} of them for {len(self.centers)} centers")
        if wrong := {self.target, self.group} & set(self.features):
            raise ValueError(
                f"features: {wrong.pop()} is what is learned, or whose sample it is; leave it out"
            )
        return self


class PartitionSpec(Document):
    """Who trains on what; `root` is the Merkle root of the published index lists, `index` says where they lie."""

    strategy: Strategy = "random"
    participants: int = Field(default=3, ge=1, le=1_000)
    seed: int = Field(default=0, ge=0, lt=2**53)
    alpha: Number = Field(
        default=Decimal("0.5"), gt=0, le=10_000, description="non_iid: smaller is more uneven"
    )
    labels_each: int = Field(default=2, ge=1, description="label_skew: labels a participant has")
    power: Number = Field(default=Decimal(1), ge=0, le=10, description="quantity: 0 is even")
    min_samples: int = Field(default=1, ge=1)
    overlap_ratio: Number = Field(
        default=Decimal(0), ge=0, le=1, description="samples shared, of a part's own"
    )
    root: Digest | None = None
    index: Digest | None = None


class EarlyStop(Document):
    """End when the watched figure has not improved by `min_delta` for `patience` rounds."""

    metric: Metric | Literal["loss"] = "loss"
    patience: int = Field(default=5, ge=1)
    min_delta: Number = Field(default=Decimal(0), ge=0)


class Schedule(Document):
    """How the learning rate changes from round to round: times `factor` every `every` rounds, or along a cosine to 0."""

    type: Literal["constant", "step", "cosine"] = "constant"
    every: int = Field(default=10, ge=1)
    factor: Number = Field(default=Decimal("0.5"), gt=0, le=1)


class TrainingSpec(Document):
    """What one participant does in one round, and how many rounds there are."""

    rounds: int = Field(default=10, ge=1, le=10_000)
    min_participants: int = Field(default=3, ge=1, le=1_000)
    local_epochs: int = Field(default=1, ge=1, le=1_000)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    learning_rate: Number = Field(default=Decimal("0.01"), gt=0, le=100)
    schedule: Schedule = Schedule()
    optimizer: Optimizer = Optimizer()
    loss: Loss = "cross_entropy"
    metrics: tuple[Metric, ...] = ("accuracy",)
    max_gradient_norm: Number | None = Field(default=None, gt=0)
    early_stop: EarlyStop | None = None
    segment_steps: int = Field(
        default=10, ge=1, le=10_000, description="steps between two committed checkpoints"
    )
    seed: int = Field(default=0, ge=0, lt=2**53)


class AggregationSpec(Document):
    """How updates become one."""

    method: Method = "fedavg"
    clip: Number = Field(default=Decimal(4), gt=0, le=1_000, description="limit of each parameter's change")
    hostile: int = Field(default=0, ge=0, description="how many hostile updates a robust rule must bear")
    proximal_mu: Number = Field(default=Decimal("0.1"), ge=0, le=100, description="fedprox")
    server_rate: Number = Field(default=Decimal(1), gt=0, le=10)
    server_momentum: Number = Field(default=Decimal("0.5"), ge=0, lt=1, description="fedavgm")
    beta1: Number = Field(default=Decimal("0.9"), ge=0, lt=1)
    beta2: Number = Field(default=Decimal("0.99"), ge=0, lt=1)
    tau: Number = Field(default=Decimal("0.001"), gt=0, le=1, description="fedadam, fedyogi: adaptivity")
    iterations: int = Field(default=3, ge=1, le=20, description="centred_clipping")
    radius: Number | None = Field(default=None, gt=0, description="clipping; none: the median norm")


class PrivacySpec(Document):
    """Differential privacy of each participant as a whole."""

    clip_norm: Number = Field(default=Decimal(1), gt=0)
    adaptive: bool = False
    target_quantile: Number = Field(default=Decimal("0.5"), gt=0, lt=1)
    clip_rate: Number = Field(default=Decimal("0.2"), gt=0, le=1)
    noise_multiplier: Number = Field(default=Decimal(1), gt=0, le=1_000)
    delta: Number = Field(default=Decimal("0.00001"), gt=0, lt=1)
    placement: Literal["central", "distributed"] = "central"


class SecureAggregationSpec(Document):
    """Only the sum of updates is ever readable."""

    threshold: int | None = Field(default=None, ge=2, description="answers needed; none: two thirds, and one")


class CompressionSpec(Document):
    """How an update's bytes are saved."""

    codec: Literal["none", "fp16", "int8", "int4", "top_k"] = "none"
    keep: Number = Field(default=Decimal("0.1"), gt=0, le=1, description="top_k: share of parameters kept")
    error_feedback: bool = True


class VerificationSpec(Document):
    """How contributions are checked. Rates are chances of one update to be re-executed."""

    audit_rate: Number = Field(default=Decimal("0.1"), ge=0, le=1)
    flagged_rate: Number = Field(default=Decimal("0.5"), ge=0, le=1)
    segments: int = Field(default=3, ge=1, le=100, description="segments re-executed in one audit")
    tolerance: Number = Field(
        default=Decimal("0.001"), gt=0, lt=1, description="relative L2 of a segment's delta"
    )
    gate_loss: Number = Field(
        default=Decimal("0.5"), gt=0, description="how much worse than the base is refused"
    )
    norm_cap: Number = Field(
        default=Decimal(1_000), gt=0, description="an update's L2 norm above this is refused"
    )


class AsyncSpec(Document):
    """Buffered asynchronous rounds: aggregate whenever `buffer` updates are there, older ones weighing less."""

    buffer: int = Field(default=5, ge=1, le=1_000)
    max_staleness: int = Field(
        default=10,
        ge=1,
        le=1_000,
        description="rounds by which an update may be late; later ones are refused",
    )


class SessionConfig(Document):
    """The session's document; its SHA-256 digest stands on chain."""

    kind: Literal["fl-session"] = "fl-session"
    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=200)
    model: ModelSpec
    dataset: DatasetSpec = DatasetSpec()
    partition: PartitionSpec = PartitionSpec()
    training: TrainingSpec = TrainingSpec()
    aggregation: AggregationSpec = AggregationSpec()
    privacy: PrivacySpec | None = None
    secure_aggregation: SecureAggregationSpec | None = None
    compression: CompressionSpec = CompressionSpec()
    verification: VerificationSpec = VerificationSpec()
    asynchronous: AsyncSpec | None = None

    @property
    def classifies(self) -> bool:
        """Return whether targets are classes rather than quantities."""
        if isinstance(self.model, RandomForest):
            return self.model.output_dim > 1
        return self.training.loss not in QUANTITY_LOSSES

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in (
            _counts(self),
            _secrecy(self),
            _privacy(self),
            _model(self),
            _outputs(self),
            _asynchrony(self),
        ):
            if problem:
                raise ValueError(problem)
        return self


def _counts(config: SessionConfig) -> str | None:
    partition, training, rule = config.partition, config.training, config.aggregation
    n = partition.participants
    if training.min_participants > n:
        return (
            f"training.min_participants {training.min_participants} is more than partition.participants {n}"
        )
    if partition.strategy == "natural_id" and not config.dataset.group:
        return "partition.strategy natural_id needs dataset.group, the column with the ids"
    needed = {"bulyan": 4, "krum": 2, "multi_krum": 2, "trimmed_mean": 2}.get(
        rule.method, 0
    ) * rule.hostile + 3
    if rule.hostile and rule.method in ("bulyan", "krum", "multi_krum", "trimmed_mean") and n < needed:
        return f"aggregation.hostile {rule.hostile} needs at least {needed} participants under {rule.method}, not {n}"
    return None


def _secrecy(config: SessionConfig) -> str | None:
    method = config.aggregation.method
    if config.secure_aggregation:
        if method in NEEDS_EACH_UPDATE:
            return (
                f"secure_aggregation hides each update, but aggregation.method {method} must compare them; "
                "take fedavg, fedprox, fedavgm, fedadam or fedyogi, or leave secure_aggregation out"
            )
        if method in ("scaffold", "forest_union"):
            return f"secure_aggregation cannot sum what aggregation.method {method} hands in"
        if config.asynchronous:
            return "secure_aggregation needs rounds in step; leave asynchronous out"
        if config.compression.codec != "none":
            return "secure_aggregation sums fixed-point numbers; compression.codec must be none"
    return None


def _privacy(config: SessionConfig) -> str | None:
    method, privacy, least = config.aggregation.method, config.privacy, config.training.min_participants
    if privacy and method in NEEDS_EACH_UPDATE | {"scaffold"}:
        return (
            f"privacy counts everybody alike and adds noise to the sum, so aggregation.method {method} would not be "
            "followed; take fedavg, fedprox, fedavgm, fedadam or fedyogi, or leave privacy out"
        )
    if privacy and privacy.adaptive and float(privacy.noise_multiplier) >= 2 * count_noise(least):
        return (
            f"privacy.noise_multiplier {privacy.noise_multiplier} leaves no noise for the updates of {least} participants when "
            f"the norm adapts; take less than {2 * count_noise(least):g}, or a fixed norm"
        )
    if privacy and privacy.placement == "distributed" and not config.secure_aggregation:
        return "privacy.placement distributed protects only within a sum; add secure_aggregation"
    return None


def _model(config: SessionConfig) -> str | None:
    model, training = config.model, config.training
    if isinstance(model, RandomForest) != (config.aggregation.method == "forest_union"):
        return "aggregation.method forest_union goes with model.type random_forest, and nothing else does"
    if isinstance(model, RandomForest) and config.privacy:
        return "a random_forest has no differences of weights to add noise to; leave privacy out"
    if isinstance(model, RandomForest) and config.compression.codec != "none":
        return "a random_forest has no differences of weights to compress; leave compression.codec at none"
    if isinstance(model, LinearRegression) and config.classifies:
        return f"training.loss {training.loss} is for classes; linear_regression takes mse, mae or huber"
    if not config.classifies and (wrong := CLASS_METRICS & set(training.metrics)):
        return f"training.metrics {', '.join(sorted(wrong))} are for classes"
    return None


def _outputs(config: SessionConfig) -> str | None:
    model, loss = config.model, config.training.loss
    if isinstance(model, RandomForest):
        return None
    if (size := parameters(model)) > MAX_PARAMETERS:
        return f"model.type {model.type} would have {size:,} parameters here; at most {MAX_PARAMETERS:,} are trained"
    if isinstance(model, LinearRegression) or model.output_dim > 1:
        return None
    if loss == "cross_entropy":
        return "training.loss cross_entropy takes an output for each class; set output_dim to 2 or more, or take bce"
    if not config.classifies and model.output_activation == "softmax":
        return "model.output_activation softmax makes a single output always 1; take linear"
    return None


def _asynchrony(config: SessionConfig) -> str | None:
    wanted, method = config.asynchronous, config.aggregation.method
    if wanted is None:
        return None
    if method in ALIKE:
        return (
            f"asynchronous lets late updates weigh less, but aggregation.method {method} counts all alike; take fedavg, "
            "fedprox, fedavgm, fedadam, fedyogi, multi_krum, norm_clip, centred_clipping or reputation"
        )
    if method in ("scaffold", "forest_union"):
        return f"asynchronous rounds cannot follow aggregation.method {method}, which needs everybody in step"
    if config.privacy:
        return "asynchronous lets late updates weigh less, but privacy counts everybody alike; leave one of them out"
    least, seats = config.training.min_participants, config.partition.participants
    if not least <= wanted.buffer <= seats:
        return (
            f"asynchronous.buffer {wanted.buffer} must lie between training.min_participants {least} and "
            f"partition.participants {seats}"
        )
    return None
