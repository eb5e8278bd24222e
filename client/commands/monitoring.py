"""`reputation monitoring`: who watches whom, what was said, and how the watching goes."""

from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import Json, RunnerId
from client.commands.printer import Fields, Printer, aligned, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_node, read_settings
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.reputation import Assignment, MonitoringMetrics, MonitoringStats

Epochs = Annotated[int, typer.Option("--epochs", min=1, max=100, help="How many epochs to look back.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group of `reputation`."""
    group = typer.Typer(
        help="Runners that watch each other, read from the chain.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    example = "parity-client reputation monitoring assignments --runner-id 0x…"
    command(group, "assignments", example=example)(_assignments)
    command(group, "stats", example="parity-client reputation monitoring stats --epochs 5")(_stats)
    example = "parity-client reputation monitoring metrics --runner-id 0x…"
    command(group, "metrics", example=example)(_metrics)
    app.add_typer(group, name="monitoring")


async def _assignments(
    *,
    runner_id: Annotated[
        str | None,
        typer.Option(
            "--runner-id",
            metavar="ADDRESS",
            help="Only this runner, as monitor or as target.",
            show_default=False,
        ),
    ] = None,
    epoch: Annotated[
        int | None, typer.Option("--epoch", min=0, help="The epoch.", show_default="the current one")
    ] = None,
    as_json: Json = False,
) -> None:
    """List who is drawn to watch whom in an epoch, and the outcome."""
    node = None if runner_id is None else read_node(runner_id)
    async with connected(read_settings()) as parity:
        with progress("reading the draw"):
            found = await parity.reputation.assignments(epoch=epoch, node=node)
    heads = ("EPOCH", "MONITOR", "WATCHES", "STATE")
    rows = [(str(each.epoch), each.monitor, each.target, _state(each)) for each in found]
    lines = table(heads, rows) if rows else ["nobody is drawn: the epoch's round is not open, or none fits"]
    Printer(as_json=as_json).result(found, text=lines)


async def _stats(*, epochs: Epochs = 3, as_json: Json = False) -> None:
    """Count reports, verdicts and reported monitors of the last epochs."""
    async with connected(read_settings()) as parity:
        with progress("reading the chain's log"):
            stats = await parity.reputation.monitoring_stats(epochs=epochs)
    Printer(as_json=as_json).result(stats, text=aligned(_stats_fields(stats)))


async def _metrics(*, runner_id: RunnerId, epochs: Epochs = 3, as_json: Json = False) -> None:
    """Show what monitors reported about a runner in the last epochs, and how it did as a monitor."""
    node = read_node(runner_id)
    async with connected(read_settings()) as parity:
        with progress("reading the chain's log"):
            metrics = await parity.reputation.monitoring_metrics(node, epochs=epochs)
    Printer(as_json=as_json).result(metrics, text=_metrics_lines(metrics))


def _state(each: "Assignment") -> str:
    if each.marked:
        return "reported as silent or untrue"
    if each.report is not None:
        return f"said: {each.report.name.lower()}"
    return "committed" if each.committed else "nothing yet"


def _stats_fields(stats: "MonitoringStats") -> Fields:
    return [
        ("blocks", f"{stats.first_block} to {stats.last_block}"),
        ("epoch", f"{stats.epoch}, each {stats.epoch_length} blocks"),
        ("active runners", f"{stats.active_runners}, each watched by about {stats.monitors_each}"),
        ("quorum", f"{stats.quorum} owners must agree"),
        ("challenge bond", f"{format_usdfc(stats.challenge_bond)} USDFC"),
        ("rounds drawn", str(stats.rounds_opened)),
        ("commitments", str(stats.commitments)),
        ("reports", _counted(stats.reports)),
        ("verdicts", _counted(stats.rulings)),
        ("monitors reported", f"{stats.silent} silent, {stats.lying} untrue"),
    ]


def _metrics_lines(metrics: "MonitoringMetrics") -> list[str]:
    fields = [
        ("runner", metrics.node),
        ("blocks", f"{metrics.first_block} to {metrics.last_block}"),
        ("said about it", _counted(metrics.reports_about)),
        ("it reported", str(metrics.reports_made)),
        ("was reported", f"{metrics.marks} times as silent or untrue"),
    ]
    rows = [
        (str(c.epoch), c.ruling.name.lower(), c.kind.name.lower(), f"{c.agreeing} of {c.reports}")
        for c in metrics.conclusions
    ]
    verdicts = ["", *table(("EPOCH", "RULING", "OF", "REPORTS"), rows)] if rows else []
    return [*aligned(fields), *verdicts]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
