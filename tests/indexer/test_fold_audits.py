"""What the fold makes of audits, challenges and appeals."""

import pytest

from indexer.errors import FoldError
from protocol.enums import AuditStage, Outcome, TaskStatus
from tests.indexer.contract_events import NODES, OWNERS, PAYERS, TREASURY
from tests.indexer.stories import TASK, Story

RESULT, SEAL, EVIDENCE = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
CHALLENGER = PAYERS[1]


@pytest.fixture
def story() -> Story:
    """An audited task of runner 0, revealed; four runners have stake."""
    told = Story()
    for node, owner in zip(NODES, OWNERS, strict=True):
        told.tell("RunnerReputation", "RunnerRegistered", node, owner, bytes(32), bytes(32))
        told.tell("StakeWallet", "Deposited", owner, 500)
        told.tell("StakeWallet", "Bonded", owner, 500)
    told.submit(replicas=1, reward=900, bond=100)
    told.tell("TaskEscrow", "SeatClaimed", TASK, NODES[0], OWNERS[0], 0)
    told.tell("StakeWallet", "BondLocked", OWNERS[0], TASK, 100)
    told.tell("TaskEscrow", "PhaseChanged", TASK, TaskStatus.COMMITTING, 25)
    told.tell("TaskEscrow", "SeatRevealed", TASK, NODES[0], 0, RESULT, bytes(32), 1, 2)
    told.tell("TaskEscrow", "PhaseChanged", TASK, TaskStatus.CHALLENGEABLE, 30)
    told.tell("AuditCourt", "CaseOpened", TASK, NODES[0], 5_000, 20)
    told.tell("AuditCourt", "StageChanged", TASK, AuditStage.OPEN, 30)
    return told


def convene(story: Story) -> None:
    story.tell("AuditCourt", "PanelConvened", TASK, 0, 3, 40)
    story.tell("AuditCourt", "StageChanged", TASK, AuditStage.VOTING, 60)
    story.tell("TaskEscrow", "PhaseChanged", TASK, TaskStatus.DISPUTED, 0)
    for seat, number in enumerate((1, 2, 3)):
        story.tell("AuditCourt", "VoteSealed", TASK, NODES[number], OWNERS[number], 0, seat, SEAL)
        story.tell("StakeWallet", "BondLocked", OWNERS[number], TASK, 100)


def close(story: Story, *, valid: bool, moves: list[tuple[bytes, int, int, int]]) -> None:
    for seat, number in enumerate((1, 2)):
        story.tell("AuditCourt", "VoteOpened", TASK, NODES[number], 0, seat, valid, EVIDENCE)
    story.tell("AuditCourt", "VerdictReached", TASK, 0, valid, True)
    story.tell("AuditCourt", "StageChanged", TASK, AuditStage.CLOSED, 0)
    story.tell("AuditCourt", "CaseClosed", TASK, valid)
    story.tell("TaskEscrow", "PhaseChanged", TASK, TaskStatus.FINAL if valid else TaskStatus.FAILED, 0)
    if valid:
        story.tell("TaskEscrow", "TaskFinalized", TASK, 1, 18)
    story.tell(
        "RunnerReputation", "ScoreChanged", NODES[0], TASK, Outcome.RIGHT if valid else Outcome.WRONG, 5
    )
    for number, outcome in ((1, Outcome.RIGHT), (2, Outcome.RIGHT), (3, Outcome.WRONG)):
        story.tell("RunnerReputation", "ScoreChanged", NODES[number], TASK, outcome, 5)
    story.tell("StakeWallet", "Settled", TASK, PAYERS[0], 900)
    for who, pay, unlock, slash in moves:
        story.tell("StakeWallet", "Moved", TASK, who, pay, unlock, slash)


def test_a_revealed_task_is_open_to_challenge(story: Story) -> None:
    audit = story.state.audits.find(TASK)
    assert audit is not None
    assert (audit.stage, audit.deadline, audit.rate_bps, audit.draw_block) == ("open", 30, 5_000, 20)
    assert (audit.node, audit.bond, audit.audited, audit.valid) == (NODES[0], 100, None, None)


