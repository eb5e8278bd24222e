"""The page for browsers without scripts: the network, or one task, in plain HTML."""

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape

from api.database import Record, Snapshot
from api.names import readable
from api.paging import page_request
from api.queries import chain, prompts, runners, tasks, totals
from api.services import Services
from protocol.errors import ParityError
from protocol.money import format_usdfc

_ROWS = 10
_TASK = re.compile(r"/tasks/0x([0-9a-fA-F]{64})/?")


async def summary(services: Services, path: str) -> str:
    """Write the summary of the page at `path`; what cannot be read is said in its place."""
    asked = _TASK.fullmatch(path)
    try:
        async with services.database.reading() as snapshot:
            told = await _task(snapshot, bytes.fromhex(asked[1])) if asked else await _network(snapshot)
    except ParityError as error:
        told = f"<p>{escape(error.message)}. {escape(error.hint or '')}</p>"
    return (
        f"<main><h1>Parity</h1>{told}<p>This page is live, and does more, where scripts are allowed."
        ' Without them: <a href="/">the network</a>, <a href="/api/v1/tasks">tasks</a>,'
        ' <a href="/api/v1/runners">runners</a>, <a href="/status">status</a>, <a href="/docs">the API</a>.</p></main>'
    )


async def _network(snapshot: Snapshot) -> str:
    state = await chain.require_sync_state(snapshot)
    counts = totals.tasks_by_status(await totals.totals(snapshot))
    newest = await prompts.page(snapshot, page_request(first=_ROWS))
    best = await runners.page(snapshot, page_request(first=_ROWS))
    lag = max(state["head_number"] - state["indexed_number"], 0)
    return (
        f"<p>Chain {state['chain_id']}, block {max(state['indexed_number'], 0)}, {lag} behind its head.</p>"
        + _table(
            "Tasks by state",
            ("State", "Tasks"),
            [(name, str(count)) for name, count in sorted(counts.items())],
        )
        + _table(
            "Newest prompts", ("Task", "Prompt", "State", "Submitted"), [_prompt(row) for row in newest.rows]
        )
        + _table("Best runners", ("Runner", "Name", "Score"), [_runner(row) for row in best.rows])
    )


def _prompt(row: Record) -> Sequence[str]:
    task_id = "0x" + row["task_id"].hex()
    link = f'<a href="/tasks/{task_id}">{task_id[:12]}…</a>'
    return (_Markup(link), str(row["prompt"])[:200], row["status"], _moment(row["created_at"]))


def _runner(row: Record) -> Sequence[str]:
    return ("0x" + row["node"].hex(), readable(row["label"]), f"{row['score'] / 10_000:.1f} %")


async def _task(snapshot: Snapshot, task_id: bytes) -> str:
    found = await snapshot.fetch(tasks.by_ids(snapshot.tables), [task_id])
    if not found:
        return f"<p>The index knows no task 0x{task_id.hex()}.</p>"
    task = found[0]
    asked = await snapshot.fetch(prompts.by_ids(snapshot.tables), [task_id])
    facts = [
        ("Task", "0x" + task_id.hex()),
        ("State", task["status"]),
        ("Reward", f"{format_usdfc(int(task['reward']))} USDFC"),
        ("Paid", f"{format_usdfc(int(task['paid'] + task['fee']))} USDFC"),
        ("Submitted", _moment(task["created_at"])),
    ]
    for row in asked:
        facts += [("Prompt", str(row["prompt"])), ("Answer", row["output"] or "none yet")]
    return _table("One task", ("What", "Value"), facts)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return f"<p>{caption}: none yet.</p>"
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class _Markup(str):
    """HTML that this module wrote itself."""

    __slots__ = ()


def _cell(text: str) -> str:
    return text if isinstance(text, _Markup) else escape(text)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
