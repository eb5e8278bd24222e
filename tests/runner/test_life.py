import itertools
from dataclasses import replace
from typing import Any

import pytest

from protocol.commitment import kept_of
from protocol.enums import AuditStage, SeatState, TaskStatus
from runner.executors import Execution
from runner.jobs import Job
from runner.journal import Journal
from runner.life import ADVANCE_STAGGER_BLOCKS, Seat, Step, View, next_step
from tests.runner.conftest import TASK, an_order

NODE = "0x00000000000000000000000000000000000000D1"


@pytest.fixture
def job(journal: Journal) -> Job:
    journal.see(TASK, an_order(), seed_block=10)
    return journal.job(TASK)


@pytest.fixture
def promised(job: Job, journal: Journal) -> Job:
    journal.seated(TASK, 0)
    return journal.promise(TASK, Execution(result=b"result", input_tokens=1, output_tokens=1))


def view(status: TaskStatus, own: SeatState | None = None, **changes: Any) -> View:
    seat = None if own is None else Seat(index=0, node=NODE, state=own, mark=changes.pop("mark", bytes(32)))
    fields: dict[str, Any] = {
        "head_block": 20,
        "status": status,
        "deadline": 100,
        "seed_block": 10,
        "replicas": 1,
        "seats": () if seat is None else (seat,),
        "own": seat,
    }
    return View(**(fields | changes))


def step(job: Job, seen: View, *, stored: bool = False) -> Step:
    return next_step(job, seen, node=NODE, stored=stored).step


def test_an_open_task_without_a_seat_of_ours_is_claimed(job: Job) -> None:
    assert step(job, view(TaskStatus.OPEN)) is Step.CLAIM


def test_a_task_past_its_last_claim_block_is_dropped_as_expired(job: Job) -> None:
    decision = next_step(job, view(TaskStatus.OPEN, head_block=100), node=NODE, stored=False)
    assert decision.step is Step.DROP
    assert "expired" in decision.reason


def test_a_cancelled_task_is_dropped(job: Job) -> None:
    decision = next_step(job, view(TaskStatus.CANCELLED), node=NODE, stored=False)
    assert decision.step is Step.DROP
    assert "cancelled" in decision.reason


def test_a_task_whose_seats_others_took_is_dropped_quietly(job: Job) -> None:
    decision = next_step(job, view(TaskStatus.COMMITTING), node=NODE, stored=False)
    assert (decision.step, decision.reason) == (Step.DROP, "other runners took the seats")


def test_a_task_that_the_node_does_not_know_yet_is_waited_for(job: Job) -> None:
    assert step(job, view(TaskStatus.NONE, head_block=10)) is Step.WAIT
    assert step(job, view(TaskStatus.NONE, head_block=11)) is Step.DROP


def test_a_seat_is_worked_on_before_the_other_seats_are_taken(job: Job) -> None:
    assert step(job, view(TaskStatus.OPEN, SeatState.CLAIMED, replicas=3)) is Step.EXECUTE


def test_a_result_is_stored_before_it_is_committed_to(promised: Job) -> None:
    seen = view(TaskStatus.COMMITTING, SeatState.CLAIMED, replicas=3)
    assert step(promised, seen) is Step.STORE
    assert step(promised, seen, stored=True) is Step.COMMIT


def test_the_only_seat_of_a_task_reveals_without_a_commitment(promised: Job) -> None:
    seen = view(TaskStatus.COMMITTING, SeatState.CLAIMED, replicas=1)
    assert step(promised, seen) is Step.STORE
    assert step(promised, seen, stored=True) is Step.REVEAL


def test_the_last_seat_reveals_without_a_commitment_once_all_others_are_bound(promised: Job) -> None:
    def seen(*others: SeatState) -> View:
        own = Seat(index=0, node=NODE, state=SeatState.CLAIMED, mark=bytes(32))
        seats = (
            own,
            *(Seat(index=i, node=f"0x{i:040x}", state=s, mark=bytes(32)) for i, s in enumerate(others, 1)),
        )
        return replace(view(TaskStatus.COMMITTING, replicas=3), seats=seats, own=own)

    assert step(promised, seen(SeatState.COMMITTED, SeatState.CLAIMED), stored=True) is Step.COMMIT
    assert step(promised, seen(SeatState.COMMITTED, SeatState.COMMITTED), stored=True) is Step.REVEAL


