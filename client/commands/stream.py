"""The streaming path: `gateway`, `llm chat`, and the channels that pay for both."""

import os
import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.options import DryRun, Json, Yes
from client.commands.printer import Printer, aligned, confirm, note, table, write
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings
from client.foreseen import Foreseen, foresee
from protocol.money import format_native, format_usdfc, parse_usdfc

if TYPE_CHECKING:
    from client.gateway.book import Entry
    from client.gateway.lines import Budget
    from client.parity import Parity

_NEW_CHANNEL = (Foreseen.OPEN_CHANNEL, Foreseen.CLOSE_CHANNEL, Foreseen.COLLECT_CHANNEL)
_TOKEN_VARIABLE = "PARITY_GATEWAY_TOKEN"  # noqa: S105 (the variable's name)

Deposit = Annotated[
    str, typer.Option("--deposit", metavar="USDFC", help="Deposit for each new channel to a runner.")
]
MostInAll = Annotated[
    str, typer.Option("--budget", metavar="USDFC", help="Most to have locked in channels at any time.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "gateway", example="parity-client gateway --port 8900 --yes")(_gateway)
    group = typer.Typer(help="Payment channels to runners.", no_args_is_help=True, rich_markup_mode=None)
    command(group, "list", example="parity-client channel list")(_list)
    command(group, "close", example="parity-client channel close --yes")(_close)
    app.add_typer(group, name="channel")


async def _gateway(
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port to listen on.")] = 8900,
    deposit: Deposit = "1",
    budget: MostInAll = "5",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Serve an OpenAI-compatible API on this machine, answered and paid through the network.

    Prompts go straight to a runner over a payment channel, which the first prompt opens; they are not public. Point any
    tool's base URL here, and give it the printed key (or the one in PARITY_GATEWAY_TOKEN).
    """
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)
    from client.gateway.serving import opened_lines, serve  # noqa: PLC0415 (see above)

    settings = read_settings()
    limits = _budget(deposit, budget)
    token = os.environ.get(_TOKEN_VARIABLE) or secrets.token_urlsafe(24)
    account = keys.unlock(settings)
    async with connected(settings) as parity:
        fee = await foresee(parity.chain, account.address, *_NEW_CHANNEL)
        fields = [
            ("account", account.address),
            ("each new channel", f"{format_usdfc(limits.deposit)} USDFC"),
            ("most in channels", f"{format_usdfc(limits.total)} USDFC"),
            _new_channel_fee(parity, fee),
        ]
        if dry_run:
            value = {
                "dryRun": True,
                **_amount("deposit", limits.deposit),
                **_amount("budget", limits.total),
                "networkFee": str(fee),
            }
            Printer(as_json=as_json).result(value, text=["Not started:", *aligned(fields)])
            return
        confirm("Open channels as prompts need them", fields, yes=yes)
        async with opened_lines(parity, account, limits, keystore=settings.keystore) as lines:
            given = _TOKEN_VARIABLE in os.environ
            document = {"baseUrl": f"http://{host}:{port}/v1", "apiKey": None if given else token}
            Printer(as_json=as_json).result(document, text=[])
            note(f"OPENAI_BASE_URL=http://{host}:{port}/v1")
            note(f"OPENAI_API_KEY=${_TOKEN_VARIABLE}" if given else f"OPENAI_API_KEY={token}")
            await serve(lines, host=host, port=port, token=token)


async def chat(
    *,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="The prompt. Only the runner sees it.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A model from `llm models`.")],
    system: Annotated[
        str | None,
        typer.Option("--system", help="System instructions that precede the prompt.", show_default=False),
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, max=65_536, help="Longest answer.")] = 256,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0, max=2, help="Sampling temperature; 0 is deterministic.")
    ] = 0.0,
    deposit: Deposit = "1",
    budget: MostInAll = "5",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Ask a runner directly and stream its answer, paid by vouchers from a payment channel."""
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)
    from client.gateway.serving import opened_lines  # noqa: PLC0415 (see above)

    settings = read_settings()
    limits = _budget(deposit, budget)
    account = keys.unlock(settings)
    turns = _turns(prompt, system=system)
    wanted = {"model": model, "max_tokens": max_tokens, "temperature": temperature}
    async with connected(settings) as parity:
        fee = await foresee(parity.chain, account.address, *_NEW_CHANNEL)
        locked = f"{format_usdfc(limits.deposit)} USDFC, of which a voucher pays what is used"
        fields = [("model", model), ("each new channel", locked), _new_channel_fee(parity, fee)]
        if dry_run:
            value = {"dryRun": True, "model": model, **_amount("deposit", limits.deposit)}
            value["networkFee"] = str(fee)
            Printer(as_json=as_json).result(value, text=["Not asked:", *aligned(fields)])
            return
        confirm("Ask over a channel", fields, yes=yes)
        texts: list[str] = []
        async with opened_lines(parity, account, limits, keystore=settings.keystore) as lines:
            async for chunk in lines.ask({**wanted, "messages": turns, "stream": True}, turns):
                texts.append(chunk.text)
                if not as_json:
                    write(chunk.text)
        Printer(as_json=as_json).result({"model": model, "answer": "".join(texts)}, text=[""])


def _turns(prompt: str, *, system: str | None) -> list[dict[str, str]]:
    before = [{"role": "system", "content": system}] if system else []
    return [*before, {"role": "user", "content": prompt}]


async def _list(*, as_json: Json = False) -> None:
    """List the wallet's open channels, from its own book."""
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)
    from client.gateway.book import Book  # noqa: PLC0415 (see above)
    from client.gateway.serving import book_path  # noqa: PLC0415 (see above)

    settings = read_settings()
    deployment = settings.deployment()
    path = book_path(
        settings.keystore,
        chain_id=deployment.chain_id,
        genesis_hash=deployment.genesis_hash,
        account=keys.address(settings),
    )
    entries = Book.read(path.absolute())
    rows = [
        (
            "0x" + entry.channel_id.hex()[:16],
            entry.channel.node,
            f"{format_usdfc(entry.deposited)} USDFC",
            f"{format_usdfc(entry.promised)} USDFC",
            "closing" if entry.closing else "open",
        )
        for entry in entries
    ]
    lines = table(("CHANNEL", "RUNNER", "DEPOSIT", "PROMISED", "STATE"), rows) if rows else ["no channels"]
    Printer(as_json=as_json).result([_document(entry) for entry in entries], text=lines)


async def _close(*, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False) -> None:
    """Ask for what is left in every channel, and take back what is due already.

    The runner has the close delay to redeem its last voucher; run the command again after it to collect.
    """
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)
    from client.gateway.serving import opened_channels  # noqa: PLC0415 (see above)

    settings = read_settings()
    account = keys.unlock(settings)
    async with (
        connected(settings) as parity,
        opened_channels(parity, account, keystore=settings.keystore) as channels,
    ):
        entries = [entry for entry in channels.book.entries() if not entry.closing]
        left = sum(entry.left for entry in entries)
        shown = [("channels", str(len(entries))), ("left", f"{format_usdfc(left)} USDFC")]
        closing = [entry for entry in channels.book.entries() if entry.closing]
        if closing:
            due = format_usdfc(sum(entry.left for entry in closing))
            shown.append(("closing already", f"{len(closing)}, with {due} USDFC to collect when it is time"))
        calls = [Foreseen.CLOSE_CHANNEL] * len(entries) + [Foreseen.COLLECT_CHANNEL] * (
            len(entries) + len(closing)
        )
        fee = await foresee(parity.chain, account.address, *calls)
        shown.append(("network fee", f"about {_coin(parity, fee)} to close them and to collect what is left"))
        if dry_run:
            value = {"dryRun": True, "channels": len(entries), **_amount("left", left)}
            value["networkFee"] = str(fee)
            Printer(as_json=as_json).result(value, text=["Not closed:", *aligned(shown)])
            return
        confirm("Close channels", shown, yes=yes)
        with progress("closing"):
            collected = await channels.collect()
            dates = [await channels.close(entry) for entry in channels.book.entries()]
        until = max((date for date in dates if date is not None), default=None)
    document = {
        "closing": len(entries),
        **_amount("collected", collected),
        "collectableFromBlock": until,
    }
    fields = [("collected", f"{format_usdfc(collected)} USDFC"), ("closing", str(len(entries)))]
    if until is not None:
        fields.append(("run again after block", str(until)))
    Printer(as_json=as_json).result(document, text=aligned(fields))


def _new_channel_fee(parity: "Parity", fee: int) -> tuple[str, str]:
    return (
        "network fee",
        f"about {_coin(parity, fee)} for each new channel, to open, close and collect it; none for a prompt",
    )


def _coin(parity: "Parity", amount: int) -> str:
    return f"{format_native(amount)} {parity.chain.network.native_symbol}"


def _document(entry: "Entry") -> dict[str, object]:
    return {
        "channelId": "0x" + entry.channel_id.hex(),
        "node": entry.channel.node,
        "owner": entry.channel.owner,
        **_amount("deposited", entry.deposited),
        **_amount("promised", entry.promised),
        **_amount("spent", entry.spent),
        "closing": entry.closing,
    }


def _amount(name: str, units: int) -> dict[str, str]:
    return {name: str(units), f"{name}Usdfc": format_usdfc(units)}


def _budget(deposit: str, total: str) -> "Budget":
    from client.gateway.lines import Budget  # noqa: PLC0415 (see above)

    return Budget(deposit=parse_usdfc(deposit, field="--deposit"), total=parse_usdfc(total, field="--budget"))
