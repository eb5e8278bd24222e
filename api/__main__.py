"""`parity-server`."""

import asyncio
import getpass
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.graphql.schema import schema_text
from api.settings import ServerSettings
from protocol.errors import ConfigError, InputError, ParityError
from protocol.keystore import create_keystore, parse_private_key
from protocol.log import configure_logging
from protocol.settings import load

_DRAIN_S = 10
"""Seconds that open requests and websockets get when the server stops."""

app = typer.Typer(
    help="The index through GraphQL and REST, live updates, and the relay of signed orders.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
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
    """Serve until stopped; SIGTERM and Ctrl-C close websockets and finish requests first."""
    from api.app import build_app  # noqa: PLC0415  # loads web3, which the other commands do without

    configure_logging("server", level=log_level)
    settings = load(ServerSettings)
    application = build_app(settings, settings.deployment(), settings.relayer())
    config = uvicorn.Config(
        application,
        host=host or settings.server_host,
        port=settings.server_port if port is None else port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=1024 * 1024,
        timeout_graceful_shutdown=_DRAIN_S,
        server_header=False,
    )
    running = StoppableServer(config)
    asyncio.run(running.serve())
    if not running.started:
        raise ConfigError(
            f"could not start on {config.host}:{config.port}",
            hint="The log says why. Is another process on that port? Set SERVER_PORT.",
        )


@app.command(epilog="Example: parity-server auth --private-key - --password-file relayer.password < key")
def auth(
    *,
    private_key: Annotated[
        str | None, typer.Option(help="File with the key, or - for standard input; asked for if left out.")
    ] = None,
    keystore: Annotated[Path, typer.Option(help="Key file to write, for RELAYER_KEYSTORE.")] = Path(
        "relayer.json"
    ),
    password_file: Annotated[
        Path | None,
        typer.Option(help="File with the password, for RELAYER_PASSWORD_FILE; asked for if left out."),
    ] = None,
) -> None:
    """Encrypt the key of the account that pays for relayed orders."""
    key = parse_private_key(
        _secret(private_key, prompt="Private key: ", field="private-key"), field="private-key"
    )
    password = _password(password_file)
    address = create_keystore(keystore, key, password)
    typer.echo(
        f"{keystore} holds the key of {address}. Set RELAYER_KEYSTORE={keystore} and RELAYER_PASSWORD_FILE."
    )


@app.command()
def schema() -> None:
    """Print the GraphQL schema in the schema definition language."""
    typer.echo(schema_text(), nl=False)


@app.command()
def routes() -> None:
    """Print the REST reference in Markdown."""
    from api.rest.reference import reference  # noqa: PLC0415  # loads web3, as `server` does

    typer.echo(reference(), nl=False)


def _secret(source: str | None, *, prompt: str, field: str) -> str:
    if source is None:
        return getpass.getpass(prompt)
    if source == "-":
        return sys.stdin.readline()
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        # What was given may be the key itself, so it is not repeated.
        raise InputError(
            f"{field}: not a file that can be read",
            field=field,
            hint="Name a file, or give - and pipe the key in. A key on the command line would stay in the shell's history.",
        ) from None


def _password(source: Path | None) -> str:
    if source is not None:
        return _secret(str(source), prompt="", field="password-file").strip("\r\n")
    password = getpass.getpass("Password for the key file: ")
    if getpass.getpass("Again: ") != password:
        raise InputError("password: the two differ", field="password", hint="Try again.")
    return password


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
