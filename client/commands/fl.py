"""`fl`: federated learning sessions, created and followed."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.commands import trained_models
from client.commands.consent import agreed
from client.commands.options import DryRun, Json, SessionId, Yes
from client.commands.printer import Printer, aligned, confirm, note, table, warn
from client.commands.progress import progress
from client.commands.running import command, connected, read_session_id, read_settings
from client.commands.session_lines import left_out_lines, phase_line, plan_fields, round_line, session_lines
from client.commands.session_options import described
from client.federated.wishes import Wishes
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.federated.ordering import SessionPlan
    from client.federated.preparing import Prepared
    from client.federated.records import SessionRecord
    from client.parity import Parity

Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=1, metavar="SECONDS", help="How long to wait.", show_default="until it ends"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Federated learning: many runners train one model.", no_args_is_help=True, rich_markup_mode=None
    )
    guide = (
        'parity-client fl create-session --name "Image Classification" --model-type neural_network --dataset-cid Qm… '
        "--total-rounds 10 --min-participants 3 --aggregation-method fedavg --learning-rate 0.001 --batch-size 32 "
        "--local-epochs 5 --config-file model_config.json"
    )
    command(group, "create-session", example=guide)(described(_create_session))
    command(
        group,
        "create-session-with-data",
        example="parity-client fl create-session-with-data digits.csv --name Digits --total-rounds 5",
    )(described(_create_session_with_data))
    command(group, "list-sessions", example="parity-client fl list-sessions --mine")(_list_sessions)
    command(group, "get-session", example="parity-client fl get-session 0x…")(_get_session)
    command(group, "start-session", example="parity-client fl start-session 0x… --wait")(_start_session)
    command(group, "watch-session", example="parity-client fl watch-session 0x…")(_watch_session)
    command(group, "cancel-session", example="parity-client fl cancel-session 0x…")(_cancel_session)
    trained_models.register(group)
    app.add_typer(group, name="fl")


async def _create_session(
    *,
    wishes: Wishes,
    dataset_cid: Annotated[
        str,
        typer.Option(
            "--dataset-cid",
            metavar="CID",
            help="The data set on IPFS: Qm…, bafy… or bafkrei….",
            show_default=False,
        ),
    ] = "",
    private_data: Annotated[
        bool,
        typer.Option(
            "--private-data",
            help="No shared data set: every participant trains on its own file. Needs --evaluation-cid.",
        ),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Create a learning session on a data set that is on IPFS.

    Checks flags, model and data before any money moves. Escrows the whole budget; what is not used is refunded at the
    end. Prints the session's id, with which you can watch it from anywhere.
    """
    data = dataclasses.replace(wishes.data, cid=dataset_cid)
    wishes = dataclasses.replace(wishes, private_data=private_data, data=data)
    async with connected(read_settings(), unlock=True) as parity:
        with progress("fetching and checking the data"):
            prepared = await parity.federated.prepare(wishes)
        await _create(parity, wishes, prepared, upload=None, dry_run=dry_run, yes=yes, as_json=as_json)


async def _create_session_with_data(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSON, Parquet or NPZ.", show_default=False)
    ],
    *,
    wishes: Wishes,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Store a data set on IPFS, where anyone can read it, and create a learning session on it.

    Without --config-file the model is sized to fit the data. Nothing is uploaded before you confirm.
    """
    from client.federated.local_data import read_data_file  # noqa: PLC0415 (0.2 s that --help need not spend)

    content, cid = read_data_file(path)
    wishes = dataclasses.replace(wishes, data=dataclasses.replace(wishes.data, cid=cid))
    async with connected(read_settings(), unlock=True) as parity:
        with progress("checking the data"):
            prepared = await parity.federated.prepare(wishes, dataset=content)
        await _create(parity, wishes, prepared, upload=path, dry_run=dry_run, yes=yes, as_json=as_json)


async def _create(
    parity: "Parity",
    wishes: Wishes,
    prepared: "Prepared",
    *,
    upload: Path | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    plan = await parity.federated.plan(prepared, wishes.terms)
    fields = plan_fields(parity, plan, upload=upload)
    printer = Printer(as_json=as_json)
    if dry_run:
        printer.result(_plan_document(plan), text=["Not created:", *aligned(fields)])
        return
    _warn_of_runners(plan)
    confirm("Create a learning session", fields, yes=yes)
    name = "0x" + plan.session_id.hex()
    with progress("publishing") as tell:
        if upload is not None:
            with upload.open("rb") as file:
                await parity.files.upload(file, name=upload.name)
        created = await parity.federated.create(plan, on_progress=lambda what: tell(f"publishing: {what}"))
    note(f"created in block {created.transaction.block}; watch it: parity-client fl watch-session {name}")
    printer.result(created, text=[name])


async def _list_sessions(
    *,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=100, help="How many to list.")] = 20,
    mine: Annotated[bool, typer.Option("--mine", help="Only sessions that this wallet created.")] = False,
    as_json: Json = False,
) -> None:
    """List the newest sessions, from the API's index."""
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)
    from client.api import ApiClient  # noqa: PLC0415

    settings = read_settings()
    creator = keys.address(settings) if mine else None
    async with ApiClient(settings.server_url, timeout_s=settings.server_timeout_s) as api:
        sessions = await api.sessions(creator=creator, limit=limit)
    rows = [
        (
            one.id,
            one.phase,
            f"{one.finished}/{one.rounds}",
            f"{one.members}/{one.max_participants}",
            f"{one.budget_usdfc} USDFC",
            one.creator,
        )
        for one in sessions
    ]
    lines = (
        table(("ID", "PHASE", "ROUNDS", "MEMBERS", "BUDGET", "CREATOR"), rows)
        if rows
        else ["no sessions yet"]
    )
    Printer(as_json=as_json).result(sessions, text=lines)


