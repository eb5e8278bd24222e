"""The economics simulation: honest work wins, no token is made or lost in it, and its rules are the contracts'."""

import subprocess
import sys

import pytest

from benchmarks.economics.court import Record, Terms, enter
from benchmarks.economics.market import Market, World
from devnet.paths import ROOT
from protocol.money import USDFC
from scripts._profiles import FILECOIN

SEEDS = (11, 12, 13)
TASKS = 6_000


@pytest.fixture(scope="module")
def plays() -> list[Market]:
    return [Market(World(tasks=TASKS), seed=seed).run() for seed in SEEDS]


def mean_profit(plays: list[Market], strategy: str) -> float:
    found = [result.profit for play in plays for result in play.results() if result.strategy == strategy]
    return sum(found) / len(found)


@pytest.mark.parametrize("strategy", [name for name in World().mix if name != "honest"])
def test_honest_work_earns_more_than(plays: list[Market], strategy: str) -> None:
    assert mean_profit(plays, "honest") > mean_profit(plays, strategy)


@pytest.mark.parametrize(
    "strategy", ["always cheats", "audits without looking: invalid", "ring: cheats, passes its own"]
)
def test_who_never_works_loses_money(plays: list[Market], strategy: str) -> None:
    assert mean_profit(plays, strategy) < 0


def test_every_token_that_somebody_gains_somebody_loses(plays: list[Market]) -> None:
    for play in plays:
        players = sum(player.pay + player.wages - player.lost for player in play.players)
        assert players + sum(play.outside.values()) == 0


def test_a_seed_plays_the_same_again(plays: list[Market]) -> None:
    again = Market(World(tasks=TASKS), seed=SEEDS[0]).run()
    assert list(again.results()) == list(plays[0].results())


@pytest.mark.parametrize(("bond", "least_bps"), [(1, 6_667), (10, 1_667), (38, 500)])
def test_the_rate_of_audits_deters_whatever_the_record(bond: int, least_bps: int) -> None:
    terms = Terms(reward=USDFC, bond=bond * USDFC)
    assert terms.rate_bps(Record(score=1_000_000), at_block=0) == least_bps
    assert terms.rate_bps(Record(), at_block=0) == max(least_bps, 5_000)


def test_three_wrong_answers_in_a_row_ban_for_twice_as_long_each_time() -> None:
    record = Record()
    for at_block in range(3):
        enter(record, right=False, fee=0, at_block=at_block, profile=FILECOIN)
    assert record.banned_until == 2 + FILECOIN.settings.ban_for
    assert record.score == 500_000 * 2 // 3 * 2 // 3 * 2 // 3
    for at_block in range(3, 6):
        enter(record, right=False, fee=0, at_block=at_block, profile=FILECOIN)
    assert record.banned_until == 5 + 2 * FILECOIN.settings.ban_for


def test_the_command_prints_a_line_for_each_strategy() -> None:
    argv = [sys.executable, "-m", "benchmarks.economics", "--seeds", "1", "--tasks", "100"]
    ran = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(ran.stdout.splitlines()) == 1 + len(World().mix)
