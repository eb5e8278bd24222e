"""`task submit`, `task runners`: commands, which runners start in a box."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.commands.answers import progress_line, seats_line
from client.commands.consent import placement_fee_text
from client.commands.options import Json, PlanOnly, Quorum, Relay, Replicas, Timeout, Wait, Yes, via
from client.commands.printer import Fields, Printer, aligned, confirm, note, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings
from client.records import CommandOutcome, CommandTaker, Settlement, Submitted, to_json
from protocol.errors import InputError
from protocol.money import format_usdfc, parse_usdfc

if TYPE_CHECKING:
    from client.parity import Parity
    from client.programs import CommandPlan, Program

_EXAMPLE = (
    "parity-client task submit --command 'sh -c \"sort /in/names.txt\"' --input names.txt --replicas 3 --wait"
)


def register(group: typer.Typer) -> None:
    """Add the commands to `task`."""
    command(group, "submit", example=_EXAMPLE)(_submit)
    command(group, "runners", example="parity-client task runners")(_runners)


Words = Annotated[
    str,
    typer.Option(
        "--command",
        metavar="TEXT",
        help="Program and arguments, quoted as in a shell. No shell interprets them unless you name one: sh -c '…'.",
    ),
]
Image = Annotated[
    Path | None,
    typer.Option(
        "--image",
        metavar="FILE",
        help="A tar of the root folder to run in, as `docker export` writes it. Without it: the runner's own tools.",
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="[NAME=]PATH",
        help="A file or folder to put into /in, under its own name or another. Can be repeated.",
        show_default=False,
    ),
]
Memory = Annotated[int, typer.Option("--memory", min=16, metavar="MIB", help="Memory.")]
Disk = Annotated[
    int, typer.Option("--disk", min=1, max=512, metavar="MIB", help="Space in /out, and the same in /tmp.")
]
Wall = Annotated[int, typer.Option("--time", min=1, metavar="SECONDS", help="How long it may take.")]
Processes = Annotated[int, typer.Option("--processes", min=1, help="Processes and threads.")]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic/--not-deterministic",
        help="Whether every run gives the same result; only then can replicas be compared.",
    ),
]
MaxPrice = Annotated[
    str | None,
    typer.Option(
        "--max-price",
        metavar="USDFC",
        help="Most that all replicas earn together.",
        show_default="what enough runners ask",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Write output and files to this new folder.",
        show_default=False,
    ),
]


async def _submit(
    *,
    words: Words,
    image: Image = None,
    inputs: Inputs = None,
    memory_mib: Memory = 256,
    disk_mib: Disk = 16,
    wall_s: Wall = 20,
    processes: Processes = 32,
    deterministic: Deterministic = True,
    max_price: MaxPrice = None,
    replicas: Replicas = 1,
    quorum: Quorum = None,
    relay: Relay = None,
    dry_run: PlanOnly = False,
    output: Output = None,
    wait: Wait = False,
    timeout_s: Timeout = 300.0,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Submit a command: one or several runners run it in a sandbox without network, and their results are compared.

    Command, image, inputs and results are public. You get back what the command prints and leaves in /out.
    """
    from client.programs import plan_command, submit_command  # noqa: PLC0415 (loads what --help need not)

    settings = read_settings()
    limits = {"memory_mib": memory_mib, "disk_mib": disk_mib, "wall_s": wall_s, "processes": processes}
    wanted = _program(words, image=image, inputs=inputs or [], limits=limits, deterministic=deterministic)
    cap = None if max_price is None else parse_usdfc(max_price, field="--max-price")
    async with connected(settings, unlock=True) as parity:
        with progress("asking what runners take"):
            plan = await plan_command(
                parity, wanted, max_price=cap, replicas=replicas, quorum=quorum, via=via(relay)
            )
        if dry_run:
            text = ["Not submitted:", *aligned(_figures(parity, plan))]
            Printer(as_json=as_json).result({"order": plan.order, "spec": wanted.spec}, text=text)
            return
        confirm("Submit a command", _figures(parity, plan), yes=yes)
        with progress("storing and submitting"):
            submitted = await submit_command(parity, plan)
        if wait or output is not None:
            outcome = await wait_for_outcome(parity, submitted.task_id, timeout_s=timeout_s, output=output)
            await print_outcome(parity, submitted, outcome, as_json=as_json)
        else:
            _print_submitted(submitted, as_json=as_json)


def _print_submitted(submitted: Submitted, *, as_json: bool) -> None:
    name = _hex(submitted.task_id)
    note(f"submitted in block {submitted.block}; the result: parity-client task result {name} --wait")
    Printer(as_json=as_json).result(_document(submitted, None, None), text=[name])