def test_an_audit_that_finds_nothing_is_paid_from_the_pay(story: Story) -> None:
    story.tell("AuditCourt", "AuditDrawn", TASK, True)
    convene(story)
    moves = [(OWNERS[1], 60, 100, 0), (OWNERS[2], 60, 100, 0), (OWNERS[3], 0, 100, 50)]
    close(
        story,
        valid=True,
        moves=[*moves, (OWNERS[0], 762, 100, 0), (TREASURY, 58, 0, 0), (PAYERS[0], 10, 0, 0)],
    )
    audit, task = story.state.audits.find(TASK), story.state.tasks.find(TASK)
    assert audit is not None
    assert task is not None
    assert (audit.stage, audit.audited, audit.valid, audit.fees) == ("closed", True, True, 120)
    assert (task.paid, task.fee, task.returned, task.slashed) == (762, 18, 0, 0)
    votes = [story.state.audit_votes.find((TASK, 0, seat)) for seat in range(3)]
    assert [(v.valid, v.outcome, v.paid, v.slashed) for v in votes if v] == [
        (True, "right", 60, 0),
        (True, "right", 60, 0),
        (None, "wrong", 0, 50),
    ]
    panel = story.state.audit_panels.find((TASK, 0))
    assert panel is not None
    assert (panel.seated, panel.opened, panel.valid, panel.carried) == (3, 2, True, True)
    assert story.balance(OWNERS[1]) == (60, 0, 500, 0, 0)
    assert story.balance(OWNERS[3]) == (0, 0, 450, 0, 0)


def test_a_challenge_that_convicts_is_paid_from_the_slash(story: Story) -> None:
    story.tell("AuditCourt", "Challenged", TASK, CHALLENGER, 100)
    convene(story)
    moves = [(OWNERS[1], 6, 100, 0), (OWNERS[2], 6, 100, 0), (OWNERS[3], 0, 100, 50)]
    close(
        story,
        valid=False,
        moves=[*moves, (OWNERS[0], 0, 100, 50), (PAYERS[0], 900, 0, 0), (CHALLENGER, 25, 0, 0)],
    )
    audit, task = story.state.audits.find(TASK), story.state.tasks.find(TASK)
    assert audit is not None
    assert task is not None
    assert (audit.challenger, audit.audited, audit.valid, audit.fees) == (CHALLENGER, None, False, 0)
    assert (task.status, task.paid, task.returned, task.slashed) == ("failed", 0, 900, 50)
    seat = story.state.seats.find((TASK, 0))
    assert seat is not None
    assert seat.outcome == "wrong"


def test_an_appeal_adds_a_second_panel(story: Story) -> None:
    convene(story)
    story.tell("AuditCourt", "VerdictReached", TASK, 0, False, True)
    story.tell("AuditCourt", "StageChanged", TASK, AuditStage.APPEALABLE, 80)
    story.tell("AuditCourt", "Appealed", TASK, OWNERS[0], 100)
    story.tell("AuditCourt", "PanelConvened", TASK, 1, 5, 90)
    audit, first, second = (
        story.state.audits.find(TASK),
        story.state.audit_panels.find((TASK, 0)),
        story.state.audit_panels.find((TASK, 1)),
    )
    assert audit is not None
    assert first is not None
    assert second is not None
    assert audit.appellant == OWNERS[0]
    assert (first.valid, second.valid, second.size) == (False, None, 5)


def test_rules_belong_to_a_version_and_never_change(story: Story) -> None:
    story.tell("AuditCourt", "RulesAdded", 1, (10**17, 500, 5_000, 2_000, 10, 5))
    rules = story.state.audit_rules.find(1)
    assert rules is not None
    assert (rules.min_bond, rules.risk_multiple, rules.appeal_size) == (10**17, 10, 5)
    with pytest.raises(FoldError, match="added before"):
        story.tell("AuditCourt", "RulesAdded", 1, (1, 500, 5_000, 2_000, 10, 5))


@pytest.mark.parametrize(
    ("name", "args", "why"),
    [
        ("AuditDrawn", (b"\x09" * 32, True), "never revealed"),
        ("VoteSealed", (TASK, NODES[1], OWNERS[1], 0, 0, SEAL), "never convened"),
        ("CaseOpened", (TASK, NODES[0], 1, 1), "revealed before"),
        ("VerdictReached", (TASK, 0, True, False), "never convened"),
    ],
)
def test_what_cannot_have_happened_is_refused(
    story: Story, name: str, args: tuple[object, ...], why: str
) -> None:
    with pytest.raises(FoldError, match=why):
        story.tell("AuditCourt", name, *args)


def test_a_vote_is_opened_by_its_auditor_once(story: Story) -> None:
    convene(story)
    with pytest.raises(FoldError, match="to open"):
        story.tell("AuditCourt", "VoteOpened", TASK, NODES[2], 0, 0, True, EVIDENCE)
    story.tell("AuditCourt", "VoteOpened", TASK, NODES[1], 0, 0, True, bytes(32))
    with pytest.raises(FoldError, match="to open"):
        story.tell("AuditCourt", "VoteOpened", TASK, NODES[1], 0, 0, True, EVIDENCE)