def test_a_stored_result_waits_while_seats_are_empty(promised: Job) -> None:
    assert step(promised, view(TaskStatus.OPEN, SeatState.CLAIMED, replicas=3), stored=True) is Step.WAIT


def test_seats_that_nobody_fills_are_given_up_after_the_last_claim_block(promised: Job) -> None:
    seen = view(TaskStatus.OPEN, SeatState.CLAIMED, replicas=3, head_block=100)
    assert step(promised, seen, stored=True) is Step.ADVANCE


def test_a_commitment_of_ours_is_revealed(promised: Job) -> None:
    made = promised.commitment_of(NODE)
    assert made is not None
    mark = kept_of(made)
    assert (
        step(promised, view(TaskStatus.COMMITTING, SeatState.COMMITTED, mark=mark), stored=True) is Step.WAIT
    )
    assert (
        step(promised, view(TaskStatus.REVEALING, SeatState.COMMITTED, mark=mark), stored=True) is Step.REVEAL
    )


def test_a_commitment_that_the_journal_does_not_know_is_never_revealed(promised: Job) -> None:
    decision = next_step(
        promised, view(TaskStatus.REVEALING, SeatState.COMMITTED, mark=b"\7" * 32), node=NODE, stored=True
    )
    assert decision.step is Step.WAIT
    assert "not in this journal" in decision.reason


def test_a_missed_commit_window_is_waited_out_without_a_late_commitment(promised: Job) -> None:
    assert step(promised, view(TaskStatus.REVEALING, SeatState.CLAIMED), stored=True) is Step.WAIT


@pytest.mark.parametrize("state", [SeatState.CLAIMED, SeatState.COMMITTED, SeatState.REVEALED])
@pytest.mark.parametrize("status", [TaskStatus.OPEN, TaskStatus.COMMITTING, TaskStatus.REVEALING])
def test_an_overdue_phase_is_ended_by_whoever_has_a_seat(
    promised: Job, status: TaskStatus, state: SeatState
) -> None:
    assert step(promised, view(status, state, head_block=100), stored=True) is Step.ADVANCE


@pytest.mark.parametrize(
    ("status", "stage"),
    [(TaskStatus.CHALLENGEABLE, stage) for stage in (AuditStage.OPEN, AuditStage.CLEARED)]
    + [
        (TaskStatus.DISPUTED, stage)
        for stage in (AuditStage.VOTING, AuditStage.REVEALING, AuditStage.APPEALABLE)
    ],
)
def test_an_audited_answer_is_waited_for_in_each_stage_and_the_stage_ended_when_it_is_overdue(
    promised: Job, status: TaskStatus, stage: AuditStage
) -> None:
    seen = view(status, SeatState.REVEALED, audit=stage, head_block=99)
    decision = next_step(promised, seen, node=NODE, stored=True)
    assert decision.step is Step.WAIT
    assert decision.reason.startswith("revealed; ")
    assert decision.reason.endswith("until block 100")
    overdue = view(status, SeatState.REVEALED, audit=stage, head_block=100)
    assert step(promised, overdue, stored=True) is Step.ADVANCE


def test_a_later_seat_leaves_an_overdue_phase_to_an_earlier_one_for_a_while(promised: Job) -> None:
    seat = Seat(index=1, node=NODE, state=SeatState.REVEALED, mark=bytes(32))
    for late, expected in ((0, Step.WAIT), (ADVANCE_STAGGER_BLOCKS, Step.ADVANCE)):
        seen = view(TaskStatus.REVEALING, own=None, head_block=100 + late, seats=(seat,))
        assert (
            step(promised, View(**{**{n: getattr(seen, n) for n in seen.__slots__}, "own": seat})) is expected
        )


@pytest.mark.parametrize("status", [status for status in TaskStatus if status.is_terminal])
def test_a_task_that_is_over_is_only_written_down(promised: Job, status: TaskStatus) -> None:
    assert step(promised, view(status, SeatState.REVEALED)) is Step.END


def test_there_is_a_decision_for_every_combination(job: Job, promised: Job) -> None:
    owns = [None, SeatState.CLAIMED, SeatState.COMMITTED, SeatState.REVEALED]
    for status, own, head, stored, known in itertools.product(
        TaskStatus, owns, (20, 100, 101), (False, True), (job, promised)
    ):
        decision = next_step(known, view(status, own, head_block=head), node=NODE, stored=stored)
        if decision.step in (Step.WAIT, Step.DROP):
            assert decision.reason
