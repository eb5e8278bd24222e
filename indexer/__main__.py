"""`parity-indexer`: run, look at, check and rebuild the index."""

# ruff: noqa: E402 (the first lines are for the imports that follow)

import gc

gc.disable()
"""Loading a program makes hundreds of thousands of objects and no garbage: to look for some took an eighth of the start."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from typing import Annotated, Any

import asyncpg
import structlog
import typer
import uvloop

from indexer import access, refetch, refold, service
from indexer import schema as versions
from indexer.errors import IndexerError
from indexer.lock import writer_lock
from indexer.outages import first_cause
from indexer.schema_docs import database_page
from indexer.settings import IndexerSettings
from indexer.verify import compare_with_fresh_fold
from protocol.errors import ParityError
from protocol.log import configure_logging
from protocol.networks import network_of
from protocol.settings import load
from protocol.version import print_version

gc.freeze()
gc.enable()

log = structlog.get_logger()
app = typer.Typer(
    name="parity-indexer",
    help="Fold the chain's events into Postgres; inspect, verify or rebuild the index.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Fold the chain's events into Postgres; inspect, verify or rebuild the index."""


@app.command(epilog="Example: parity-indexer run")
def run(
    *,
    reset: Annotated[
        bool,
        typer.Option(
            help="Drop an index of a different chain with the same chain id, such as a local chain that was restarted."
        ),
    ] = False,
) -> None:
    """Index until stopped; waits as a standby while another indexer is active."""
    settings = load(IndexerSettings)
    configure_logging("indexer", level=settings.log_level)
    _until_stopped(service.run(settings, reset=reset))


@app.command(epilog="Example: parity-indexer status --json")
def status(*, as_json: JsonOption = False) -> None:
    """Show how far the published index is."""
    row = asyncio.run(_status(load(IndexerSettings)))
    _print(row, "\n".join(f"{name:18} {value}" for name, value in row.items()), as_json=as_json)


@app.command(epilog="Example: parity-indexer verify")
def verify(*, as_json: JsonOption = False) -> None:
    """Compare the index with a fresh fold of the chain and with the contracts."""
    settings = load(IndexerSettings)
    configure_logging("indexer", level=settings.log_level)
    differences = asyncio.run(_verify(settings))
    text = "\n".join(differences) or "verified: equal to a fresh fold, and to the contracts"
    _print({"differences": differences}, text, as_json=as_json)
    if differences:
        raise IndexerError(
            f"{len(differences)} differences",
            hint="Run `parity-indexer rebuild`; if they stay, name another node in FILECOIN_RPC and run `parity-indexer rebuild --from-chain`.",
        )


@app.command(epilog="Example: parity-indexer rebuild --from-chain")
def rebuild(
    *,
    from_chain: Annotated[
        bool,
        typer.Option(
            help="Fetch the logs from the node again instead of folding the stored ones: for a history in which logs are missing."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the index again and replace it, without interrupting readers."""
    settings = load(IndexerSettings)
    configure_logging("indexer", level=settings.log_level)
    count = asyncio.run(_rebuild(settings, from_chain=from_chain))
    _print({"events": count}, f"rebuilt from {count} events", as_json=as_json)


@app.command(epilog="Example: parity-indexer prune")
def prune(*, as_json: JsonOption = False) -> None:
    """Delete the versions of the index that are no longer served; refuses while a new one is being built."""
    settings = load(IndexerSettings)
    configure_logging("indexer", level=settings.log_level)
    removed = asyncio.run(_prune(settings))
    text = "\n".join(f"removed {name}" for name in removed) or "nothing to remove"
    _print({"removed": removed}, text, as_json=as_json)


@app.command("grant-roles", epilog="Example: parity-indexer grant-roles")
def roles(
    *,
    writer: Annotated[str, typer.Option(help="Role of the indexer.")] = access.WRITER,
    reader: Annotated[str, typer.Option(help="Role of the API and other readers.")] = access.READER,
    as_json: JsonOption = False,
) -> None:
    """Create the two database roles with least privilege; DATABASE_URL must be a superuser's."""
    settings = load(IndexerSettings)
    asyncio.run(access.grant_roles(settings.database_url, writer=writer, reader=reader))
    text = f"{writer} may write, {reader} may read; set their passwords with psql's \\password"
    _print({"writer": writer, "reader": reader}, text, as_json=as_json)


@app.command("schema-docs", epilog="Example: parity-indexer schema-docs > docs/reference/database.md")
def schema_docs() -> None:
    """Print docs/reference/database.md."""
    typer.echo(database_page(), nl=False)


def _print(document: object, text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(document) if as_json else text)


async def _status(settings: IndexerSettings) -> dict[str, Any]:
    connection = await asyncpg.connect(settings.database_url)
    try:
        schema = await versions.published(connection)
        if schema is None:
            raise IndexerError("the database holds no index", hint="Start one with `parity-indexer run`.")
        row = await connection.fetchrow("SELECT * FROM public.sync_state")
    finally:
        await connection.close()
    hexed = {
        name: "0x" + value.hex() if isinstance(value, bytes) else value
        for name, value in dict(row or {}).items()
    }
    texts = {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in hexed.items()
    }
    return {"schema": schema, **texts}


async def _verify(settings: IndexerSettings) -> list[str]:
    from indexer.contract_reads import compare_with_contracts  # noqa: PLC0415 (the ABI coder loads slowly)

    deployment = settings.deployment()
    schema = versions.version_of(deployment)
    async with service.connect_chain(settings, deployment, network_of(deployment.chain_id)) as chain:
        await service.check_chain(chain, deployment)
        by_fold = await compare_with_fresh_fold(settings.database_url, chain, deployment, schema=schema)
        by_contract = await compare_with_contracts(settings.database_url, chain, deployment, schema=schema)
    return by_fold + by_contract


async def _rebuild(settings: IndexerSettings, *, from_chain: bool) -> int:
    deployment = settings.deployment()
    schema = versions.version_of(deployment)
    async with writer_lock(settings.database_url, schema):
        if from_chain:
            return await refetch.rebuild_from_chain(settings)
        return await refold.rebuild(settings.database_url, deployment, schema=schema)


async def _prune(settings: IndexerSettings) -> list[str]:
    deployment = settings.deployment()
    schema = versions.version_of(deployment)
    connection = await asyncpg.connect(settings.database_url)
    try:
        shown = await versions.published(connection)
        if shown != schema and await versions.exists(connection, schema):
            raise IndexerError(
                f"{schema} is being built and {shown} is still shown",
                hint="Let `parity-indexer run` catch up first; it shows the new version then.",
            )
        return await versions.prune(connection)
    finally:
        await connection.close()


def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run until SIGINT or SIGTERM, which cancel the work; what is not committed is rolled back."""

    async def stoppable() -> None:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            log.info("stopped")

    uvloop.run(stoppable())


def _explained(error: BaseException) -> ParityError | None:
    if isinstance(error, ParityError):
        return error
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError):
        return IndexerError(
            f"DATABASE_URL: the database failed ({error})",
            hint="Check that Postgres runs and DATABASE_URL is right.",
        )
    return None


def main() -> None:
    """Run the command line; errors become one line, a hint and an exit status."""
    try:
        app()
    except Exception as error:
        explained = _explained(first_cause(error))
        if explained is None:
            raise
        typer.echo(f"error: {explained}", err=True)
        if explained.hint:
            typer.echo(f"hint: {explained.hint}", err=True)
        sys.exit(explained.exit_code)


if __name__ == "__main__":
    main()