async def _get_session(session_id: SessionId, *, as_json: Json = False) -> None:
    """Show a session's terms, participants and rounds with their metrics, read from the chain and IPFS."""
    wanted = read_session_id(session_id)
    async with connected(read_settings()) as parity:
        with progress("reading the chain"):
            record = await parity.federated.session(wanted)
    Printer(as_json=as_json).result(record, text=session_lines(record))


async def _start_session(
    session_id: SessionId,
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it can be started.")] = False,
    timeout_s: Timeout = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Start a session whose time to join is over. With too few participants, it is refunded instead.

    A session starts by itself as soon as its last seat is taken. The same command also ends any later phase whose
    deadline has passed.
    """
    wanted = read_session_id(session_id)
    async with connected(read_settings(), unlock=True) as parity:
        if wait and not await _wait_for_start(parity, wanted, timeout_s=timeout_s):
            record = await parity.federated.session(wanted)
            Printer(as_json=as_json).result(record, text=["it has started by itself", phase_line(record)])
            return
        if not await agreed(
            parity,
            "Move a session on",
            [("session", session_id)],
            lambda rehearsed: rehearsed.federated.start(wanted),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"sessionId": session_id},
        ):
            return
        with progress("sending"):
            done = await parity.federated.start(wanted)
            record = await parity.federated.session(wanted)
        note(f"done in block {done.block}, transaction {done.transaction_hash}")
        Printer(as_json=as_json).result(record, text=[phase_line(record)])


async def _wait_for_start(parity: "Parity", wanted: bytes, *, timeout_s: float | None) -> bool:
    """Wait for the end of the time to join; false if the session left that phase by itself."""
    from protocol.enums import SessionPhase  # noqa: PLC0415 (see _list_sessions)

    with progress("waiting") as tell:
        async for record in parity.federated.follow(wanted, timeout_s=timeout_s, at_deadline=True):
            tell(phase_line(record))
            if record.phase is not SessionPhase.JOINING:
                return False
            if record.block > record.deadline:
                return True
    return False


async def _watch_session(session_id: SessionId, *, timeout_s: Timeout = None, as_json: Json = False) -> None:
    """Follow a session to its end: its phases, and the loss, accuracy and privacy spent in every round.

    Can be stopped and started again at any time, from any machine. Exits 1 if the session failed.
    """
    from client.errors import SessionFailed  # noqa: PLC0415 (see _list_sessions)
    from protocol.enums import SessionPhase  # noqa: PLC0415

    wanted = read_session_id(session_id)
    shown: dict[int, Any] = {}
    record: SessionRecord | None = None
    async with connected(read_settings()) as parity:
        with progress(f"watching {session_id}") as tell:
            async for record in parity.federated.follow(wanted, timeout_s=timeout_s):
                tell(phase_line(record))
                _tell_rounds(record, shown)
    assert record is not None, "a session that exists is given at least once"
    Printer(as_json=as_json).result(record, text=session_lines(record))
    if record.phase is SessionPhase.FAILED:
        raise SessionFailed(
            f"session {session_id} failed in round {max(1, record.round)} of {record.rounds}",
            hint="What was not paid out was refunded to the payer; parity-client fl get-session shows who was missing.",
        )


async def _cancel_session(
    session_id: SessionId, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Cancel a session: immediately while runners are joining, later after the current round, which is paid."""
    wanted = read_session_id(session_id)
    async with connected(read_settings(), unlock=True) as parity:
        record = await parity.federated.session(wanted)
        if not await agreed(
            parity,
            "Cancel a session",
            [("session", session_id), ("now", phase_line(record))],
            lambda rehearsed: rehearsed.federated.cancel(wanted),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"sessionId": session_id},
        ):
            return
        with progress("cancelling"):
            done = await parity.federated.cancel(wanted)
    Printer(as_json=as_json).result(
        done, text=[f"cancelled in block {done.block}, transaction {done.transaction_hash}"]
    )


def _tell_rounds(record: "SessionRecord", shown: dict[int, Any]) -> None:
    """Write a line for each round that was settled since, once its figures are there or it is clear that they lack."""
    for one in record.round_list:
        if one.settled_block is None or one.round in shown:
            continue
        if one.figures is None and not record.phase.is_terminal:
            continue
        shown[one.round] = one.figures
        note(round_line(one, of=record.rounds))
        for line in left_out_lines(one):
            note(line)


def _warn_of_runners(plan: "SessionPlan") -> None:
    active, needed = plan.rules.active_runners, plan.order.min_participants
    if active < needed:
        warn(
            f"{active} runners are active, and {needed} are needed; unless more join, the session fails and is refunded"
        )


def _plan_document(plan: "SessionPlan") -> dict[str, object]:
    prepared = plan.prepared
    return {
        "order": plan.order.to_json(),
        "budgetUsdfc": format_usdfc(plan.order.budget),
        "config": prepared.config.model_dump(mode="json"),
        "rows": prepared.rows,
        "samples": list(prepared.samples),
        "heldOut": prepared.held_out,
        "parameters": prepared.parameters,
        "epsilon": prepared.epsilon,
        "networkFee": str(plan.network_fee),
        "feeIsEstimate": plan.fee_is_estimate,
        "activeRunners": plan.rules.active_runners,
    }