async def _runners(*, as_json: Json = False) -> None:
    """List the active runners that take commands, with their limits and prices per second."""
    async with connected(read_settings()) as parity:
        with progress("asking what runners take"):
            takers = (await parity.models()).takers
    rows = [_row(taker) for taker in sorted(takers, key=lambda taker: (taker.price_per_s, taker.node))]
    lines = table(("RUNNER", "BOX", "IMAGES", "MEMORY", "DISK", "TIME", "A SECOND"), rows)
    Printer(as_json=as_json).result(takers, text=lines if rows else ["no active runner takes commands"])


def _row(taker: CommandTaker) -> tuple[str, ...]:
    limits = taker.limits
    return (
        f"{taker.label} {taker.node}",
        taker.level,
        "yes" if taker.images else "no",
        f"{limits.memory_mib} MiB",
        f"{limits.disk_mib} MiB",
        f"{limits.wall_s} s",
        f"{format_usdfc(taker.price_per_s)} USDFC",
    )


def _program(
    words: str, *, image: Path | None, inputs: list[str], limits: dict[str, int], deterministic: bool
) -> "Program":
    from pydantic import ValidationError  # noqa: PLC0415 (see _submit)

    from client.programs import program  # noqa: PLC0415 (as above)
    from protocol.documents import CommandLimits, input_error  # noqa: PLC0415 (as above)

    try:
        argv = shlex.split(words)
    except ValueError as error:
        raise InputError(
            f"--command: {error}", field="--command", hint="Quote it as for a shell: 'sh -c \"echo hello\"'."
        ) from error
    if not argv:
        raise InputError("--command: empty", field="--command", hint="Enter a program to run.")
    try:
        allowed = CommandLimits(**limits)
    except ValidationError as error:
        raise input_error(error) from error
    named = [_named(text) for text in inputs]
    return program(argv, image=image, inputs=named, limits=allowed, deterministic=deterministic)


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    return (name, Path(path)) if equals else (Path(text).name, Path(text))


def _figures(parity: "Parity", plan: "CommandPlan") -> Fields:
    order, spec = plan.order, plan.program.spec
    return [
        ("command", shlex.join(spec.argv)),
        (
            "runs in",
            "the runner's own tools" if spec.image is None else f"an image of {spec.image.size:,} bytes",
        ),
        ("inputs", f"{len(spec.inputs)} files, {sum(file.size for file in spec.inputs):,} bytes"),
        (
            "price",
            f"{format_usdfc(order.reward)} USDFC for all replicas; those that do not agree earn nothing",
        ),
        ("paid from", plan.funding.value),
        ("network fee", placement_fee_text(parity, plan)),
        ("seats", seats_line(order, len(plan.takers))),
        ("runners stake", f"{format_usdfc(order.bond)} USDFC each on the result"),
        ("task", _hex(plan.task_id)),
        ("public", "command, files and results lie on IPFS, readable by anyone"),
    ]


async def wait_for_outcome(
    parity: "Parity", task_id: bytes, *, timeout_s: float, output: Path | None
) -> CommandOutcome:
    """Wait for a command's end and fetch how it ended, into a folder if one is named."""
    from client.answers import wait_until_ended  # noqa: PLC0415 (see _submit)
    from client.programs import fetch_outcome  # noqa: PLC0415 (as above)

    with progress(f"waiting for {_hex(task_id)}") as tell:
        await wait_until_ended(
            parity.chain,
            task_id,
            timeout_s=timeout_s,
            on_progress=lambda now: tell(progress_line(now)),
        )
        return await fetch_outcome(parity, task_id, folder=output)


async def print_outcome(
    parity: "Parity", submitted: Submitted | None, outcome: CommandOutcome, *, as_json: bool
) -> None:
    """Print how a command ended and what it said, and beside it what there is to know."""
    settlement = await parity.settlement(outcome.task_id)
    code = "" if outcome.code is None else f" {outcome.code}"
    note(
        f"{outcome.outcome}{code}; {len(outcome.files)} files"
        + (f" in {outcome.folder}" if outcome.folder else "")
    )
    if outcome.left_out:
        note(f"{outcome.left_out} entries of /out are not regular files and were left out")
    if outcome.stderr:
        note(outcome.stderr.rstrip("\n"))
    text = [outcome.stdout.rstrip("\n")] if outcome.stdout else []
    Printer(as_json=as_json).result(_document(submitted, outcome, settlement), text=text)


def _document(
    submitted: Submitted | None, outcome: CommandOutcome | None, settlement: Settlement | None
) -> dict[str, Any]:
    """Return the one shape in which a command is written as JSON, whatever is known of it yet."""
    known = {} if submitted is None else to_json(submitted)
    return {**known, "result": outcome, "settlement": settlement}


def _hex(task_id: bytes) -> str:
    return "0x" + task_id.hex()
