"""The command line's root: `parity-client`."""

from typing import Annotated

import typer

from client.commands import auth, fl, governance, llm, money, network, reputation, storage, stream, task
from client.commands.running import DEBUG
from protocol.version import print_version

app = typer.Typer(
    name="parity-client",
    help="Ask the Parity network for AI compute, and pay for it in USDFC.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 refused by the chain, 4 timed out, 130 interrupted. "
    "Settings are read from the environment and .env."
)
def root(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and verbose logs.")] = False,
    version: Annotated[  # noqa: ARG001 (its callback answers)
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Ask the Parity network for AI compute, and pay for it in USDFC."""
    DEBUG.set(debug)


auth.register(app)
money.register(app)
llm.register(app)
task.register(app)
reputation.register(app)
governance.register(app)
stream.register(app)
network.register(app)
storage.register(app)
fl.register(app)
