"""`parity-server`."""

import asyncio
import gc
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
import uvloop

from api.graphql.schema import schema_text
from api.settings import ServerSettings
from protocol.errors import ConfigError, ParityError
from protocol.keystore import create_keystore
from protocol.log import configure_logging
from protocol.secret_input import COMMAND_LINE_WARNING, is_on_command_line, password_from, private_key_from
from protocol.settings import load
from protocol.version import print_version

_COLLECT_AFTER = 20_000
"""Objects after which the garbage collector looks at the youngest."""

app = typer.Typer(
    help="Serve the index through GraphQL, REST and live updates, and relay signed orders.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


class StoppableServer(uvicorn.Server):
    """Takes SIGINT and SIGTERM as a request to stop, and no more: a clean stop ends with status 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal; uvicorn's own way raises it again afterwards."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


@app.command(epilog="Example: DATABASE_URL=postgres://localhost/parity parity-server server")
def server(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of SERVER_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, instead of SERVER_PORT.", min=0, max=65535)
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve until stopped; on SIGTERM and Ctrl-C, finish requests and close websockets first."""
    from api.app import build_app  # noqa: PLC0415  # loads web3, which the other commands do without
    from api.serving import server_config  # noqa: PLC0415  # beside the application

    configure_logging("server", level=log_level)
    settings = load(ServerSettings)
    application = build_app(settings, settings.deployment(), settings.relayer())
    config = server_config(
        application,
        settings,
        host=host or settings.server_host,
        port=settings.server_port if port is None else port,
    )
    running = StoppableServer(config)
    _spare_the_collector()
    uvloop.run(running.serve())
    if not running.started:
        raise ConfigError(
            f"could not start on {config.host}:{config.port}",
            hint="The log says why. Is another process on that port? Set SERVER_PORT.",
        )


def _spare_the_collector() -> None:
    """Have the garbage collector pass over what lives as long as the process, and come less often.

    Schema and models are most of the heap: walking them would stop all requests for a while, now and then.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)


@app.command(epilog="Example: parity-server auth --private-key - --password-file relayer.password < key")
def auth(
    *,
    private_key: Annotated[
        str | None,
        typer.Option(
            help="A file that contains the key, - for standard input, or the key itself, which others can then see. "
            "Leave it out to be asked."
        ),
    ] = None,
    keystore: Annotated[Path, typer.Option(help="Key file to write.", envvar="RELAYER_KEYSTORE")] = Path(
        "relayer.json"
    ),
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the password. Leave it out to be asked.", envvar="RELAYER_PASSWORD_FILE"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Encrypt the key of the account that pays for relayed orders."""
    if is_on_command_line(private_key):
        typer.echo(f"warning: {COMMAND_LINE_WARNING}", err=True)
    key = private_key_from(private_key)
    password = password_from(
        password_file, variable="--password-file", prompt="Password for the key file", confirm=True
    )
    address = create_keystore(keystore, key, password)
    shown = json.dumps({"address": address, "keystore": str(keystore)}, indent=2)
    text = (
        f"{keystore} holds the key of {address}. Set RELAYER_KEYSTORE={keystore} and RELAYER_PASSWORD_FILE."
    )
    typer.echo(shown if as_json else text)


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Serve the index through GraphQL and REST, live updates, and the relay of signed orders."""


@app.command(epilog="Example: parity-server schema > schema.graphql")
def schema() -> None:
    """Print the GraphQL schema in the schema definition language."""
    typer.echo(schema_text(), nl=False)


@app.command(epilog="Example: parity-server routes > rest.md")
def routes() -> None:
    """Print the REST reference in Markdown."""
    from api.rest.reference import reference  # noqa: PLC0415  # loads web3, as `server` does

    typer.echo(reference(), nl=False)


def main() -> None:
    """Run a command; an error is said in words and gives its own exit code."""
    try:
        app()
    except ParityError as error:
        typer.echo(f"error: {error.message}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
