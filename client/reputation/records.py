"""What the chain says of runners and their monitors. Scores are millionths, heights blocks, amounts base units."""

from dataclasses import dataclass

from client.records import Usdfc
from protocol.enums import Level, ReportKind, Ruling, RunnerStatus, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerRecord:
    """A runner at one block. `score` is today's, after decay; `needed_stake` is what its owner must have bonded."""

    node: str
    owner: str
    block: int
    status: RunnerStatus
    standing: Standing
    level: Level
    score: int
    right: int
    wrong: int
    missed: int
    monitor_missed: int
    wrong_streak: int
    strikes: int
    registered_block: int
    banned_until: int
    suspended_until: int
    bonded: Usdfc
    locked: Usdfc
    needed_stake: Usdfc


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """Whether a runner may take a seat at this block: any seat, or one of `task_id`. `reasons` say why not."""

    node: str
    task_id: bytes | None
    block: int
    eligible: bool
    standing: Standing
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When what may be done in a monitoring round; all but `seed_block` are last blocks."""

    seed_block: int
    open_by: int
    commit_by: int
    reveal_by: int
    close_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One monitor's duty towards one runner in an epoch. `report` is what it revealed, if it counted."""

    epoch: int
    monitor: str
    target: str
    committed: bool
    report: ReportKind | None
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What an epoch's monitors, or the judges of a challenge, said of a runner."""

    epoch: int
    target: str
    ruling: Ruling
    kind: ReportKind
    agreeing: int
    reports: int
    block: int
    transaction_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringStats:
    """Peer monitoring over some epochs up to the newest. Counts are of events in those blocks."""

    first_block: int
    last_block: int
    epoch: int
    epoch_length: int
    monitors_each: int
    quorum: int
    challenge_bond: Usdfc
    active_runners: int
    rounds_opened: int
    commitments: int
    reports: dict[str, int]
    rulings: dict[str, int]
    silent: int
    lying: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringMetrics:
    """One runner in peer monitoring over some epochs: what others said of it, and how it did as a monitor."""

    node: str
    first_block: int
    last_block: int
    reports_about: dict[str, int]
    conclusions: tuple[Conclusion, ...]
    reports_made: int
    marks: int
