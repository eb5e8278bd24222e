"""How a command runs: registered with its example, on an event loop, its errors turned into words and exit codes."""

import asyncio
import functools
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from client.commands.printer import note, print_error
from protocol.errors import InputError, ParityError

if TYPE_CHECKING:
    from client.parity import Parity
    from client.settings import ClientSettings

P = ParamSpec("P")
Command = Callable[P, Coroutine[Any, Any, None]]

INTERRUPTED = 130
DEBUG: ContextVar[bool] = ContextVar("debug", default=False)
"""Whether tracebacks and logs are wanted; the root command sets it."""


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[Command[P]], Command[P]]:
    """Register a coroutine as a command; its docstring is its help, and `example` ends it."""

    def register(function: Command[P]) -> Command[P]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with reported():
                asyncio.run(function(*args, **kwargs))

        app.command(name, help=inspect.getdoc(function), epilog=f"Example: {example}")(run)
        return function

    return register


@contextmanager
def reported() -> Iterator[None]:
    """Turn every expected error into `error: … / hint: …` and its exit code. The only place that does."""
    _quiet_logs()
    try:
        yield
    except ParityError as error:
        if DEBUG.get():
            sys.excepthook(type(error), error, error.__traceback__)
        print_error(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        note("interrupted; what was sent to the chain goes on by itself")
        raise typer.Exit(INTERRUPTED) from None


@asynccontextmanager
async def connected(settings: "ClientSettings", *, unlock: bool = False) -> AsyncIterator["Parity"]:
    """Connect to the network, with the wallet's key if something is to be signed."""
    from client import keys  # noqa: PLC0415 (with the next: half a second that --help need not spend)
    from client.parity import Parity  # noqa: PLC0415

    account = keys.unlock(settings) if unlock else None
    async with Parity.connect(settings, account) as parity:
        yield parity


def read_settings() -> "ClientSettings":
    """Read the client's settings; `ConfigError` names a wrong variable."""
    from client.settings import ClientSettings  # noqa: PLC0415 (see connected)
    from protocol.settings import load  # noqa: PLC0415

    return load(ClientSettings)


def read_task_id(text: str) -> bytes:
    """Read a task's id; `InputError` if it is not one."""
    return _read_id(
        text, what="a task's id", printed_by="`parity-client llm submit` and `llm list` print them"
    )


def read_session_id(text: str) -> bytes:
    """Read a session's id; `InputError` if it is not one."""
    commands = "`parity-client fl create-session` and `fl list-sessions` print them"
    return _read_id(text, what="a session's id", printed_by=commands)


def _read_id(text: str, *, what: str, printed_by: str) -> bytes:
    try:
        identifier = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        identifier = b""
    if len(identifier) != 32:
        raise InputError(
            f"ID: {text!r:.80} is not {what}",
            field="ID",
            hint=f"Use 0x and 64 hex digits, as {printed_by}.",
        )
    return identifier


def read_node(text: str, *, field: str = "--runner-id") -> str:
    """Read the address of a runner's node key; `InputError` if it is none."""
    from client.keys import read_address  # noqa: PLC0415 (see connected)

    return read_address(text, field=field)


def _quiet_logs() -> None:
    from protocol.log import configure_logging  # noqa: PLC0415 (see connected)

    configure_logging("client", level="debug" if DEBUG.get() else "error")
