"""`task result`: what a task came to, of whatever kind it is."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from client.commands.answers import print_answer, print_provisional, progress_line
from client.commands.options import Json, TaskId, Timeout, Wait
from client.commands.printer import Printer, note
from client.commands.program import Output, print_outcome
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings, read_task_id
from protocol.enums import TaskStatus
from protocol.errors import InputError

if TYPE_CHECKING:
    from client.parity import Parity


def register(group: typer.Typer) -> None:
    """Add the command to `task`."""
    command(group, "result", example="parity-client task result 0x… --wait")(_result)


async def _result(
    task_id: TaskId,
    *,
    output: Output = None,
    wait: Wait = False,
    timeout_s: Timeout = 300.0,
    as_json: Json = False,
) -> None:
    """Show a task's result, read from the chain and IPFS: a prompt's answer, or how a command ended and what it printed.

    With --output, write everything to a folder: a command's output and files, or an answer.txt, and the result document
    exactly as it was hashed on chain.
    """
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        await _refuse_session(parity, wanted)
        if wait:
            await _wait(parity, wanted, timeout_s=timeout_s)
        now = await parity.progress(wanted)
        if now.status in (TaskStatus.CHALLENGEABLE, TaskStatus.DISPUTED):
            await print_provisional(parity, now, as_json=as_json)
        else:
            await _print(parity, wanted, output=output, as_json=as_json)


async def _print(parity: "Parity", wanted: bytes, *, output: Path | None, as_json: bool) -> None:
    from client.programs import fetch_outcome, write_answer  # noqa: PLC0415 (loads what --help need not)
    from protocol.documents import CommandResult, LlmResult, parse_document  # noqa: PLC0415 (as above)

    with progress("fetching"):
        found = await parity.result(wanted)
        document = parse_document(found.content)
    if isinstance(document, CommandResult):
        outcome = await fetch_outcome(parity, wanted, folder=output)
        await print_outcome(parity, None, outcome, as_json=as_json)
    elif isinstance(document, LlmResult):
        answer = await parity.answer(wanted)
        if output is not None:
            write_answer(answer.output, found.content, output)
            note(f"answer.txt and result.json in {output}")
        await print_answer(parity, await parity.progress(wanted), answer, as_json=as_json)
    else:
        text = found.content.decode()
        Printer(as_json=as_json).result(
            {"taskId": found.task_id, "cid": found.cid, "text": text}, text=[text]
        )


async def _wait(parity: "Parity", wanted: bytes, *, timeout_s: float) -> None:
    from client.answers import wait_until_ended  # noqa: PLC0415 (see _print)

    name = "0x" + wanted.hex()
    with progress(f"waiting for {name}") as tell:
        await wait_until_ended(
            parity.chain,
            wanted,
            timeout_s=timeout_s,
            on_progress=lambda now: tell(progress_line(now)),
        )


async def _refuse_session(parity: "Parity", wanted: bytes) -> None:
    """Raise `InputError` for a learning session's id: it says where the session's result is."""
    phase, *_ = await parity.chain.call(parity.chain.federated.functions.sessionOf(wanted))
    if phase:
        name = "0x" + wanted.hex()
        raise InputError(
            f"ID: {name} is a learning session, not a task",
            field="ID",
            hint=f"Its figures: parity-client fl get-session {name}; "
            f"its model: parity-client fl get-model {name} -o model.safetensors",
        )
