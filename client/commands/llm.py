"""`llm`: submit prompts, read answers, see which models are offered."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from client.commands.answers import (
    document,
    name_of,
    print_answer,
    print_provisional,
    progress_line,
    seats_line,
    wait_for_answer,
)
from client.commands.consent import placement_fee_text
from client.commands.options import Json, PlanOnly, Quorum, Relay, Replicas, TaskId, Timeout, Wait, Yes, via
from client.commands.printer import Fields, Printer, aligned, confirm, note, table, warn
from client.commands.progress import progress
from client.commands.running import command, connected, read_settings, read_task_id
from client.commands.stream import chat
from client.records import Offer, Submitted, to_json
from protocol.enums import Mode, TaskStatus
from protocol.errors import InputError
from protocol.money import format_about, format_usdfc, parse_usdfc

if TYPE_CHECKING:
    from client.ordering import Plan
    from client.parity import Parity
    from client.recent import RecentPrices

_SHOWN_PROMPT = 48

PromptText = Annotated[str, typer.Option("--prompt", "-p", help="The prompt. It will be public on IPFS.")]
ModelName = Annotated[
    str, typer.Option("--model", "-m", help="A model from `llm models`, as name or name@sha256:digest.")
]
Creator = Annotated[
    str | None,
    typer.Option(
        "--creator-address",
        metavar="ADDRESS",
        help="Refuse to sign unless the wallet has this address.",
        show_default=False,
    ),
]
ClientId = Annotated[
    str | None,
    typer.Option("--client-id", help="Name of your application, for `llm billing`.", show_default=False),
]
MaxPrice = Annotated[
    str | None,
    typer.Option(
        "--max-price",
        metavar="USDFC",
        help="Most to pay for all replicas together. It is escrowed; what is not used is refunded.",
        show_default="1.5 times the estimate",
    ),
]
MaxTokens = Annotated[
    int, typer.Option("--max-tokens", min=1, max=65_536, help="Maximum length of the answer, in tokens.")
]
ModeChoice = Annotated[
    Literal["quorum", "audited"],
    typer.Option(
        "--mode",
        help="How the answer is checked: replicas compared, or one answer that auditors may judge and you may challenge.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Language models: prompts, answers, offers.", no_args_is_help=True, rich_markup_mode=None
    )
    example = 'parity-client llm submit --prompt "What is the capital of France?" --model smollm2:135m --wait'
    command(group, "submit", example=example)(_submit)
    command(group, "get", example="parity-client llm get 0x… --wait")(_get)
    command(group, "list", example="parity-client llm list --limit 5")(_list)
    command(group, "chat", example='parity-client llm chat -p "Tell a joke." -m smollm2:135m --yes')(chat)
    command(group, "models", example="parity-client llm models")(_models)
    command(group, "billing", example="parity-client llm billing --client-id my-app")(_billing)
    app.add_typer(group, name="llm")


async def _submit(
    *,
    prompt: PromptText,
    model: ModelName,
    creator_address: Creator = None,
    client_id: ClientId = None,
    max_price: MaxPrice = None,
    max_tokens: MaxTokens = 128,
    replicas: Replicas = 1,
    quorum: Quorum = None,
    mode: ModeChoice = "quorum",
    relay: Relay = None,
    dry_run: PlanOnly = False,
    wait: Wait = False,
    timeout_s: Timeout = 300.0,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Submit a prompt: escrow a maximum price, and pay for the tokens that the answer uses.

    Prints the task's id and, with --wait, the answer, verified against the digest on chain.
    """
    settings = read_settings()
    _check_creator(creator_address)
    cap = None if max_price is None else parse_usdfc(max_price, field="--max-price")
    async with connected(settings, unlock=True) as parity:
        with progress("asking what runners offer"):
            plan = await parity.plan_prompt(
                prompt,
                model=model,
                max_price=cap,
                replicas=replicas,
                quorum=quorum,
                client_id=client_id,
                max_tokens=max_tokens,
                mode=Mode[mode.upper()],
                via=via(relay),
            )
            recent = None if yes else await parity.recent_prices(plan.estimate, replicas=replicas)
        figures = [*_figures(parity, plan), *_recent(recent)]
        if dry_run:
            value = {**to_json(plan), "recent": recent}
            Printer(as_json=as_json).result(value, text=["Not submitted:", *aligned(figures)])
            return
        _warn_of_price(plan)
        confirm("Submit a prompt", figures, yes=yes)
        with progress("submitting") as tell:
            submitted = await parity.submit_plan(plan)
            tell(f"submitted {name_of(submitted.task_id)} in block {submitted.block}")
        await _show_submitted(parity, submitted, timeout_s=timeout_s if wait else None, as_json=as_json)


