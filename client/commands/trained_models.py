"""`fl get-model` and `fl evaluate`: models that sessions have trained."""

from pathlib import Path
from typing import Annotated

import typer

from client.commands.options import Json, SessionId
from client.commands.printer import Printer, aligned
from client.commands.progress import progress
from client.commands.running import command, connected, read_session_id, read_settings
from client.commands.session_lines import shown_figure


def register(group: typer.Typer) -> None:
    """Add the commands to the group of `fl`."""
    command(group, "get-model", example="parity-client fl get-model 0x… -o digits.safetensors")(_get_model)
    command(group, "evaluate", example="parity-client fl evaluate digits.safetensors test.csv")(_evaluate)


async def _get_model(
    session_id: SessionId,
    *,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write the model.", show_default=False),
    ],
    round_number: Annotated[
        int | None,
        typer.Option("--round", min=1, help="The model after this round.", show_default="the last"),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an existing file.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch a session's model and verify its SHA-256 digest against the chain.

    Writes safetensors (trees for a random_forest), and FILE.card.json next to it: the configuration, metrics, whose
    contributions the model contains, and why others were left out.
    """
    wanted = read_session_id(session_id)
    async with connected(read_settings()) as parity:
        with progress("fetching the model"):
            model = await parity.federated.get_model(wanted, output, number=round_number, replace=replace)
    fields = [
        ("model", model.path),
        ("card", model.card_path),
        ("round", str(model.round)),
        ("size", f"{model.size:,} bytes"),
        ("sha256", f"{model.sha256}, as on chain"),
        ("loss", f"{shown_figure(model.figures.loss)} on {model.figures.samples} held-out samples"),
        *((name, shown_figure(value)) for name, value in model.figures.metrics.items()),
    ]
    Printer(as_json=as_json).result(model, text=aligned(fields))


async def _evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model that get-model has written.", show_default=False)
    ],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="CSV, JSON, Parquet or NPZ.", show_default=False)
    ],
    *,
    as_json: Json = False,
) -> None:
    """Measure a fetched model on a file with the session's columns. Needs no network."""
    from client.federated.local_data import check_files  # noqa: PLC0415 (numpy and pyarrow, which --help need not load)

    check_files(model, data)
    with progress("measuring"):
        from client.federated.evaluating import evaluate_model  # noqa: PLC0415 (loads torch)

        measured = evaluate_model(model, data)
    fields = [
        ("samples", str(measured.samples)),
        ("loss", shown_figure(measured.loss)),
        *((name, shown_figure(value)) for name, value in measured.metrics.items()),
    ]
    Printer(as_json=as_json).result(measured, text=aligned(fields))
