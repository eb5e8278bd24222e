"""docs/explanation/scaling.md and its plots, from the template, the gas page and what was measured."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.everything.figures import RECORD, load
from benchmarks.scaling.arithmetic import (
    Costs,
    Need,
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
from benchmarks.scaling.plot import Line, log_log

TEMPLATE = Path(__file__).with_name("scaling.md.in")
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
SHARE: Final = 0.1
_TASKS_PLAYED: Final = 2_000
_FOLD: Final = 200_000 / 13.0
"""Events a second of the recorded dense backfill (docs/benchmarks.md), on a busy machine of two cores."""


def render() -> str:
    """Return the page."""
    costs, measured, wishes = Costs.read(), Measured.read(), Wishes()
    needs = [need(runners, wishes, costs, measured) for runners in SIZES]
    patient = Wishes(
        redeem_days=max(7.0, redeemed_days(0.03, SIZES[-1], costs)),
        channel_days=channel_days(0.01, SIZES[-1], costs),
        monitor_blocks=round(monitor_blocks(0.02, SIZES[-1], measured)),
        tasks_a_day=tasks_a_day(0.04, costs) / SIZES[-1],
    )
    fitted = need(SIZES[-1], patient, costs, measured)
    return TEMPLATE.read_text(encoding="utf-8").format(
        gas_a_day=f"{chain_gas_a_day() / 1e9:,.0f}",
        gas_an_epoch=f"{chain_gas_a_day() / 2_880 / 1e6:,.1f}",
        k1=f"{costs.task:,}",
        whole_tasks=f"{tasks_a_day(1.0, costs):,.0f}",
        a_second=f"{tasks_a_day(1.0, costs) / 86_400:.1f}",
        some_tasks=f"{tasks_a_day(SHARE, costs):,.0f}",
        each_days=f"{SIZES[-1] / tasks_a_day(SHARE, costs):,.0f}",
        enlist_days=f"{SIZES[-1] * costs.enlist / (SHARE * chain_gas_a_day()):,.0f}",
        channel_share=f"{100 * _opening(costs):.0f}",
        redeem_days=f"{redeemed_days(SHARE, SIZES[-1], costs):,.1f}",
        monitor_limit=f"{_monitor_limit(measured):,.0f}",
        monitor_days=f"{monitor_blocks(SHARE, SIZES[-1], measured) / 2_880:,.0f}",
        duty=f"{measured.monitor_commit + measured.monitor_reveal + measured.monitor_conclude:,}",
        needs="\n".join(map(_need_row, needs)),
        fitted=_fitted(fitted, patient),
        index=_index(needs, fitted),
        waits="\n".join(_wait_rows()),
        ticket_us=f"{measured.ticket_us:.0f}",
        ticket_s=f"{measured.ticket_us:.0f}",
        result_kb=f"{(measured.spec_bytes + measured.result_bytes) / 1000:.1f}",
        fingerprint_kb=f"{measured.fingerprint_bytes / 1000:.0f}",
        load=_load_rows(),
    )


def plot() -> str:
    """Draw the share of the chain by the number of runners."""
    costs, measured = Costs.read(), Measured.read()
    needs = [need(runners, Wishes(), costs, measured) for runners in SIZES]
    day = chain_gas_a_day()
    return log_log(
        "Share of Filecoin's gas, by runners",
        bottom="runners",
        lines=[
            Line("monitoring every 2 h", [(one.runners, one.monitoring_gas / day) for one in needs]),
            Line("one audited task a day", [(one.runners, one.tasks_gas / day) for one in needs]),
            Line("1,000 chats a day", [(one.runners, one.channels_gas / day) for one in needs]),
            Line("all of Filecoin", [(one.runners, 1.0) for one in needs]),
        ],
    )


def _opening(costs: Costs) -> float:
    """Return what opening and closing every channel once in thirty days takes of the chain, with a million runners."""
    return channel_days(1.0, SIZES[-1], costs) / 30


def _monitor_limit(measured: Measured) -> float:
    """Return how many runners monitoring each other every 240 blocks take a tenth of the chain."""
    return 240 / monitor_blocks(SHARE, 1, measured)


def _need_row(one: Need) -> str:
    day = chain_gas_a_day()
    parts = (one.tasks_gas / day, one.channels_gas / day, one.monitoring_gas / day, one.share)
    return (
        f"| {one.runners:,} | "
        + " | ".join(f"{100 * part:,.2g} %" if part < 1 else f"{part:,.0f} times" for part in parts)
        + " |"
    )


def _fitted(one: Need, wishes: Wishes) -> str:
    return "\n".join(
        [
            f"| escrowed and audited tasks per day, of all runners together | {one.runners * wishes.tasks_a_day:,.0f} |",
            f"| one task per runner every | {1 / wishes.tasks_a_day:,.0f} days |",
            f"| chats per day, of all runners together | {one.runners * wishes.chats_a_day:,.0f} |",
            f"| a channel stays open, and is topped up, for | {wishes.channel_days:,.0f} days |",
            f"| vouchers redeemed every | {wishes.redeem_days:,.0f} days |",
            f"| monitoring epoch | {wishes.monitor_blocks / 2_880:,.0f} days |",
            f"| share of Filecoin | {100 * one.share:.0f} % |",
        ]
    )


def _index(needs: Iterable[Need], fitted: Need) -> str:
    rows = []
    for name, one in (
        *((f"{one.runners:,}, as in the table above", one) for one in needs),
        ("1,000,000, on a tenth of Filecoin", fitted),
    ):
        a_second = one.events / 86_400
        rows.append(
            f"| {name} | {one.events:,.0f} | {a_second:,.1f} | {100 * a_second / _FOLD:.2g} % | {one.postgres_gb:,.2f} | "
            f"{one.documents:,.0f} | {one.ipfs_gb:,.2f} |"
        )
    return "\n".join(rows)


def _wait_rows() -> Iterable[str]:
    for able in (0.5, 0.1, 0.02):
        for runners in (100, *SIZES):
            found = play(runners, able, tasks=_TASKS_PLAYED, seed=1)
            yield f"| {100 * able:.0f} % | {runners:,} | {found.median:.0f} | {found.p99:.0f} | {100 * found.unclaimed:.1f} % |"


def _load_rows() -> str:
    rows = [one for one in load(RECORD) if one.suite == "load"]
    return "\n".join(f"| {one.name} | {one.ours:,.2f} {one.unit} |" for one in rows)
