"""What the fold makes of events, and what it refuses."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.errors import FoldError
from indexer.events import Log
from indexer.fold.state import State
from tests.indexer.contract_events import ADDRESSES, DEAD, NODES, OWNERS, PAYERS, TREASURY
from tests.indexer.stories import BOOK, CHANNEL, TASK, Story


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_slash_takes_unlocked_bonded_stake_first_and_pending_unbonding_then(story: Story) -> None:
    story.tell("StakeWallet", "Deposited", OWNERS[0], 500)
    story.tell("StakeWallet", "Bonded", OWNERS[0], 500)
    story.tell("StakeWallet", "BondLocked", OWNERS[0], TASK, 100)
    story.tell("StakeWallet", "BondLocked", OWNERS[0], b"\x06" * 32, 250)
    story.tell("StakeWallet", "UnbondRequested", OWNERS[0], 150, 50)
    story.tell("StakeWallet", "Moved", TASK, OWNERS[0], 0, 100, 130)
    assert story.balance(OWNERS[0]) == (0, 0, 250, 250, 120)


def test_a_settled_task_tells_pay_fee_remainder_and_slash_apart(story: Story) -> None:
    story.submit()
    for number in range(3):
        story.claim(number)
    story.tell("TaskEscrow", "PhaseChanged", TASK, 2, 40)
    for number in range(3):
        story.tell("TaskEscrow", "SeatCommitted", TASK, NODES[number], number, b"\x0c" * 32)
    story.tell("TaskEscrow", "PhaseChanged", TASK, 3, 60)
    for number, answer in enumerate((b"\x0a" * 32, b"\x0a" * 32, b"\x0b" * 32)):
        story.tell("TaskEscrow", "SeatRevealed", TASK, NODES[number], number, answer, bytes(32), 11, 7)
    story.tell("TaskEscrow", "PhaseChanged", TASK, 6, 0)
    story.tell("TaskEscrow", "TaskFinalized", TASK, 0b011, 12)
    story.tell("StakeWallet", "Settled", TASK, PAYERS[0], 900)
    story.tell("StakeWallet", "Moved", TASK, OWNERS[0], 294, 100, 0)
    story.tell("StakeWallet", "Moved", TASK, OWNERS[1], 294, 100, 0)
    story.tell("StakeWallet", "Moved", TASK, OWNERS[2], 0, 100, 50)
    story.tell("StakeWallet", "Moved", TASK, PAYERS[0], 300 + 15, 0, 0)
    story.tell("StakeWallet", "Moved", TASK, TREASURY, 12 + 25, 0, 0)
    story.tell("StakeWallet", "Moved", TASK, DEAD, 10, 0, 0)
    task = story.state.tasks.find(TASK)
    assert task is not None
    assert (task.paid, task.fee, task.returned, task.slashed) == (588, 12, 300, 50)
    assert task.paid + task.fee + task.returned == task.reward
    assert (task.status, task.settled_block, task.winners) == ("final", story.block - 8, 0b011)
    assert task.result == b"\x0a" * 32


def test_no_task_is_won_by_a_seat_that_has_revealed_nothing(story: Story) -> None:
    story.submit()
    for number in range(3):
        story.claim(number)
    with pytest.raises(FoldError, match="revealed nothing"):
        story.tell("TaskEscrow", "TaskFinalized", TASK, 0b011, 12)


def test_the_last_seat_reveals_without_a_commitment_and_none_before_it(story: Story) -> None:
    story.submit()
    for number in range(3):
        story.claim(number)
    story.tell("TaskEscrow", "PhaseChanged", TASK, 2, 40)
    story.tell("TaskEscrow", "SeatCommitted", TASK, NODES[0], 0, b"\x0a" * 32)
    answer = (b"\x0b" * 32, bytes(32), 11, 7)
    with pytest.raises(FoldError, match="not committed"):
        story.tell("TaskEscrow", "SeatRevealed", TASK, NODES[1], 1, *answer)
    story.tell("TaskEscrow", "SeatCommitted", TASK, NODES[2], 2, b"\x0a" * 32)
    story.tell("TaskEscrow", "SeatRevealed", TASK, NODES[1], 1, *answer)
    story.tell("TaskEscrow", "PhaseChanged", TASK, 3, 60)
    task, seat = story.state.tasks.find(TASK), story.state.seats.find((TASK, 1))
    assert task is not None
    assert seat is not None
    assert (task.status, task.committed, task.revealed) == ("revealing", 2, 1)
    assert (seat.state, seat.commitment, seat.result) == ("revealed", None, answer[0])


def test_a_treasury_that_also_runs_a_node_is_not_paid_its_fee_as_a_seat(story: Story) -> None:
    story.submit(replicas=1)
    story.claim(0)
    story.tell("StakeWallet", "Settled", TASK, PAYERS[0], 900)
    story.tell("StakeWallet", "Moved", TASK, OWNERS[0], 882, 100, 0)
    story.tell("StakeWallet", "Moved", TASK, OWNERS[0], 18, 0, 0)
    task = story.state.tasks.find(TASK)
    assert task is not None
    assert task.paid == 882


def test_settlement_of_something_that_is_no_task_moves_balances_alone(story: Story) -> None:
    story.tell("StakeWallet", "Deposited", PAYERS[0], 10)
    story.tell("StakeWallet", "Escrowed", PAYERS[0], TASK, 10)
    story.tell("StakeWallet", "Settled", TASK, PAYERS[0], 10)
    story.tell("StakeWallet", "Moved", TASK, PAYERS[1], 10, 0, 0)
    assert story.balance(PAYERS[0]) == (0, 0, 0, 0, 0)
    assert story.balance(PAYERS[1]) == (10, 0, 0, 0, 0)


def test_a_channel_pays_its_owner_and_returns_the_rest(story: Story) -> None:
    story.channel()
    story.tell("StakeWallet", "ChannelToppedUp", CHANNEL, PAYERS[0], 50)
    story.tell("StakeWallet", "VouchersRedeemed", OWNERS[0], [CHANNEL, CHANNEL], [30, 20])
    story.tell("StakeWallet", "ChannelClosing", CHANNEL, 800)
    story.tell("StakeWallet", "ChannelClosed", CHANNEL, PAYERS[0], 100)
    row = story.state.channels.find(CHANNEL)
    assert row is not None
    assert (row.amount, row.deposited, row.redeemed, row.returned) == (100, 150, 50, 100)
    assert (row.status, row.closes_at, row.closed_block) == ("closed", 800, story.block)
    assert story.balance(PAYERS[0])[0] == 950
    assert story.balance(OWNERS[0])[0] == 50


def test_a_voucher_says_all_that_its_channel_has_paid_with_it(story: Story) -> None:
    story.channel()
    story.tell("StakeWallet", "VouchersRedeemed", OWNERS[0], [CHANNEL, CHANNEL], [30, 20])
    story.tell("StakeWallet", "VouchersRedeemed", OWNERS[0], [CHANNEL], [5])
    assert [
        (row.payer, row.owner, row.amount, row.cumulative, row.place) for row in story.state.vouchers
    ] == [
        (PAYERS[0], OWNERS[0], 30, 30, 0),
        (PAYERS[0], OWNERS[0], 20, 50, 1),
        (PAYERS[0], OWNERS[0], 5, 55, 0),
    ]


def test_votes_are_kept_one_by_one(story: Story) -> None:
    story.tell("ParityGovernor", "VoteCast", PAYERS[0], 2**255, 1, 10**24, "Fair enough")
    story.tell("ParityGovernor", "VoteCastWithParams", PAYERS[1], 2**255, 0, 5, "", b"\x01")
    assert [
        (row.voter, row.proposal_id, row.support, row.weight, row.reason, row.params)
        for row in story.state.proposal_votes
    ] == [
        (PAYERS[0], 2**255, "for", 10**24, "Fair enough", b""),
        (PAYERS[1], 2**255, "against", 5, "", b"\x01"),
    ]


def test_what_becomes_of_a_proposal_is_kept_with_its_text(story: Story) -> None:
    calls: tuple[list[Any], ...] = ([TREASURY], [0], [""], [b"\x01"])
    story.tell("ParityGovernor", "ProposalCreated", 7, PAYERS[0], *calls, 100, 200, 'Say "so"')
    story.tell("ParityGovernor", "ProposalExtended", 7, 300)
    story.tell("ParityGovernor", "ProposalQueued", 7, 400)
    story.tell("ParityGovernor", "ProposalExecuted", 7)
    assert [(row.proposal_id, row.name, json.loads(row.data)) for row in story.state.proposal_events] == [
        (
            7,
            "ProposalCreated",
            {
                "proposer": "0x" + PAYERS[0].hex(),
                "description": 'Say "so"',
                "voteStart": "100",
                "voteEnd": "200",
            },
        ),
        (7, "ProposalExtended", {"extendedDeadline": "300"}),
        (7, "ProposalQueued", {"etaSeconds": "400"}),
        (7, "ProposalExecuted", {}),
    ]


@pytest.mark.parametrize("said", [b"\xff\xfe", b"a\0b", b"0xzz", b"0x12", "\N{SNOWMAN}".encode() * 9000])
def test_no_words_of_a_voter_stop_the_index(story: Story, said: bytes) -> None:
    story.tell_bytes("ParityGovernor", "VoteCast", PAYERS[0], 1, 1, 1, said)
    (row,) = story.state.proposal_votes
    assert row.reason == said.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def test_the_third_wrong_result_in_a_row_bans_and_starts_the_count_anew(story: Story) -> None:
    story.tell("RunnerReputation", "RunnerRegistered", NODES[0], OWNERS[0], bytes(32), bytes(32))
    streaks = []
    for number in range(4):
        if number == 2:
            story.tell("RunnerReputation", "RunnerBan", NODES[0], 700, 1)
        story.tell("RunnerReputation", "ScoreChanged", NODES[0], bytes(32), 1, 400_000)
        record = story.state.reputations.find(NODES[0])
        assert record is not None
        streaks.append(record.wrong_streak)
    runner = story.state.runners.find(NODES[0])
    assert streaks == [1, 2, 0, 1]
    assert runner is not None
    assert (runner.banned_until, runner.strikes) == (700, 1)


def test_a_retired_runner_comes_back_with_its_record(story: Story) -> None:
    story.tell("RunnerReputation", "RunnerRegistered", NODES[0], OWNERS[0], bytes(32), b"\x09" * 32)
    story.tell("RunnerReputation", "ScoreChanged", NODES[0], bytes(32), 0, 510_000)
    story.tell("RunnerReputation", "RunnerRetirement", NODES[0])
    story.tell("RunnerReputation", "RunnerRegistered", NODES[0], OWNERS[0], bytes(32), b"\x09" * 32)
    runner, record = story.state.runners.find(NODES[0]), story.state.reputations.find(NODES[0])
    assert runner is not None
    assert record is not None
    assert (runner.status, runner.registered_block, record.score, record.right) == ("active", 4, 510_000, 1)


Prelude = Callable[[Story], None]
IMPOSSIBLE: list[tuple[str, Prelude, tuple[Any, ...], str]] = [
    ("overdraft", lambda _story: None, ("StakeWallet", "Withdrawn", PAYERS[0], PAYERS[0], 1), "negative"),
    ("unknown task", lambda _story: None, ("TaskEscrow", "PhaseChanged", TASK, 2, 9), "never submitted"),
    ("seat gap", Story.submit, ("TaskEscrow", "SeatClaimed", TASK, NODES[0], OWNERS[0], 1), "follows 0 of 3"),
    ("no seat", Story.submit, ("TaskEscrow", "SeatCommitted", TASK, NODES[0], 0, bytes(32)), "is not 0x3030"),
    (
        "stranger's score",
        lambda _story: None,
        ("RunnerReputation", "ScoreChanged", NODES[0], TASK, 0, 1),
        "not registered",
    ),
    (
        "unknown channel",
        lambda _story: None,
        ("StakeWallet", "ChannelClosing", CHANNEL, 9),
        "never opened",
    ),
    (
        "channel overdrawn",
        Story.channel,
        ("StakeWallet", "VouchersRedeemed", OWNERS[0], [CHANNEL], [101]),
        "cannot pay 101",
    ),
    (
        "another owner paid",
        Story.channel,
        ("StakeWallet", "VouchersRedeemed", OWNERS[1], [CHANNEL], [1]),
        "cannot pay 1 to",
    ),
    (
        "more returned than is left",
        Story.channel,
        ("StakeWallet", "ChannelClosed", CHANNEL, PAYERS[0], 101),
        "cannot return 101",
    ),
    (
        "a fourth kind of vote",
        lambda _story: None,
        ("ParityGovernor", "VoteCast", PAYERS[0], 1, 3, 1, ""),
        "cannot have voted 3",
    ),
    (
        "retired twice",
        lambda _story: None,
        ("RunnerReputation", "RunnerRetirement", NODES[0]),
        "not registered",
    ),
]


@pytest.mark.parametrize(
    ("prelude", "event", "message"), [case[1:] for case in IMPOSSIBLE], ids=[c[0] for c in IMPOSSIBLE]
)
def test_an_impossible_event_is_refused_with_its_place(
    story: Story, prelude: Prelude, event: tuple[Any, ...], message: str
) -> None:
    prelude(story)
    with pytest.raises(
        FoldError, match=f"at block {story.block + 1}, transaction 0x00.*, log 0: .*{message}"
    ):
        story.tell(*event)


def test_nothing_happens_to_a_task_that_ended(story: Story) -> None:
    story.submit()
    story.tell("TaskEscrow", "PhaseChanged", TASK, 8, 0)
    with pytest.raises(FoldError, match="already cancelled"):
        story.tell("TaskEscrow", "PhaseChanged", TASK, 2, 9)


def test_an_event_that_the_abi_lacks_is_refused_with_its_place() -> None:
    log = Log(
        5,
        0,
        3,
        bytes(32),
        datetime(2026, 1, 1, tzinfo=UTC),
        b"\x01" * 32,
        ADDRESSES["TaskEscrow"],
        b"\xee" * 32,
        b"",
    )
    with pytest.raises(FoldError, match=r"unknown event at block 5, transaction 0x0101.*, log 3"):
        BOOK.decode(log)


def test_a_row_that_nobody_looked_up_is_never_taken_for_missing() -> None:
    with pytest.raises(KeyError):
        State().balances.find(PAYERS[0])


def test_a_pause_is_kept_until_it_is_lifted() -> None:
    story = Story()
    target = ADDRESSES["TaskEscrow"]
    story.tell("StakeWallet", "Paused", target, 11, 21)
    row = story.state.pauses.find(target)
    assert row is not None
    assert (row.paused_until, row.pausable_from, row.updated_block) == (11, 21, 1)
    story.tell("StakeWallet", "Unpaused", target)
    assert (row.paused_until, row.pausable_from, row.updated_block) == (2, 21, 2)


def test_what_is_not_paused_cannot_be_lifted() -> None:
    story = Story()
    with pytest.raises(FoldError, match="is not paused"):
        story.tell("StakeWallet", "Unpaused", ADDRESSES["TaskEscrow"])
