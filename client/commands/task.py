"""`task`: any task on the chain, with its steps and its settlement."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.commands import dispute, program, results
from client.commands.consent import agreed
from client.commands.options import DryRun, Json, TaskId, Timeout, Wait, Yes
from client.commands.printer import Fields, Printer, aligned, note, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings, read_task_id
from client.records import Seat, Settlement, Step, TaskRecord, Transaction
from protocol.errors import InputError
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.explaining import Explanation


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Tasks on the chain: state, steps, settlement.", no_args_is_help=True, rich_markup_mode=None
    )
    command(group, "get", example="parity-client task get 0x…")(_get)
    program.register(group)
    results.register(group)
    command(group, "document", example="parity-client task document 0x… -o answer.json")(_document)
    command(group, "cancel", example="parity-client task cancel 0x…")(_cancel)
    command(group, "explain", example="parity-client task explain 0x…")(_explain)
    command(group, "advance", example="parity-client task advance 0x…")(_advance)
    dispute.register(group)
    app.add_typer(group, name="task")


async def _get(task_id: TaskId, *, as_json: Json = False) -> None:
    """Show a task's order, seats, transactions and money, read from the chain."""
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        with progress("reading the chain"):
            record = await parity.record(wanted)
            steps = await parity.transactions(wanted)
    value: dict[str, Any] = {"task": record, "steps": steps}
    Printer(as_json=as_json).result(
        value, text=[*_order_lines(record), *_seat_lines(record.seats), *_step_lines(steps)]
    )


async def _document(
    task_id: TaskId,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it.", show_default=False),
    ] = None,
    wait: Wait = False,
    timeout_s: Timeout = 300.0,
    as_json: Json = False,
) -> None:
    """Fetch the result document of any kind of task from IPFS, exactly as it was hashed on chain."""
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        with progress("fetching the result"):
            found = await parity.result(wanted, timeout_s=timeout_s if wait else 0)
    if output is not None:
        _write(output, found.content)
    document = {"taskId": found.task_id, "cid": found.cid, "size": len(found.content)}
    readable = _readable(found.content)
    shown = [] if output is not None else [readable if readable is not None else found.cid]
    Printer(as_json=as_json).result({**document, "text": readable}, text=shown)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"--output: {path} cannot be written ({error.strerror})",
            field="--output",
            hint="Choose a file in a folder that exists and that you may write to.",
        ) from error
    note(f"{len(content)} bytes in {path}")


def _readable(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


async def _cancel(
    task_id: TaskId, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Cancel an order that no runner has claimed; everything escrowed returns to the payer."""
    wanted = read_task_id(task_id)
    async with connected(read_settings(), unlock=True) as parity:
        record = await parity.record(wanted)
        fields = [("task", task_id), ("returns", f"{format_usdfc(record.reward)} USDFC")]
        if not await agreed(
            parity,
            "Cancel a task",
            fields,
            lambda rehearsed: rehearsed.cancel(wanted),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"taskId": task_id, "returned": str(record.reward)},
        ):
            return
        with progress("cancelling"):
            done: Transaction = await parity.cancel(wanted)
    text = [f"cancelled in block {done.block}, transaction {done.transaction_hash}"]
    Printer(as_json=as_json).result(done, text=text)


async def _explain(task_id: TaskId, *, as_json: Json = False) -> None:
    """Explain why a task is waiting or why it failed, from the chain and the runners' offers."""
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        with progress("looking at the task and the runners"):
            found = await parity.explain(wanted)
    Printer(as_json=as_json).result(found, text=_explanation_lines(found))


async def _advance(
    task_id: TaskId, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """End a phase of a task whose deadline has passed. Anyone can; runners do so by themselves."""
    wanted = read_task_id(task_id)
    async with connected(read_settings(), unlock=True) as parity:
        now = await parity.progress(wanted)
        fields = [("task", task_id), ("status", f"{now.status.name.lower()} until block {now.deadline}")]
        if not await agreed(
            parity,
            "End a phase",
            fields,
            lambda rehearsed: rehearsed.advance(wanted),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=now,
        ):
            return
        with progress("advancing"):
            done: Transaction = await parity.advance(wanted)
    text = [f"advanced in block {done.block}, transaction {done.transaction_hash}"]
    Printer(as_json=as_json).result(done, text=text)


def _explanation_lines(found: "Explanation") -> list[str]:
    lines = [f"0x{found.task_id.hex()} is {found.status.name.lower()}", found.summary]
    lines += [f"  {fact}" for fact in found.facts]
    lines += [f"hint: {remedy}" for remedy in found.remedies]
    rows = [
        (
            "" if each.rank is None else str(each.rank + 1),
            each.node,
            "" if each.opens_at_block is None else str(each.opens_at_block),
            "; ".join(each.obstacles) or "nothing",
        )
        for each in found.candidates
    ]
    return [*lines, "", *table(("RANK", "RUNNER", "FROM BLOCK", "AGAINST IT"), rows)] if rows else lines


def _order_lines(record: TaskRecord) -> list[str]:
    fields: list[tuple[str, str]] = [
        ("task", "0x" + record.task_id.hex()),
        ("status", record.status.name.lower()),
        ("mode", record.mode.name.lower()),
        ("client", record.client),
        ("submitted", f"block {record.submitted_block}, transaction {record.transaction_hash}"),
        ("reward", f"{format_usdfc(record.reward)} USDFC at most"),
        ("bond", f"{format_usdfc(record.bond)} USDFC a seat"),
        ("seats", f"{record.replicas}, of which {record.quorum} must agree"),
        ("spec", record.spec_cid),
        ("result", record.result_cid or "none"),
    ]
    return aligned([*fields, *_settlement_fields(record.settlement)])


def _settlement_fields(settlement: Settlement | None) -> Fields:
    if settlement is None:
        return []
    paid = [
        ("paid", f"{format_usdfc(payment.paid)} USDFC to {payment.owner}")
        for payment in settlement.payments
        if payment.paid
    ]
    slashed = [
        ("slashed", f"{format_usdfc(payment.slashed)} USDFC of {payment.owner}'s stake")
        for payment in settlement.payments
        if payment.slashed
    ]
    return [
        *paid,
        *slashed,
        ("fee", f"{format_usdfc(settlement.fee)} USDFC"),
        ("returned", f"{format_usdfc(settlement.returned)} USDFC to {settlement.payer}"),
        (
            "compensation",
            f"{format_usdfc(settlement.compensation)} USDFC, the payer's share of slashed stake",
        ),
    ]


def _seat_lines(seats: tuple[Seat, ...]) -> list[str]:
    rows = [
        (str(seat.seat), seat.node, seat.owner, seat.state.name.lower(), _verdict(seat)) for seat in seats
    ]
    return ["", *table(("SEAT", "NODE", "OWNER", "STATE", "RIGHT"), rows)] if rows else []


def _verdict(seat: Seat) -> str:
    return "" if seat.right is None else "yes" if seat.right else "no"


def _step_lines(steps: tuple[Step, ...]) -> list[str]:
    rows = [
        (str(step.block), step.name, step.transaction_hash, step.detail or step.node or "") for step in steps
    ]
    return ["", *table(("BLOCK", "EVENT", "TRANSACTION", "DETAIL"), rows)]
