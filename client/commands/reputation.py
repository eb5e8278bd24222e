"""`reputation`: runners' records, the leaderboard, and who may take seats."""

from typing import TYPE_CHECKING, Annotated

import typer

from client.commands import monitoring
from client.commands.consent import agreed
from client.commands.options import DryRun, Json, Limit, RunnerId, Yes
from client.commands.printer import Fields, Printer, aligned, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_node, read_settings, read_task_id
from protocol.enums import Standing
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.reputation import Eligibility, RunnerRecord

_WHOLE = 10_000
"""Millionths in a hundredth of a score."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Runners: records, standing, peer monitoring.", no_args_is_help=True, rich_markup_mode=None
    )
    command(group, "status", example="parity-client reputation status --runner-id 0x…")(_status)
    command(group, "events", example="parity-client reputation events --runner-id 0x…")(_events)
    command(group, "leaderboard", example="parity-client reputation leaderboard --limit 5")(_leaderboard)
    command(group, "network-stats", example="parity-client reputation network-stats")(_network_stats)
    example = "parity-client reputation check-eligibility --runner-id 0x… --task-id 0x…"
    command(group, "check-eligibility", example=example)(_check_eligibility)
    example = "parity-client reputation report --monitor 0x… --runner-id 0x… --round 12"
    command(group, "report", example=example)(_report)
    example = "parity-client reputation challenge --runner-id 0x… --epoch 12"
    command(group, "challenge", example=example)(_challenge)
    monitoring.register(group)
    app.add_typer(group, name="reputation")


async def _status(*, runner_id: RunnerId, as_json: Json = False) -> None:
    """Show a runner's record and standing, read from the chain."""
    node = read_node(runner_id)
    async with connected(read_settings()) as parity:
        record = await parity.reputation.status(node)
    Printer(as_json=as_json).result(record, text=aligned(_record_fields(record)))


async def _events(*, runner_id: RunnerId, limit: Limit = 20, as_json: Json = False) -> None:
    """List the newest changes of a runner's score, from the API's index."""
    node = read_node(runner_id)
    async with connected(read_settings()) as parity:
        changes = await parity.reputation.events(node, limit=limit)
    rows = [(str(c.block_number), c.outcome, _score(c.score), c.ref) for c in changes]
    lines = table(("BLOCK", "OUTCOME", "SCORE", "FOR"), rows) if rows else ["no change of its score yet"]
    Printer(as_json=as_json).result(changes, text=lines)


async def _leaderboard(*, limit: Limit = 20, as_json: Json = False) -> None:
    """List active runners, best score first, from the API's index."""
    async with connected(read_settings()) as parity:
        ranked = await parity.reputation.leaderboard(limit=limit)
    rows = [
        (
            str(place),
            r.name,
            r.node,
            _score(r.score),
            f"{r.right} / {r.wrong} / {r.missed}",
            f"{r.stake.bonded_usdfc} USDFC",
        )
        for place, r in enumerate(ranked, start=1)
    ]
    heads = ("", "NAME", "RUNNER", "SCORE", "RIGHT / WRONG / MISSED", "STAKE")
    Printer(as_json=as_json).result(ranked, text=table(heads, rows) if rows else ["no active runner"])


async def _network_stats(*, as_json: Json = False) -> None:
    """Show key figures of the network, from the API's index."""
    async with connected(read_settings()) as parity:
        figures = await parity.reputation.network_stats()
    fields: Fields = [
        ("active runners", f"{figures.active_runners}, of {figures.owners} owners"),
        ("staked", f"{figures.bonded_usdfc} USDFC, of which {figures.locked_usdfc} backs running tasks"),
        ("escrowed", f"{figures.escrowed_usdfc} USDFC for running tasks"),
        ("free", f"{figures.free_usdfc} USDFC"),
        ("paid so far", f"{figures.paid_usdfc} USDFC"),
        ("tasks", ", ".join(f"{each.tasks} {each.status}" for each in figures.tasks) or "none"),
    ]
    Printer(as_json=as_json).result(figures, text=aligned(fields))


