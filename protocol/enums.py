"""The contracts' enumerations, member for member. `.name.lower()` is the word used in the database and the API."""

from enum import IntEnum


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
        """Say whether nothing will happen to the task any more."""
        return self in (TaskStatus.FINAL, TaskStatus.FAILED, TaskStatus.CANCELLED)


class SeatState(IntEnum):
    """How far a seat of a task has come."""

    EMPTY = 0
    CLAIMED = 1
    COMMITTED = 2
    REVEALED = 3


class Outcome(IntEnum):
    """What a seat came to, for its runner's record."""

    RIGHT = 0
    WRONG = 1
    MISSED = 2
    NEUTRAL = 3


class RunnerStatus(IntEnum):
    """Whether a runner is registered."""

    NONE = 0
    ACTIVE = 1
    RETIRED = 2


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
