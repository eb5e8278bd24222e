"""The arithmetic of scaling: it follows from what was measured, and the page is what it gives."""

import pytest

from benchmarks.scaling.arithmetic import (
    Costs,
    Wishes,
    chain_gas_a_day,
    channel_days,
    monitor_blocks,
    need,
    redeemed_days,
    tasks_a_day,
)
from benchmarks.scaling.claims import play
from benchmarks.scaling.measured import Measured
from benchmarks.scaling.page import render
from devnet.paths import ROOT

MILLION = 1_000_000


@pytest.fixture(scope="module")
def costs() -> Costs:
    return Costs.read()


@pytest.fixture(scope="module")
def measured() -> Measured:
    return Measured.read()


def test_ten_times_the_runners_need_ten_times_of_everything(costs: Costs, measured: Measured) -> None:
    few, many = (need(runners, Wishes(), costs, measured) for runners in (1_000, 10_000))
    assert many.gas == pytest.approx(10 * few.gas)
    assert many.events == pytest.approx(10 * few.events)
    assert many.ipfs_gb == pytest.approx(10 * few.ipfs_gb)


def test_a_network_that_keeps_to_its_shares_takes_their_sum(costs: Costs, measured: Measured) -> None:
    wishes = Wishes(
        tasks_a_day=tasks_a_day(0.04, costs) / MILLION,
        redeem_days=redeemed_days(0.03, MILLION, costs),
        channel_days=channel_days(0.01, MILLION, costs),
        monitor_blocks=round(monitor_blocks(0.02, MILLION, measured)),
    )
    assert need(MILLION, wishes, costs, measured).share == pytest.approx(0.1, rel=1e-3)


def test_chats_cost_no_gas(costs: Costs, measured: Measured) -> None:
    silent, loud = (need(1_000, Wishes(chats_a_day=chats), costs, measured) for chats in (0, 10**6))
    assert silent == loud


def test_filecoins_gas_is_divided_by_its_unit() -> None:
    assert chain_gas_a_day() == pytest.approx(2_880 * 5 * 10**10 / 2 / 444)


def test_how_long_a_task_waits_does_not_depend_on_how_many_runners_there_are() -> None:
    few, many = (play(runners, 0.1, tasks=500, seed=2) for runners in (1_000, MILLION))
    assert abs(few.median - many.median) <= 4
    assert play(1_000, 0.5, tasks=500, seed=2).median < few.median


def test_the_page_is_what_the_program_gives() -> None:
    page = ROOT / "docs/explanation/scaling.md"
    assert page.read_text(encoding="utf-8") == render(), "run python -m benchmarks.scaling --write"