async def _show_submitted(
    parity: "Parity", submitted: Submitted, *, timeout_s: float | None, as_json: bool
) -> None:
    """Print the task's id; with a `timeout_s`, wait for the answer and print it too."""
    if timeout_s is not None:
        answer = await wait_for_answer(parity, submitted.task_id, timeout_s=timeout_s)
        await print_answer(parity, submitted, answer, as_json=as_json)
        return
    name = name_of(submitted.task_id)
    note(f"the answer: parity-client llm get {name} --wait")
    Printer(as_json=as_json).result(document(submitted, None, None), text=[name])


async def _get(
    task_id: TaskId, *, wait: Wait = False, timeout_s: Timeout = 300.0, as_json: Json = False
) -> None:
    """Show a prompt's answer or its progress, read from the chain and IPFS. Works for anyone's prompts."""
    wanted = read_task_id(task_id)
    async with connected(read_settings()) as parity:
        now = await parity.progress(wanted)
        if not wait and now.status in (TaskStatus.CHALLENGEABLE, TaskStatus.DISPUTED):
            await print_provisional(parity, now, as_json=as_json)
            return
        if not wait and not now.status.is_terminal:
            Printer(as_json=as_json).result(document(now, None, None), text=[progress_line(now)])
            return
        answer = await wait_for_answer(parity, wanted, timeout_s=timeout_s)
        await print_answer(parity, await parity.progress(wanted), answer, as_json=as_json)


async def _list(
    *,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=100, help="How many to list.")] = 10,
    as_json: Json = False,
) -> None:
    """List the wallet's newest prompts, from the API's index."""
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)

    settings = read_settings()
    address = keys.address(settings)
    async with connected(settings) as parity:
        prompts = await parity.prompts(address, limit=limit)
    rows = [
        (p.id, p.status, p.model.partition("@")[0], f"{p.cost_usdfc} USDFC", _shortened(p.prompt))
        for p in prompts
    ]
    lines = (
        table(("ID", "STATUS", "MODEL", "COST", "PROMPT"), rows) if rows else [f"no prompts by {address} yet"]
    )
    Printer(as_json=as_json).result(prompts, text=lines)


async def _models(*, as_json: Json = False) -> None:
    """List the models that active runners offer, with their prices per 1,000 tokens."""
    async with connected(read_settings()) as parity:
        with progress("asking what runners offer"):
            market = await parity.models()
    if market.unread:
        warn(f"{market.unread} active runners' offers could not be read from IPFS")
    offers = sorted(market.offers, key=lambda offer: (offer.reference, offer.output_price, offer.node))
    lines = table(("MODEL", "RUNNER", "CONTEXT", "INPUT", "OUTPUT"), [_row(offer) for offer in offers])
    Printer(as_json=as_json).result(offers, text=lines if offers else ["no active runner offers a model"])


