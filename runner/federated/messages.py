"""What is asked of the training process, and what it answers: MessagePack over pipes."""

import msgspec


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """Samples: a file in the session's format, and the content of the list of its rows that count; all where none."""

    file: str
    rows: bytes | None = None


class Rehearse(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Try what a session would ask for, before anything is promised: read everything, and train a few steps.

    `lists` are the contents of all slots' lists, and `sizes` how many samples each is said to have; none where participants
    bring their own. `data` is of the longest. `first` is the model's file that the session begins with, if it names one.
    """

    config: bytes
    data: Data
    evaluation: Data
    lists: list[bytes] = []
    sizes: list[int] = []
    first: bytes | None = None


class Rehearsed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A session that can be done: how long a round's training takes here, in seconds, with the longest list."""

    seconds: float


class Train(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Train one slot's share for one round (counted from 0). `config` is canonical JSON.

    `base` is a model's file; none stands for weights drawn from the session's seed. `correction` is of scaffold and `residual` of
    compression, float32. `summed_with` counts whom a sum of secure aggregation has at least, 0 for a plain round. `checkpoints` is
    the folder in which to leave the checkpoints, each under its number; none where nobody can audit.
    """

    config: bytes
    session: str
    round: int
    slot: int
    data: Data
    base: bytes | None = None
    progress: bytes | None = None
    residual: bytes | None = None
    summed_with: int = 0
    checkpoints: str | None = None


class Trained(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A finished training: a plain one's bytes and manifest, or a masked one's `steps` (int64) and nothing readable.

    `checkpoints` come along only from another machine, which cannot leave them in the folder that was named.
    """

    samples: int
    manifest: bytes = b""
    content: bytes = b""
    residual: bytes | None = None
    variate: bytes | None = None
    trail: bytes | None = None
    checkpoints: dict[int, bytes] = {}
    steps: bytes = b""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit of a contribution takes: `data` are the samples that its slot was assigned.

    `trail` lists the checkpoints, `shown` are those to be had, by number. `carried` is what compression is said to have
    lost in the round before, float32, and `before` the bytes handed in there; none where nothing was carried. `missing`
    names what was promised of this and is not to be had. `base` is the model's file that a late training began with; none
    where that was drawn from the session's seed, or where the training is for this round.
    """

    data: Data
    trail: bytes | None = None
    shown: dict[int, bytes] = {}
    carried: bytes | None = None
    before: bytes | None = None
    missing: str | None = None
    base: bytes | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A revealed contribution; `evidence` where its participant had to show checkpoints."""

    slot: int
    manifest: bytes
    content: bytes
    variate: bytes | None = None
    evidence: Evidence | None = None


class Masks(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was posted in a round of secure aggregation, by slot, as encoded messages.

    `whole` unless some of it cannot be had, which others may have: then it counts as broken.
    """

    context: bytes
    threshold: int
    keys: dict[int, bytes]
    shares: dict[int, bytes]
    masked: dict[int, bytes]
    answers: dict[int, bytes]
    whole: bool = True


class Aggregate(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Aggregate one round (counted from 0). `samples` are those claimed on chain, `assigned` those of the lists.

    `first` is the model's file that the session begins with, where it names one and there is no progress yet. Nothing is
    assigned where participants bring their own. `left_out` says why a contribution cannot count. `draw` is the
    seed by which audits are drawn; none where nobody can audit.
    """

    config: bytes
    session: str
    round: int
    evaluation: Data
    progress: bytes | None
    first: bytes | None = None
    samples: dict[int, int]
    assigned: dict[int, int] | None
    given: list[Given] = []
    left_out: dict[int, str] = {}
    draw: bytes | None = None
    masks: Masks | None = None


class Aggregated(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A round's result: the next progress, the model's file, its card, whose contributions count, whether it stops.

    `caught` says of those who failed an audit in this round what was found, for this runner's log; `disproved` is the set of
    those among them whose work was re-executed and is false.
    """

    progress: bytes
    model: bytes
    card: bytes
    accepted: int
    stop: bool
    caught: dict[int, str] = {}
    disproved: int = 0


class Failed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """It cannot be done, and why. `ours` says that the fault lies in the program."""

    reason: str
    ours: bool = False


Request = Rehearse | Train | Aggregate
Response = Rehearsed | Trained | Aggregated | Failed
