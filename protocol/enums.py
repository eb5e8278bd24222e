"""The contracts' enumerations, member for member. `.name.lower()` is the word used in the database and the API."""

from enum import IntEnum

SECURE_AGGREGATION = 1
"""Flag of a session's order: nobody sees a participant's update, only the sum."""
PRIVATE_DATA = 2
"""Flag of a session's order: each participant trains on data of its own."""


class Mode(IntEnum):
    """How a task's result is checked."""

    QUORUM = 0
    AUDITED = 1


class TaskStatus(IntEnum):
    """Phase of a task in TaskEscrow."""

    NONE = 0
    OPEN = 1
    COMMITTING = 2
    REVEALING = 3
    CHALLENGEABLE = 4
    DISPUTED = 5
    FINAL = 6
    FAILED = 7
    CANCELLED = 8

    @property
    def is_terminal(self) -> bool:
        """Return whether nothing will happen to the task any more."""
        return self in (TaskStatus.FINAL, TaskStatus.FAILED, TaskStatus.CANCELLED)


class SessionPhase(IntEnum):
    """Where a learning session is, in FederatedLearning."""

    NONE = 0
    JOINING = 1
    TRAINING = 2
    REVEALING = 3
    KEYS = 4
    SHARES = 5
    MASKING = 6
    UNMASKING = 7
    AGGREGATING = 8
    FINISHED = 9
    FAILED = 10
    CANCELLED = 11

    @property
    def is_terminal(self) -> bool:
        """Return whether nothing will happen to the session any more."""
        return self >= SessionPhase.FINISHED


class SeatState(IntEnum):
    """How far a seat of a task has come."""

    EMPTY = 0
    CLAIMED = 1
    COMMITTED = 2
    REVEALED = 3


class Outcome(IntEnum):
    """What goes on a runner's record: what a seat came to, what its monitors agreed on, how it did as a monitor."""

    RIGHT = 0
    WRONG = 1
    MISSED = 2
    NEUTRAL = 3
    POOR_PERFORMANCE = 4
    SUSPICIOUS_ACTIVITY = 5
    MALICIOUS_BEHAVIOR = 6
    OFFLINE = 7
    RESOURCE_ABUSE = 8
    MONITOR_SILENT = 9
    MONITOR_LYING = 10
    RESTORED = 11


class RunnerStatus(IntEnum):
    """Whether a runner is registered."""

    NONE = 0
    ACTIVE = 1
    RETIRED = 2


class ReportKind(IntEnum):
    """What a monitor may say about a runner."""

    GOOD_BEHAVIOR = 0
    POOR_PERFORMANCE = 1
    SUSPICIOUS_ACTIVITY = 2
    MALICIOUS_BEHAVIOR = 3
    OFFLINE = 4
    RESOURCE_ABUSE = 5


class Ruling(IntEnum):
    """What became of an epoch's reports about one runner."""

    NONE = 0
    SPLIT = 1
    AGREED = 2
    CHALLENGED = 3
    UPHELD = 4
    OVERTURNED = 5
    UNDECIDED = 6


class Level(IntEnum):
    """Rank of a runner by its score."""

    BRONZE = 0
    SILVER = 1
    GOLD = 2
    PLATINUM = 3
    DIAMOND = 4


class Standing(IntEnum):
    """Whether a runner may take seats, or why not."""

    ELIGIBLE = 0
    UNKNOWN = 1
    RETIRED = 2
    BANNED = 3
    SUSPENDED = 4
    UNDERSTAKED = 5


class AuditStage(IntEnum):
    """Where a revealed audited task stands in the AuditCourt."""

    NONE = 0
    OPEN = 1
    CLEARED = 2
    VOTING = 3
    REVEALING = 4
    APPEALABLE = 5
    CLOSED = 6


class ProposalState(IntEnum):
    """How far a proposal in ParityGovernor has come."""

    PENDING = 0
    ACTIVE = 1
    CANCELED = 2
    DEFEATED = 3
    SUCCEEDED = 4
    QUEUED = 5
    EXPIRED = 6
    EXECUTED = 7


class VoteSupport(IntEnum):
    """What a vote on a proposal says."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2
