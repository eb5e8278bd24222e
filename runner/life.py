"""The life of a claim, as one pure rule: what to do next, given the journal and the chain.

The chain is asked before each step, so a restart, a reorganisation and an ordinary block are the same case: whatever
happened meanwhile, the rule names the one step that is still missing.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.commitment import kept_of
from protocol.enums import AuditStage, SeatState, TaskStatus
from runner.jobs import Job

ADVANCE_STAGGER_BLOCKS = 2
"""Blocks between the seats that may end an overdue phase, so that they do not all send it."""


_AUDITS = {
    AuditStage.OPEN: "it may be audited or challenged",
    AuditStage.CLEARED: "spared by the beacon, it may be challenged",
    AuditStage.VOTING: "auditors are drawn and vote",
    AuditStage.REVEALING: "the auditors open their votes",
    AuditStage.APPEALABLE: "the verdict may be appealed",
    AuditStage.CLOSED: "the case is closed",
}


class Step(StrEnum):
    """What can be done about a job."""

    WAIT = "wait"
    CLAIM = "claim"
    EXECUTE = "execute"
    STORE = "store"
    COMMIT = "commit"
    REVEAL = "reveal"
    ADVANCE = "advance"
    END = "end"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat as the chain has it; `mark` is what it keeps of the commitment between commit and reveal."""

    index: int
    node: str
    state: SeatState
    mark: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A task as the chain had it at `head_block`.

    `deadline` is the last block of the phase, or of the `audit`'s stage; `own` is our seat, if any.
    """

    head_block: int
    status: TaskStatus
    deadline: int
    seed_block: int
    replicas: int
    seats: tuple[Seat, ...]
    own: Seat | None
    audit: AuditStage = AuditStage.NONE

    @property
    def overdue(self) -> bool:
        """Return whether a transaction sent now comes after the phase's last block: only `advance` is left to send."""
        return self.head_block >= self.deadline

    @property
    def others_bound(self) -> bool:
        """Return whether every seat but our own is taken and has committed to its answer."""
        others = [seat for seat in self.seats if seat != self.own]
        return len(others) == self.replicas - 1 and all(seat.state is SeatState.COMMITTED for seat in others)

    @property
    def seats_left(self) -> int:
        """Count the seats that nobody holds."""
        return self.replicas - len(self.seats)


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step and why, in words that `parity-runner status` shows."""

    step: Step
    reason: str = ""


def next_step(job: Job, view: View, *, node: str, stored: bool) -> Decision:
    """Decide what comes next for a job. `stored` says whether its result is known to lie in the content store."""
    if view.status is TaskStatus.NONE:
        # A node may serve an event before the state of its block; past the seed block it must know.
        seen = view.head_block > job.seed_block
        return Decision(Step.DROP if seen else Step.WAIT, "the task is not on the chain")
    if view.own is None:
        return _without_seat(view)
    if view.status.is_terminal:
        return Decision(Step.END, f"the task is {view.status.name.lower()}")
    if view.overdue:
        return _overdue(view, view.own)
    return _in_time(job, view, view.own, node=node, stored=stored)


def _in_time(job: Job, view: View, own: Seat, *, node: str, stored: bool) -> Decision:
    if own.state is SeatState.CLAIMED:
        return _claimed(job, view, stored=stored)
    if own.state is SeatState.COMMITTED:
        return _committed(job, view, own, node=node)
    if view.audit is not AuditStage.NONE:
        return Decision(Step.WAIT, f"revealed; {_AUDITS[view.audit]} until block {view.deadline}")
    return Decision(Step.WAIT, "revealed; waiting for the other seats")


def _without_seat(view: View) -> Decision:
    if view.status is TaskStatus.OPEN and not view.overdue and view.seats_left:
        return Decision(Step.CLAIM)
    if view.status in (TaskStatus.CANCELLED, TaskStatus.FAILED):
        return Decision(Step.DROP, f"the task is {view.status.name.lower()}")
    if view.status is TaskStatus.OPEN:
        return Decision(Step.DROP, "expired: nobody may claim it any more")
    return Decision(Step.DROP, "other runners took the seats")


def _overdue(view: View, own: Seat) -> Decision:
    due = view.deadline + own.index * ADVANCE_STAGGER_BLOCKS
    if view.head_block >= due:
        return Decision(Step.ADVANCE, f"{view.status.name.lower()} ended at block {view.deadline}")
    return Decision(Step.WAIT, "overdue; leaving it to an earlier seat to end the phase")


def _claimed(job: Job, view: View, *, stored: bool) -> Decision:
    if view.status not in (TaskStatus.OPEN, TaskStatus.COMMITTING):
        return Decision(Step.WAIT, "missed the commit window; waiting for the end")
    if job.opening is None:
        return Decision(Step.EXECUTE)
    if not stored:
        return Decision(Step.STORE)
    if view.status is TaskStatus.COMMITTING:
        # A commitment keeps other seats from copying; once these are bound there is none to fear, and it saves a transaction.
        return Decision(Step.REVEAL if view.others_bound else Step.COMMIT)
    return Decision(Step.WAIT, f"waiting for {view.seats_left} more seats to be claimed")


def _committed(job: Job, view: View, own: Seat, *, node: str) -> Decision:
    made = job.commitment_of(node)
    if made is None or own.mark != kept_of(made):
        return Decision(
            Step.WAIT,
            "the seat's commitment is not in this journal: another process uses this node key, or the journal was lost",
        )
    if view.status is TaskStatus.REVEALING:
        return Decision(Step.REVEAL)
    return Decision(Step.WAIT, "committed; waiting for the other seats")
