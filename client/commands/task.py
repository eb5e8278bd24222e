"""`task`: any task on the chain, with its steps and its settlement."""

from typing import Any

import typer

from client.commands import program
from client.commands.options import Json, TaskId, Yes
from client.commands.printer import Fields, Printer, aligned, confirm, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings, read_task_id
from client.records import Seat, Settlement, Step, TaskRecord, Transaction
from protocol.money import format_usdfc


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Tasks on the chain: state, steps, settlement.", no_args_is_help=True, rich_markup_mode=None
    )
    command(group, "get", example="parity-client task get 0x…")(_get)
    program.register(group)
    command(group, "cancel", example="parity-client task cancel 0x…")(_cancel)
    app.add_typer(group, name="task")


async def _get(task_id: TaskId, *, as_json: Json = False) -> None:
    """Show a task: its order, its seats, every transaction of its life, and where its money went. From the chain."""
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        with progress("reading the chain"):
            record = await parity.record(wanted)
            steps = await parity.transactions(wanted)
    value: dict[str, Any] = {"task": record, "steps": steps}
    Printer(as_json=as_json).result(
        value, text=[*_order_lines(record), *_seat_lines(record.seats), *_step_lines(steps)]
    )


async def _cancel(task_id: TaskId, *, yes: Yes = False, as_json: Json = False) -> None:
    """Take back an order that no runner has claimed; all that was escrowed returns to the payer."""
    wanted = read_task_id(task_id)
    async with connected(read_settings(), unlock=True) as parity:
        record = await parity.record(wanted)
        fields = [("task", task_id), ("returns", f"{format_usdfc(record.reward)} USDFC")]
        confirm("Cancel a task", fields, yes=yes)
        with progress("cancelling"):
            done: Transaction = await parity.cancel(wanted)
    text = [f"cancelled in block {done.block}, transaction {done.transaction_hash}"]
    Printer(as_json=as_json).result(done, text=text)


def _order_lines(record: TaskRecord) -> list[str]:
    fields: list[tuple[str, str]] = [
        ("task", "0x" + record.task_id.hex()),
        ("status", record.status.name.lower()),
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
