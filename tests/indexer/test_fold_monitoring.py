"""What the fold makes of monitoring rounds, and what it refuses."""

from typing import Any

import pytest

from indexer.errors import FoldError
from indexer.fold.monitoring import EPOCHS, key_of
from protocol.enums import Outcome, ReportKind, Ruling
from tests.indexer.contract_events import NODES, OWNERS
from tests.indexer.stories import Story

EPOCH = 9
JUDGES = EPOCHS + 77
TARGET, FIRST, SECOND = NODES[:3]
REF = key_of(JUDGES)


@pytest.fixture
def story() -> Story:
    told = Story()
    told.tell("RunnerReputation", "RunnerRegistered", TARGET, OWNERS[0], bytes(32), bytes(32))
    return told


def tell(story: Story, name: str, *args: Any) -> None:
    story.tell("PeerMonitoring", name, *args)


def watch(story: Story, monitor: bytes, kind: ReportKind, *, round_: int = EPOCH) -> None:
    tell(story, "ReportsCommitted", round_, monitor, b"\x01" * 32)
    tell(story, "ReportRevealed", round_, TARGET, monitor, kind, bytes(32), True)


def verdict(story: Story) -> Any:
    return story.state.monitoring_verdicts.find((key_of(EPOCH), TARGET))


def duty(story: Story, monitor: bytes) -> Any:
    return story.state.monitoring_duties.find((key_of(EPOCH), monitor))


def test_an_epoch_is_told_from_the_judges_of_a_challenge(story: Story) -> None:
    tell(story, "RoundOpened", EPOCH, 720, 5, 12)
    tell(story, "RoundOpened", JUDGES, 900, 6, 13)
    epoch = story.state.monitoring_rounds.find(key_of(EPOCH))
    judges = story.state.monitoring_rounds.find(key_of(JUDGES))
    assert epoch is not None
    assert judges is not None
    assert (epoch.epoch, epoch.seed, epoch.active) == (EPOCH, key_of(5), 12)
    assert (judges.epoch, judges.seed_block) == (None, 900)


def test_a_duty_grows_with_each_report_of_its_reveal(story: Story) -> None:
    tell(story, "ReportsCommitted", EPOCH, FIRST, b"\x01" * 32)
    for target in (TARGET, SECOND):
        tell(
            story, "ReportRevealed", EPOCH, target, FIRST, ReportKind.OFFLINE, b"\x02" * 32, target == TARGET
        )
    assert (duty(story, FIRST).reports, duty(story, FIRST).commitment) == (2, b"\x01" * 32)
    report = story.state.monitoring_reports.find((key_of(EPOCH), TARGET, FIRST))
    other = story.state.monitoring_reports.find((key_of(EPOCH), SECOND, FIRST))
    assert report is not None
    assert other is not None
    assert (report.kind, report.evidence, report.counted, other.counted) == (
        "offline",
        b"\x02" * 32,
        True,
        False,
    )


def test_a_verdict_goes_from_agreement_through_a_challenge_to_its_end(story: Story) -> None:
    tell(story, "EpochConcluded", EPOCH, TARGET, Ruling.AGREED, ReportKind.OFFLINE, 3, 4)
    assert (verdict(story).ruling, verdict(story).kind, verdict(story).agreeing) == ("agreed", "offline", 3)
    tell(story, "VerdictChallenged", EPOCH, TARGET, OWNERS[0], JUDGES, 900)
    assert (verdict(story).ruling, verdict(story).challenge_round) == ("challenged", REF)
    tell(story, "ChallengeResolved", EPOCH, TARGET, Ruling.OVERTURNED, ReportKind.GOOD_BEHAVIOR, 5, 6)
    row = verdict(story)
    assert (row.ruling, row.kind, row.judged_kind, row.judged_agreeing, row.judged_reports) == (
        "overturned",
        "offline",
        "good_behavior",
        5,
        6,
    )


def test_where_no_judge_spoke_none_judged(story: Story) -> None:
    tell(story, "EpochConcluded", EPOCH, TARGET, Ruling.AGREED, ReportKind.OFFLINE, 3, 3)
    tell(story, "VerdictChallenged", EPOCH, TARGET, OWNERS[0], JUDGES, 900)
    tell(story, "ChallengeResolved", EPOCH, TARGET, Ruling.UNDECIDED, ReportKind.GOOD_BEHAVIOR, 0, 0)
    assert (verdict(story).ruling, verdict(story).judged_kind, verdict(story).judged_reports) == (
        "undecided",
        None,
        0,
    )


def test_a_mark_is_kept_with_the_duty_even_of_one_who_never_spoke(story: Story) -> None:
    watch(story, FIRST, ReportKind.GOOD_BEHAVIOR)
    tell(story, "MonitorMarked", EPOCH, TARGET, FIRST, True)
    tell(story, "MonitorMarked", EPOCH, TARGET, SECOND, False)
    assert (duty(story, FIRST).mark, duty(story, FIRST).mark_target) == ("lying", TARGET)
    assert (duty(story, SECOND).mark, duty(story, SECOND).commitment) == ("silent", None)


def test_penalties_are_a_part_of_a_runners_history(story: Story) -> None:
    story.tell("RunnerReputation", "ScoreChanged", TARGET, REF, Outcome.OFFLINE, 475_000)
    story.tell("RunnerReputation", "RunnerSuspension", TARGET, 4_000)
    story.tell("RunnerReputation", "ScoreChanged", TARGET, key_of(EPOCH), Outcome.MONITOR_SILENT, 451_250)
    story.tell("RunnerReputation", "ScoreChanged", TARGET, REF, Outcome.RESTORED, 476_250)
    record, runner = story.state.reputations.find(TARGET), story.state.runners.find(TARGET)
    assert record is not None
    assert runner is not None
    assert (record.score, record.monitor_missed, record.wrong, record.missed) == (476_250, 1, 0, 0)
    assert runner.suspended_until == 4_000
    assert [row.outcome for row in story.state.reputation_events] == ["offline", "monitor_silent", "restored"]


@pytest.mark.parametrize(
    "impossible",
    [
        [("RoundOpened", EPOCH, 720, 5, 12)] * 2,
        [("ReportsCommitted", EPOCH, FIRST, b"\x01" * 32)] * 2,
        [("ReportRevealed", EPOCH, TARGET, FIRST, 0, bytes(32), True)],
        [("EpochConcluded", EPOCH, TARGET, Ruling.AGREED, 0, 3, 3)] * 2,
        [
            ("EpochConcluded", EPOCH, TARGET, Ruling.SPLIT, 0, 2, 2),
            ("VerdictChallenged", EPOCH, TARGET, OWNERS[0], JUDGES, 900),
        ],
        [
            ("EpochConcluded", EPOCH, TARGET, Ruling.AGREED, 0, 3, 3),
            ("ChallengeResolved", EPOCH, TARGET, Ruling.UPHELD, 0, 3, 3),
        ],
        [("MonitorMarked", EPOCH, TARGET, FIRST, True)] * 2,
    ],
    ids=lambda events: events[-1][0],
)
def test_what_cannot_have_happened_is_refused(story: Story, impossible: list[tuple[Any, ...]]) -> None:
    *before, last = impossible
    for name, *args in before:
        tell(story, name, *args)
    with pytest.raises(FoldError, match=str(last[0])):
        tell(story, *last)


def test_no_report_is_revealed_twice(story: Story) -> None:
    watch(story, FIRST, ReportKind.OFFLINE)
    with pytest.raises(FoldError, match="before"):
        tell(story, "ReportRevealed", EPOCH, TARGET, FIRST, ReportKind.OFFLINE, bytes(32), True)
