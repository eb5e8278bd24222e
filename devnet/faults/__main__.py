"""`python -m devnet.faults`: try the faults that have not been tried yet, and write the page; 0 only if all held."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client import Parity
from devnet.accounts import LOCAL
from devnet.demo import client_settings, offered_model
from devnet.deploy import begin_deployed
from devnet.faults.customer import REPLICAS
from devnet.faults.matrix import Cell, cells
from devnet.faults.page import PAGE, RECORD, read, render
from devnet.faults.trial import Outcome, Trial
from devnet.faults.wiring import WiredNetwork
from devnet.paths import ROOT
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from devnet.records import hold_lock
from devnet.soak.verdict import index_is_true
from protocol.errors import ParityError
from protocol.log import configure_logging

_WIDTH = 160
_BROKEN = "did not become whole"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def faults(
    *,
    minutes: Annotated[float, typer.Option("--minutes", help="After this long no more are tried.")] = 60.0,
    seed: Annotated[int, typer.Option("--seed", help="Chooses order, length and kind of cuts.")] = 1,
    only: Annotated[str, typer.Option("--only", help="Only those with these words in their name.")] = "",
    block_time: Annotated[float, typer.Option("--block-time", help="Seconds between blocks.")] = 1.0,
    record: Annotated[
        Path,
        typer.Option("--record", help="File of outcomes, a line each; what is in it is not tried again."),
    ] = ROOT / RECORD,
    page: Annotated[bool, typer.Option("--page", help="Only write the page from the record.")] = False,
) -> None:
    """Try every fault at every step of a task's life, going on where the record ends."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    if not page:
        configure_logging("faults", level="error")
        done = read(record)
        left = [cell for cell in cells(seed) if only in cell.key and cell.key not in done]
        console.print(f"{len(done)} tried before, {len(left)} to try")
        asyncio.run(
            _try_all(left, record=record, block_time_s=block_time, until=_in(minutes), console=console)
        )
    outcomes = read(record)
    if record == ROOT / RECORD:
        (ROOT / PAGE).write_text(render(outcomes), encoding="utf-8")
    broken = [one.key for one in outcomes.values() if not one.holds]
    console.print(f"{len(outcomes)} tried, {len(broken)} not as they must be")
    if broken:
        raise typer.Exit(1)


async def _try_all(
    left: list[Cell], *, record: Path, block_time_s: float, until: float, console: Console
) -> None:
    """Try cells, on a new network after each that did not become whole."""
    waiting = iter(left)
    while time.monotonic() < until:
        state = Path(tempfile.mkdtemp(prefix="parity-faults-"))
        plan = Plan(
            ports=Ports.free(), runners=REPLICAS, state=state, block_time_s=block_time_s, at_once=False
        )
        with hold_lock(state):
            broke = await _on_one(plan, waiting, record=record, until=until, console=console)
        if broke:
            console.print(f"its logs: {state}")
            continue
        shutil.rmtree(state, ignore_errors=True)
        return


async def _on_one(
    plan: Plan, waiting: Iterator[Cell], *, record: Path, until: float, console: Console
) -> bool:
    """Bring up one network and try cells on it; say whether it broke before the cells or the time had an end."""
    await begin_deployed(plan)
    async with WiredNetwork.up(plan, Progress(console)) as network:
        async with Parity.connect(client_settings(network), LOCAL.client) as parity:
            trial = Trial(network, parity, model=await offered_model(parity, replicas=REPLICAS))
            for cell in waiting:
                began = time.monotonic()
                outcome = await _one(trial, cell)
                with record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(outcome.to_json(), ensure_ascii=False) + "\n")
                console.print(_line(outcome, time.monotonic() - began))
                if outcome.status == _BROKEN:
                    return True
                if time.monotonic() > until:
                    break
        finding = await index_is_true(network)
        console.print(f"{finding.what}: {finding.holds} ({finding.found})")
        if not finding.holds:
            raise typer.Exit(1)
    return False


async def _one(trial: Trial, cell: Cell) -> Outcome:
    """Try one cell; one that breaks the network is an outcome too."""
    try:
        return await trial.run(cell)
    except (TimeoutError, ParityError, ExceptionGroup) as error:
        return Outcome(
            key=cell.key, how=cell.how.value if cell.fault.dependency else "", down_s=cell.down_s,
            status=_BROKEN, orders=0, said=[], settled_s=0.0, answered_s=0.0, indexed_s=0.0, slashed=0,
            unbalanced=[" ".join(repr(error).split())[:300]],
        )  # fmt: skip


def _line(outcome: Outcome, seconds: float) -> str:
    mark = "[green]✓[/]" if outcome.holds else "[red]✗[/]"
    parts = f"settled {outcome.settled_s}, answered {outcome.answered_s}, indexed {outcome.indexed_s}"
    how = f" ({outcome.how})" if outcome.how else ""
    return f"  {mark} {outcome.key + how:<76} {parts} s after {outcome.down_s} s; {seconds:.0f} s in all {outcome.unbalanced or ''}"


def _in(minutes: float) -> float:
    return time.monotonic() + 60 * minutes


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
