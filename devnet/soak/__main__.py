"""`python -m devnet.soak`: rehearse a network day and audit it; 0 only if everything held."""

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from devnet.ledger.__main__ import table_of
from devnet.progress import Progress
from devnet.records import hold_lock
from devnet.soak.plan import SoakPlan
from devnet.soak.rehearsal import Outcome, rehearse
from protocol.errors import ParityError
from protocol.log import configure_logging
from protocol.money import format_usdfc

_WIDTH = 160
_PER_CENT = 10_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def soak(
    *,
    tasks: Annotated[int, typer.Option("--tasks", help="How many pieces of work.")] = 40,
    minutes: Annotated[float, typer.Option("--minutes", help="After this long no more is ordered.")] = 10.0,
    runners: Annotated[int, typer.Option("--runners", help="How many runners, at least 5.")] = 6,
    seed: Annotated[int, typer.Option("--seed", help="Chooses work, faults and one cheat.")] = 1,
    at_once: Annotated[int, typer.Option("--at-once", help="Orders under way at a time.")] = 3,
    fault_every: Annotated[
        float, typer.Option("--fault-every", help="Mean seconds between faults; 0: none.")
    ] = 15.0,
    block_time: Annotated[int, typer.Option("--block-time", help="Seconds between blocks.")] = 1,
    sessions: Annotated[
        bool, typer.Option("--sessions/--no-sessions", help="Hold two learning sessions meanwhile.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Rehearse a network day: mixed work, cheats, a liar, crashes, reorganisations; then audit the ledger."""
    plan = SoakPlan(
        tasks=tasks,
        minutes=minutes,
        runners=runners,
        seed=seed,
        at_once=at_once,
        fault_every_s=fault_every,
        block_time_s=block_time,
        sessions=sessions,
    )
    configure_logging("soak", level="warning")
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, stderr=as_json)
    state = Path(tempfile.mkdtemp(prefix="parity-soak-"))
    console.print(f"state and logs: {state}")
    with hold_lock(state):
        outcome = asyncio.run(rehearse(plan, state=state, progress=Progress(console)))
    if as_json:
        typer.echo(json.dumps(to_json(outcome), indent=2))
    else:
        for table in (_work(outcome), _runners(outcome), table_of(outcome.findings, title="What must hold")):
            console.print(table)
            console.print()
    if not outcome.holds:
        raise typer.Exit(1)
    shutil.rmtree(state, ignore_errors=True)  # what did not hold is looked for in its logs


def to_json(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as JSON takes it; amounts are decimal strings of base units."""
    return {
        "seed": outcome.plan.seed,
        "seconds": round(outcome.seconds, 1),
        "work": dict(outcome.done),
        "tasks": len(outcome.evidence.tasks),
        "undoneOrders": outcome.undone_orders,
        "faults": dict(outcome.faults),
        "runners": [
            {
                "name": one.name,
                "role": one.role,
                "paid": str(one.fortune.paid),
                "slashed": str(one.fortune.slashed),
                "score": one.record.score,
                "right": one.record.right,
                "wrong": one.record.wrong,
                "missed": one.record.missed,
                "missedDuties": one.missed_duties,
            }
            for one in outcome.standing
        ],
        "findings": [{"what": one.what, "holds": one.holds, "found": one.found} for one in outcome.findings],
    }


def _work(outcome: Outcome) -> Table:
    table = _table(f"Work and faults (seed {outcome.plan.seed})")
    for kind, count in sorted(outcome.done.items()):
        table.add_row(kind, str(count))
    for kind, count in sorted(outcome.faults.items()):
        table.add_row(kind, str(count))
    table.add_row("orders that a reorganisation undid", str(outcome.undone_orders))
    table.add_row("seconds from the first order to the last end", f"{outcome.seconds:.0f}")
    return table


def _runners(outcome: Outcome) -> Table:
    columns = (
        "runner",
        "role",
        "paid",
        "slashed",
        "profit",
        "score",
        "right",
        "wrong",
        "missed",
        "bad duties",
    )
    table = _table("Runners (USDFC)", *columns)
    for one in outcome.standing:
        money = (one.fortune.paid, one.fortune.slashed, one.profit)
        record = one.record
        table.add_row(
            one.name,
            one.role,
            *(format_usdfc(amount) for amount in money),
            f"{record.score / _PER_CENT:.2f} %",
            *(str(count) for count in (record.right, record.wrong, record.missed, one.missed_duties)),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.show_header = bool(columns)
    for column in columns or ("", ""):
        table.add_column(column)
    return table


def main() -> None:
    """Run; a ParityError becomes its message, its remedy and its exit code."""
    try:
        app()
    except ParityError as error:
        typer.echo(f"error: {error.message}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
