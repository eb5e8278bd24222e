"""Ask PeerMonitoring for what the tables about monitoring say of it."""

from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from indexer.contract import Contract, Facts
from protocol.enums import ReportKind, Ruling

Check = tuple[str, Callable[[asyncpg.Record], Awaitable[Facts]]]
"""A table, and what the contract says of one of its rows, by column."""


def monitoring_checks(monitoring: Contract, reputation: Contract) -> Sequence[Check]:
    """List the tables and how each of their rows is asked for."""
    return (
        ("monitoring_epochs", lambda row: _round(monitoring, row)),
        ("monitoring_assignments", lambda row: _duty(monitoring, row)),
        ("monitoring_reports", lambda row: _report(monitoring, reputation, row)),
        ("monitoring_verdicts", lambda row: _verdict(monitoring, row)),
    )


async def _round(monitoring: Contract, row: asyncpg.Record) -> Facts:
    round_ = int.from_bytes(row["round"], "big")
    draw = await monitoring.read("drawOf", round_)
    windows = await monitoring.read("windowsOf", round_)
    return {
        "seed": draw["seed"].to_bytes(32, "big"),
        "active": draw["active"],
        "seed_block": windows["seedBlock"],
    }


async def _duty(monitoring: Contract, row: asyncpg.Record) -> Facts:
    round_ = int.from_bytes(row["round"], "big")
    kept = (await monitoring.read("dutyOf", round_, row["monitor"]))["value"]
    marked = (await monitoring.read("isMarked", round_, row["monitor"]))["value"]
    # Once revealed, the contract keeps the number of reports, plus one, where the commitment was.
    revealed = 0 < int.from_bytes(kept, "big") <= 1 + row["reports"]
    return {
        "commitment": row["commitment"] if revealed else kept if any(kept) else None,
        "reports": int.from_bytes(kept, "big") - 1 if revealed else 0,
        "mark": row["mark"] if marked == (row["mark"] is not None) else marked,
    }


async def _report(monitoring: Contract, reputation: Contract, row: asyncpg.Record) -> Facts:
    owner = (await reputation.read("runnerOf", row["monitor"]))["owner"]
    kept = await monitoring.read("reportOf", int.from_bytes(row["round"], "big"), row["target"], owner)
    counted = kept["made"] and kept["monitor"].lower() == "0x" + row["monitor"].hex()
    return {
        "counted": counted,
        "kind": ReportKind(kept["kind"]).name.lower() if counted else row["kind"],
    }


async def _verdict(monitoring: Contract, row: asyncpg.Record) -> Facts:
    verdict = await monitoring.read("verdictOf", row["epoch"], row["target"])
    tally = await monitoring.read("tallyOf", row["epoch"], row["target"])
    return {
        "ruling": Ruling(verdict["ruling"]).name.lower(),
        "kind": ReportKind(verdict["kind"]).name.lower(),
        "concluded_block": verdict["atBlock"],
        "agreeing": max(tally["reports"]),
        "reports": sum(tally["reports"]),
    }