async def _billing(
    *,
    client_id: Annotated[
        str | None,
        typer.Option("--client-id", help="Only this application.", show_default=False),
    ] = None,
    creator: Annotated[
        str | None,
        typer.Option("--creator", metavar="ADDRESS", help="Only this account.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME@DIGEST", help="Only this model.", show_default=False),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days to look back.")] = 30,
    as_json: Json = False,
) -> None:
    """Sum up what prompts cost by application, account and model, from the API's index."""
    from client import keys  # noqa: PLC0415 (see _list)

    account = None if creator is None else keys.read_address(creator, field="--creator")
    async with connected(read_settings()) as parity:
        bills = await parity.billing(client_id=client_id, creator=account, model=model, days=days)
    rows = [
        (
            bill.client_id or "-",
            bill.creator,
            bill.model.partition("@")[0],
            str(bill.requests),
            f"{bill.input_tokens} / {bill.output_tokens}",
            f"{bill.cost_usdfc} USDFC",
        )
        for bill in bills
    ]
    heads = ("APPLICATION", "ACCOUNT", "MODEL", "PROMPTS", "TOKENS IN / OUT", "COST")
    lines = table(heads, rows) if rows else [f"no prompt in the last {days} days"]
    Printer(as_json=as_json).result(bills, text=lines)


def _row(offer: Offer) -> tuple[str, ...]:
    return (
        f"{offer.name}@sha256:{offer.digest[:12]}",
        f"{offer.label} {offer.node}",
        str(offer.context),
        f"{format_usdfc(offer.input_price)} USDFC",
        f"{format_usdfc(offer.output_price)} USDFC",
    )


def _check_creator(address: str | None) -> None:
    """Refuse to act for another address: an order counts only with the signature of whoever it names."""
    if address is None:
        return
    from client import keys  # noqa: PLC0415 (see _list)

    own = keys.address(read_settings())
    if keys.read_address(address, field="--creator-address") != keys.read_address(own):
        raise InputError(
            f"--creator-address: {address} is not the wallet's address, {own}",
            field="--creator-address",
            hint="The creator signs the order, so it can only be the wallet itself: leave the option out, "
            "or point PARITY_KEYSTORE at that address's key file.",
        )


def _recent(recent: "RecentPrices | None") -> Fields:
    if recent is None:
        return []
    return [
        (
            "recently",
            f"this model took {format_about(recent.per_1000_tokens)} USDFC per 1,000 tokens, by {recent.prompts} prompts",
        ),
        ("at that price", f"about {format_about(recent.expected)} USDFC for the longest answer"),
    ]


def _checked(plan: "Plan") -> str:
    order, audit = plan.order, plan.audit
    if audit is None and order.replicas == 1:
        return "not checked: you trust one runner; --replicas 3 --quorum 2 compares several answers"
    if audit is None:
        return f"{order.quorum} of {order.replicas} answers must be the same"
    return (
        f"audited with a probability of at least {audit.min_audit_bps / 100:g} %; you can challenge it; "
        f"final {audit.challenge_for} blocks after the answer"
    )


def _warn_of_price(plan: "Plan") -> None:
    if plan.order.reward < plan.estimate.expected:
        warn(
            f"the most you can pay, {format_usdfc(plan.order.reward)} USDFC, is less than the "
            f"{format_usdfc(plan.estimate.expected)} USDFC that the longest answer costs; runners may ignore it"
        )


def _figures(parity: "Parity", plan: "Plan") -> Fields:
    order, estimate = plan.order, plan.estimate
    return [
        ("model", plan.spec.model),
        (
            "price",
            f"{format_usdfc(order.input_price)} USDFC in, {format_usdfc(order.output_price)} USDFC out per 1,000 tokens",
        ),
        ("escrowed", f"{format_usdfc(order.reward)} USDFC, the most you can pay; the rest is refunded"),
        (
            "expected",
            f"at most {format_usdfc(estimate.expected)} USDFC ({estimate.input_tokens} tokens in, {estimate.output_tokens} out)",
        ),
        ("paid from", plan.funding.value),
        ("network fee", placement_fee_text(parity, plan)),
        ("seats", seats_line(order, estimate.runners)),
        ("checked", _checked(plan)),
        ("runners stake", f"{format_usdfc(order.bond)} USDFC each on the answer"),
        ("task", name_of(plan.task_id)),
        ("public", "prompt and answer will be on IPFS, readable by anyone"),
    ]


def _shortened(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= _SHOWN_PROMPT else line[: _SHOWN_PROMPT - 1] + "…"
