"""Answers of prompts, as `llm submit`, `llm get` and `task result` write them."""

from typing import TYPE_CHECKING

from client.commands.printer import Printer, note
from client.commands.progress import progress
from client.records import Answer, Progress, Settlement, Submitted, to_json
from protocol.enums import TaskStatus
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.parity import Parity
    from protocol.order import Order


async def wait_for_answer(parity: "Parity", task_id: bytes, *, timeout_s: float) -> Answer:
    """Wait for a prompt's end, telling how far it is; see `Parity.wait`."""
    with progress(f"waiting for {name_of(task_id)}") as tell:
        return await parity.wait(task_id, timeout_s, lambda now: tell(progress_line(now)))


async def print_answer(
    parity: "Parity", subject: Submitted | Progress, answer: Answer, *, as_json: bool
) -> None:
    """Print a settled answer, and beside it what it cost."""
    settlement = await parity.settlement(subject.task_id)
    if settlement is not None:
        note(
            f"paid {format_usdfc(settlement.paid + settlement.fee)} USDFC, of which "
            f"{format_usdfc(settlement.fee)} is the protocol's fee; "
            f"{format_usdfc(settlement.returned)} USDFC came back to {settlement.payer}'s free balance"
        )
    Printer(as_json=as_json).result(document(subject, answer, settlement), text=[answer.output])


async def print_provisional(parity: "Parity", now: Progress, *, as_json: bool) -> None:
    """Print a revealed answer that is not final, and say what its payer can do about it."""
    answer = await parity.answer(now.task_id, provisional=True)
    note(f"not final yet; {progress_line(now)}")
    if now.status is TaskStatus.CHALLENGEABLE:
        note(f"if it is wrong: parity-client task dispute {name_of(now.task_id)}")
    Printer(as_json=as_json).result(document(now, answer, None), text=[answer.output])


def document(
    subject: Submitted | Progress, answer: Answer | None, settlement: Settlement | None
) -> dict[str, object]:
    """Return the one shape in which a prompt is written as JSON, whatever is known of it yet."""
    return {**to_json(subject), "answer": answer, "settlement": settlement}


def progress_line(now: Progress) -> str:
    """Return in a line how far a task is, by the one count that its phase is about."""
    match now.status:
        case TaskStatus.OPEN:
            count = f"{now.claimed} of {now.replicas} seats claimed"
        case TaskStatus.COMMITTING:
            count = f"{now.committed} of {now.replicas} answers committed"
        case _:
            count = f"{now.revealed} of {now.replicas} answers revealed"
    deadline = "" if now.status.is_terminal else f", until block {now.deadline} (now {now.block})"
    return f"{now.status.name.lower()}: {count}{deadline}"


def seats_line(order: "Order", takers: int) -> str:
    """Return how many seats an order has, and for how many runners its price is enough."""
    agreeing = f", of which {order.quorum} must agree" if order.replicas > 1 else ""
    return (
        f"{order.replicas}{agreeing}; {takers} {'runner takes' if takers == 1 else 'runners take'} this price"
    )


def name_of(task_id: bytes) -> str:
    """Write a task's id as people give it."""
    return "0x" + task_id.hex()
