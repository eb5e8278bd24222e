"""Enumerations. Values are the words of the database."""

from enum import Enum

import strawberry

from api.paging import Ordering
from api.queries import prompts, runners, tasks, votes, vouchers


@strawberry.enum(description="How a task's result is checked.")
class TaskMode(Enum):
    QUORUM = "quorum"
    AUDITED = "audited"


@strawberry.enum(description="Phase of a task.")
class TaskStatus(Enum):
    OPEN = "open"
    COMMITTING = "committing"
    REVEALING = "revealing"
    CHALLENGEABLE = "challengeable"
    DISPUTED = "disputed"
    FINAL = "final"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Return whether nothing will happen to the task any more."""
        return self in (TaskStatus.FINAL, TaskStatus.FAILED, TaskStatus.CANCELLED)


@strawberry.enum(description="How far a seat has come.")
class SeatState(Enum):
    CLAIMED = "claimed"
    COMMITTED = "committed"
    REVEALED = "revealed"


@strawberry.enum(
    description="What a seat came to, for its runner's record, or what else was put on that record."
)
class Outcome(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    MISSED = "missed"
    NEUTRAL = "neutral"
    POOR_PERFORMANCE = "poor_performance"
    SUSPICIOUS_ACTIVITY = "suspicious_activity"
    MALICIOUS_BEHAVIOR = "malicious_behavior"
    OFFLINE = "offline"
    RESOURCE_ABUSE = "resource_abuse"
    MONITOR_SILENT = "monitor_silent"
    MONITOR_LYING = "monitor_lying"
    RESTORED = "restored"


@strawberry.enum(description="Whether a runner is registered.")
class RunnerStatus(Enum):
    ACTIVE = "active"
    RETIRED = "retired"


@strawberry.enum(description="Whether a document of IPFS has been fetched, and if not, why.")
class DocumentStatus(Enum):
    PENDING = "pending"
    UNAVAILABLE = "unavailable"
    STORED = "stored"
    MISMATCH = "mismatch"
    TOO_LARGE = "too_large"
    INVALID = "invalid"


@strawberry.enum(description="What the indexer is doing.")
class SyncPhase(Enum):
    BACKFILL = "backfill"
    LIVE = "live"
    REFOLD = "refold"


@strawberry.enum(description="Order of a list of tasks.")
class TaskOrder(Enum):
    CREATED_DESC = "created_desc"
    CREATED_ASC = "created_asc"
    REWARD_DESC = "reward_desc"
    REWARD_ASC = "reward_asc"


@strawberry.enum(description="Order of a list of prompts.")
class PromptOrder(Enum):
    CREATED_DESC = "created_desc"
    CREATED_ASC = "created_asc"


@strawberry.enum(description="Order of a list of runners.")
class RunnerOrder(Enum):
    SCORE_DESC = "score_desc"
    REGISTERED_DESC = "registered_desc"
    REGISTERED_ASC = "registered_asc"


@strawberry.enum(description="What a vote says of its proposal.")
class VoteSupport(Enum):
    AGAINST = "against"
    FOR = "for"
    ABSTAIN = "abstain"


@strawberry.enum(description="Order of a list of votes.")
class VoteOrder(Enum):
    CAST_DESC = "cast_desc"
    CAST_ASC = "cast_asc"
    WEIGHT_DESC = "weight_desc"


@strawberry.enum(description="Order of a list of redeemed vouchers.")
class VoucherOrder(Enum):
    REDEEMED_DESC = "redeemed_desc"
    REDEEMED_ASC = "redeemed_asc"


ORDERINGS: dict[Enum, Ordering] = {
    TaskOrder.CREATED_DESC: tasks.CREATED_DESC,
    TaskOrder.CREATED_ASC: tasks.CREATED_ASC,
    TaskOrder.REWARD_DESC: tasks.REWARD_DESC,
    TaskOrder.REWARD_ASC: tasks.REWARD_ASC,
    PromptOrder.CREATED_DESC: prompts.CREATED_DESC,
    PromptOrder.CREATED_ASC: prompts.CREATED_ASC,
    RunnerOrder.SCORE_DESC: runners.SCORE_DESC,
    RunnerOrder.REGISTERED_DESC: runners.REGISTERED_DESC,
    RunnerOrder.REGISTERED_ASC: runners.REGISTERED_ASC,
    VoteOrder.CAST_DESC: votes.CAST_DESC,
    VoteOrder.CAST_ASC: votes.CAST_ASC,
    VoteOrder.WEIGHT_DESC: votes.WEIGHT_DESC,
    VoucherOrder.REDEEMED_DESC: vouchers.REDEEMED_DESC,
    VoucherOrder.REDEEMED_ASC: vouchers.REDEEMED_ASC,
}
