"""`parity-runner`: keys, registration, the daemon, and what it is doing."""

import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from eth_account.signers.local import LocalAccount

from protocol.chain import Chain
from protocol.errors import ConfigError, InputError, ParityError
from protocol.keystore import create_keystore, parse_private_key
from protocol.log import configure_logging
from protocol.money import USDFC, format_native, parse_usdfc
from protocol.secret_input import COMMAND_LINE_WARNING, is_on_command_line
from protocol.settings import load
from protocol.version import print_version
from runner.keys import asked_password, given_key, new_password, owner_account
from runner.settings import RunnerSettings
from runner.status import lines_of, read_status, request_drain

models_app = typer.Typer(
    help="List the engine's models, and which of them are offered.",
    add_completion=False,
    rich_markup_mode=None,
)
app = typer.Typer(
    name="parity-runner",
    help="Earn USDFC by doing AI work: claim tasks, run models, prove the results.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def main() -> None:
    """Run the command line; a ParityError becomes its message, its remedy and its exit code."""
    with _errors_for_people():
        app()


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Earn USDFC by doing AI work: claim tasks, run models, prove the results."""


@app.command(epilog="Example: parity-runner auth --new")
def auth(
    private_key: Annotated[
        str | None,
        typer.Option(
            "--private-key",
            help="The node key: a file that contains it, - for standard input, or the key itself"
            " (which stays in your shell's history). Leave it out to be asked.",
        ),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Generate a new key instead.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing key file.")] = False,
    as_json: Json = False,
) -> None:
    """Encrypt the node key into RUNNER_KEYSTORE. The key is never shown."""
    if is_on_command_line(private_key):
        typer.echo(f"warning: {COMMAND_LINE_WARNING}", err=True)
    settings = load(RunnerSettings)
    if new and private_key is not None:
        raise InputError(
            "--new: cannot be combined with --private-key", field="--new", hint="Use only one of them."
        )
    key = secrets.token_bytes(32) if new else parse_private_key(given_key(private_key), field="--private-key")
    password = settings.password() or new_password()
    address = create_keystore(settings.keystore, key, password, overwrite=overwrite)
    _print(
        {"address": address, "keystore": str(settings.keystore)},
        [f"node key {address} encrypted in {settings.keystore}"],
        as_json=as_json,
    )


@app.command(epilog="Example: parity-runner register --stake 100 --owner-keystore ~/.parity/keystore.json")
def register(
    owner_keystore: Annotated[
        Path | None, typer.Option(help="The owner's key file. Alternatively, set OWNER_PRIVATE_KEY.")
    ] = None,
    owner_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of that key file.")
    ] = None,
    stake: Annotated[
        str | None,
        typer.Option(
            metavar="USDFC",
            help="Also deposit and bond this much of the owner's USDFC, in the same transaction; the node pays the fee.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Register the node under its owner, who has bonded stake and receives what it earns."""
    settings = load(RunnerSettings)
    configure_logging("runner", level="warning")
    node = settings.account(password=asked_password(settings))
    owner = owner_account(settings, owner_keystore, owner_password_file)
    amount = parse_usdfc(stake, field="--stake") if stake else 0
    asyncio.run(_register(settings, owner=owner, node=node, stake=amount, as_json=as_json))


@app.command(epilog="Example: RUNNER_MODELS=llama3.2:1b parity-runner runner")
def runner() -> None:
    """Run the daemon. Ctrl-C finishes the seats it has and stops; a second Ctrl-C stops at once."""
    from runner.daemon import run_daemon  # noqa: PLC0415 (loads web3 and the engine's client)

    settings = load(RunnerSettings)
    configure_logging("runner", level=settings.runner_log_level)
    account = settings.account(password=asked_password(settings))
    asyncio.run(run_daemon(settings, account))


@app.command(epilog="Example: parity-runner status --json")
def status(
    as_json: Json = False,
) -> None:
    """Show what the runner is doing, and why it leaves open tasks alone."""
    settings = load(RunnerSettings)
    found = read_status(settings.home, chain_id=settings.filecoin_chain_id)
    _print(found.to_json(), lines_of(found), as_json=as_json)


@app.command(epilog="Example: parity-runner drain")
def drain(as_json: Json = False) -> None:
    """Make the running daemon finish the seats it has, claim no more, and stop. It stays registered."""
    settings = load(RunnerSettings)
    draining = request_drain(settings.home, chain_id=settings.filecoin_chain_id)
    text = [
        "draining: what has a seat is finished first; `parity-runner status` shows what is left",
        "It stays registered, so others expect it to watch them: for more than a short pause, `parity-runner retire`.",
    ]
    _print({"draining": draining}, text if draining else ["no daemon is running"], as_json=as_json)


@app.command(epilog="Example: parity-runner retire --owner-keystore ~/.parity/keystore.json")
def retire(
    owner_keystore: Annotated[
        Path | None,
        typer.Option(
            help="The owner's key file; with it, stake that is no longer needed starts to unbond as well."
        ),
    ] = None,
    owner_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of that key file.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """End the runner's registration, and list what is left to do. It can be registered again later."""
    settings = load(RunnerSettings)
    configure_logging("runner", level="warning")
    node = settings.account(password=asked_password(settings))
    owner = owner_account(settings, owner_keystore, owner_password_file) if owner_keystore else None
    if not yes and sys.stdin.isatty():
        typer.confirm(f"{node.address} gets no seats any more. Go on?", abort=True, err=True)
    asyncio.run(_retire(settings, node=node, owner=owner, as_json=as_json))


@app.command(epilog="Example: parity-runner doctor")
def doctor(
    as_json: Json = False,
) -> None:
    """Check chain, IPFS and engine, and try out the sandbox for commands on this machine."""
    from runner.doctor import examine  # noqa: PLC0415 (loads web3)
    from runner.doctor import lines_of as lines_of_findings  # noqa: PLC0415 (as above)

    settings = load(RunnerSettings)
    configure_logging("runner", level="error")
    found = asyncio.run(examine(settings))
    _print([finding.to_json() for finding in found], lines_of_findings(found), as_json=as_json)
    if not all(finding.fine or not finding.needed for finding in found):
        raise typer.Exit(1)


@app.command(epilog="Example: parity-runner bench --per-hour 0.05")
def bench(
    tokens: Annotated[int, typer.Option(min=1, max=4096, help="Tokens per answer.")] = 64,
    per_hour: Annotated[
        str | None,
        typer.Option(
            metavar="USDFC", help="Also print the price at which an hour of answering earns this much."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how fast the engine answers with each offered model, and print matching settings."""
    settings = load(RunnerSettings)
    configure_logging("runner", level="error")
    wanted = None if per_hour is None else Decimal(parse_usdfc(per_hour, field="--per-hour")) / USDFC
    asyncio.run(_bench(settings, tokens=tokens, per_hour=wanted, as_json=as_json))


@models_app.callback(invoke_without_command=True, epilog="Example: parity-runner models")
def models(context: typer.Context, as_json: Json = False) -> None:
    """List the engine's models, and which of them are offered."""
    if context.invoked_subcommand is None:
        from runner.executors.llm import LlmExecutor  # noqa: PLC0415 (loads the engine's client)
        from runner.models import json_of as json_of_models  # noqa: PLC0415 (as above)
        from runner.models import lines_of as lines_of_models  # noqa: PLC0415 (as above)

        settings = load(RunnerSettings)
        found = asyncio.run(LlmExecutor(settings.ollama_url, slots=1).models())
        _print(json_of_models(found, settings), lines_of_models(found, settings), as_json=as_json)


@models_app.command("pull", epilog="Example: parity-runner models pull llama3.2:1b")
def pull_model(
    name: Annotated[str, typer.Argument(help="The model's name, such as llama3.2:1b.")], as_json: Json = False
) -> None:
    """Make the engine download a model; shows speed and time left."""
    from runner.models import pull_in_view  # noqa: PLC0415 (loads the engine's client)

    asyncio.run(pull_in_view(load(RunnerSettings).ollama_url, name))
    text = f"{name} is there; a running daemon offers it within seconds, if RUNNER_MODELS lets it"
    _print({"model": name}, [text], as_json=as_json)


app.add_typer(models_app, name="models")


async def _bench(settings: RunnerSettings, *, tokens: int, per_hour: Decimal | None, as_json: bool) -> None:
    from runner.executors.llm import LlmExecutor  # noqa: PLC0415 (loads the engine's client)
    from runner.measuring import lines_of as lines_of_pace  # noqa: PLC0415 (as above)
    from runner.measuring import measure  # noqa: PLC0415 (as above)
    from runner.profile import offers_of  # noqa: PLC0415 (as above)

    executor = LlmExecutor(settings.ollama_url, slots=1)
    every = await executor.models()
    offered = offers_of(every, settings)
    measured = [model for model in every if f"{model.name}@sha256:{model.digest}" in offered]
    if not measured:
        raise ConfigError(
            f"{settings.ollama_url} has none of the models to offer",
            hint="Fetch one with `parity-runner models pull NAME`, or correct RUNNER_MODELS.",
        )
    documents, lines = [], []
    for model in measured:
        pace = None
        async for pace in measure(executor, model, tokens=tokens):
            typer.echo(f"\r  {model.name}  {pace.tokens_per_s:.1f} tokens/s", nl=False, err=True)
        assert pace is not None
        typer.echo("\r\x1b[K", nl=False, err=True)
        price = None if per_hour is None else str(pace.price_per_1k(per_hour))
        documents.append(pace.to_json() | {"output_price": price})
        lines += lines_of_pace(pace, per_hour=per_hour)
    _print(documents, lines, as_json=as_json)


async def _register(
    settings: RunnerSettings,
    *,
    owner: LocalAccount,
    node: LocalAccount,
    stake: int = 0,
    as_json: bool = False,
) -> None:
    from protocol.sender import Sender  # noqa: PLC0415 (loads web3)
    from runner.register import register_node, stake_and_register  # noqa: PLC0415 (as above)

    async with Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain:
        label = settings.runner_label
        if stake:
            sender = Sender(chain, node)
            receipt = await stake_and_register(
                chain, owner=owner, node=node, stake=stake, label=label, sender=sender
            )
        else:
            receipt = await register_node(chain, owner=Sender(chain, owner), node=node, label=label)
        coin = await chain.w3.eth.get_balance(node.address)
        symbol = chain.network.native_symbol
    _print(
        {
            "node": node.address,
            "owner": owner.address,
            "transaction": receipt.transaction_hash,
            "block": receipt.block_number,
            "nodeCoin": str(coin),
        },
        [
            f"registered {node.address} for owner {owner.address}",
            f"transaction {receipt.transaction_hash}, block {receipt.block_number}",
            f"the node has {format_native(coin)} {symbol} for network fees",
        ],
        as_json=as_json,
    )
    if not coin:
        typer.echo(f"hint: Send it some {symbol} before you start it; it cannot claim without.", err=True)


async def _retire(
    settings: RunnerSettings, *, node: LocalAccount, owner: LocalAccount | None, as_json: bool
) -> None:
    from runner.retire import lines_of as lines_of_departure  # noqa: PLC0415 (loads web3)
    from runner.retire import retire_node  # noqa: PLC0415 (as above)

    async with Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain:
        departure = await retire_node(chain, node=node, owner=owner)
        lines = lines_of_departure(departure, native_symbol=chain.network.native_symbol)
    _print(departure.to_json(), lines, as_json=as_json)


def _print(document: object, lines: Sequence[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(document, indent=2) if as_json else "\n".join(lines))


@contextmanager
def _errors_for_people() -> Iterator[None]:
    try:
        yield
    except ParityError as error:
        typer.echo(f"error: {error}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