async def _check_eligibility(
    *,
    runner_id: RunnerId,
    task_id: Annotated[
        str | None,
        typer.Option("--task-id", metavar="ID", help="Check for a seat in this task.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check with the contracts whether a runner may take a seat now, and why not. Exits 1 if it may not."""
    node, wanted = read_node(runner_id), None if task_id is None else read_task_id(task_id)
    async with connected(read_settings()) as parity:
        found = await parity.reputation.eligibility(node, task_id=wanted)
    Printer(as_json=as_json).result(found, text=_eligibility_lines(found))
    if not found.eligible:
        raise typer.Exit(1)


async def _report(
    *,
    monitor: Annotated[
        str, typer.Option("--monitor", metavar="ADDRESS", help="The monitor: the address of its node key.")
    ],
    runner_id: RunnerId,
    round_: Annotated[int, typer.Option("--round", min=0, help="The epoch, or the judges' round.")],
    lying: Annotated[
        bool,
        typer.Option(
            "--lying", help="Report it for contradicting the final verdict, instead of for saying nothing."
        ),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Report a monitor that said nothing about a runner it had to watch, or contradicted the final verdict.

    Anyone can, once the round is over. The contract checks the report and lowers the monitor's score; reporting pays
    nothing. (What monitors report about runners is sent by their daemons.)
    """
    said, watched = read_node(monitor, field="--monitor"), read_node(runner_id)
    fields: Fields = [
        ("monitor", said),
        ("about", watched),
        ("round", str(round_)),
        ("for", "lying" if lying else "silence"),
    ]
    async with connected(read_settings(), unlock=True) as parity:
        if not await agreed(
            parity,
            "Report a monitor",
            fields,
            lambda rehearsed: rehearsed.reputation.report_monitor(
                said, target=watched, round_=round_, lying=lying
            ),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=dict(fields),
        ):
            return
        with progress("reporting"):
            done = await parity.reputation.report_monitor(said, target=watched, round_=round_, lying=lying)
    text = [f"reported in block {done.block}, transaction {done.transaction_hash}"]
    Printer(as_json=as_json).result(done, text=text)


async def _challenge(
    *,
    runner_id: RunnerId,
    epoch: Annotated[int, typer.Option("--epoch", min=0, help="The epoch of the verdict.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Challenge the monitors' verdict about a runner: judges are drawn, and either you or the monitors lose.

    If the judges disagree with the monitors, you get the bond back and the verdict is undone.
    """
    node = read_node(runner_id)
    async with connected(read_settings(), unlock=True) as parity:
        bond = await parity.reputation.challenge_bond()
        fields: Fields = [
            ("verdict", f"epoch {epoch}, about {node}"),
            (
                "at stake",
                f"{format_usdfc(bond)} USDFC of your free balance, lost if the judges agree with it",
            ),
        ]
        if not await agreed(
            parity,
            "Challenge a verdict",
            fields,
            lambda rehearsed: rehearsed.reputation.challenge_verdict(node, epoch=epoch),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"bond": str(bond)},
        ):
            return
        with progress("challenging"):
            done = await parity.reputation.challenge_verdict(node, epoch=epoch)
    text = [f"challenged in block {done.block}, transaction {done.transaction_hash}"]
    Printer(as_json=as_json).result(done, text=text)


def _record_fields(record: "RunnerRecord") -> Fields:
    fields = [
        ("runner", record.node),
        ("owner", record.owner),
        ("standing", _standing(record)),
        ("level", f"{record.level.name.lower()}, score {_score(record.score)} of 100"),
        ("seats", f"{record.right} right, {record.wrong} wrong, {record.missed} missed"),
        ("monitoring", f"{record.monitor_missed} rounds silent or untrue"),
        (
            "owner's stake",
            f"{format_usdfc(record.bonded)} USDFC, {format_usdfc(record.locked)} of it behind running tasks",
        ),
        ("stake needed", f"{format_usdfc(record.needed_stake)} USDFC for its owner's active runners"),
        ("registered", f"block {record.registered_block} (now {record.block})"),
    ]
    if record.strikes:
        fields.append(("bans", f"{record.strikes}, the last until block {record.banned_until}"))
    return fields


def _standing(record: "RunnerRecord") -> str:
    match record.standing:
        case Standing.ELIGIBLE:
            return "eligible: it may take seats"
        case Standing.BANNED:
            return f"banned until block {record.banned_until}"
        case Standing.SUSPENDED:
            return f"suspended as offline until block {record.suspended_until}"
        case _:
            return record.standing.name.lower()


def _eligibility_lines(found: "Eligibility") -> list[str]:
    what = "a seat" if found.task_id is None else f"a seat of 0x{found.task_id.hex()}"
    if found.eligible:
        return [f"{found.node} may take {what} at block {found.block}"]
    return [f"{found.node} may not take {what} at block {found.block}:", *(f"  {r}" for r in found.reasons)]


def _score(millionths: int) -> str:
    return f"{millionths / _WHOLE:.2f}"
