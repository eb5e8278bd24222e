"""`gov`: proposals on the network's parameters, and votes."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from client.commands.consent import agreed
from client.commands.options import DryRun, Json, Yes
from client.commands.printer import Fields, Printer, aligned, table
from client.commands.progress import progress
from client.commands.running import command, connected, read_node, read_settings
from client.records import Transaction
from protocol.enums import VoteSupport
from protocol.errors import InputError
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from client.governance import Proposal
    from client.parity import Parity

Number = Annotated[
    str,
    typer.Argument(
        metavar="PROPOSAL", help="The proposal's number, as `gov list` shows it.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(
        help="Change the network's parameters by votes of ParityToken.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    command(group, "list", example="parity-client gov list")(_list)
    command(group, "show", example="parity-client gov show 7751…")(_show)
    example = 'parity-client gov propose --set fee-bps=300 --description "Raise the fee to 3%"'
    command(group, "propose", example=example)(_propose)
    command(group, "vote", example='parity-client gov vote 7751… for --reason "It pays for audits"')(_vote)
    command(group, "queue", example="parity-client gov queue 7751…")(_queue)
    command(group, "execute", example="parity-client gov execute 7751…")(_execute)
    command(group, "delegate", example="parity-client gov delegate")(_delegate)
    app.add_typer(group, name="gov")


async def _list(
    *,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=20, help="How many to list.")] = 10,
    as_json: Json = False,
) -> None:
    """List the newest proposals and their state, read from the chain."""
    async with connected(read_settings()) as parity:
        found = await parity.governance.proposals(limit=limit)
    rows = [(str(each.proposal_id), each.state.name.lower(), _changes(each)) for each in found]
    lines = table(("PROPOSAL", "STATE", "CALLS"), rows) if rows else ["no proposal yet"]
    Printer(as_json=as_json).result(found, text=lines)


async def _show(proposal: Number, *, as_json: Json = False) -> None:
    """Show one proposal: its calls, its votes, and what comes next."""
    number = _number(proposal)
    async with connected(read_settings()) as parity:
        found = await parity.governance.proposal(number)
    fields: Fields = [
        ("proposal", str(found.proposal_id)),
        ("by", found.proposer),
        ("standing", found.standing()),
        ("votes", found.tally()),
        *(("calls", _call(found, place)) for place in range(len(found.calls))),
    ]
    Printer(as_json=as_json).result(found, text=aligned(fields))


async def _propose(
    *,
    settings: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A parameter and its new value; can be repeated. Windows are in blocks, shares in basis points. "
            "An unknown name lists all parameters.",
        ),
    ],
    description: Annotated[
        str | None,
        typer.Option("--description", help="The reason, for voters to read.", show_default="what changes"),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Propose the newest parameters with some of them changed, as a new version.

    Refuses right away what the contracts would refuse later. Running tasks keep the version they were ordered under.
    """
    wanted = dict(_setting(text) for text in settings)
    async with connected(read_settings(), unlock=True) as parity:
        with progress("trying the change"):
            agenda = await parity.governance.agenda(wanted)
        fields = [("changes", agenda.changes), ("calls", str(len(agenda.calls)))]
        if not await agreed(
            parity,
            "Propose",
            fields,
            lambda rehearsed: rehearsed.governance.propose(agenda, description=description),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=agenda,
        ):
            return
        with progress("proposing"):
            number, done = await parity.governance.propose(agenda, description=description)
        found = await parity.governance.proposal(number)
    value = {"proposal": found, "transaction": done}
    Printer(as_json=as_json).result(value, text=[str(number), f"  {agenda.changes}; {found.standing()}"])


async def _vote(
    proposal: Number,
    choice: Annotated[
        Literal["for", "against", "abstain"], typer.Argument(help="Your vote.", show_default=False)
    ],
    *,
    reason: Annotated[str, typer.Option("--reason", help="The reason; stored on chain.")] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Cast all votes that the wallet had when the vote opened. A vote cannot be changed."""
    number = _number(proposal)
    async with connected(read_settings(), unlock=True) as parity:
        votes = await parity.governance.check_vote(number)
        support = VoteSupport[choice.upper()]
        if not await agreed(
            parity,
            "Vote",
            [("proposal", proposal), ("votes", f"{format_usdfc(votes)} {choice}; it cannot be changed")],
            lambda rehearsed: rehearsed.governance.vote(number, support, reason=reason),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"proposalId": str(number), "votes": str(votes), "support": choice},
        ):
            return
        with progress("voting"):
            done = await parity.governance.vote(number, support, reason=reason)
        found = await parity.governance.proposal(number)
    _print_step(done, found, as_json=as_json)


async def _queue(
    proposal: Number, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Queue a passed proposal in the timelock. Anyone can."""
    await _step(proposal, "queue", dry_run=dry_run, yes=yes, as_json=as_json)


async def _execute(
    proposal: Number, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Execute a queued proposal after the timelock's delay. Anyone can."""
    await _step(proposal, "execute", dry_run=dry_run, yes=yes, as_json=as_json)


async def _delegate(
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="[ADDRESS]", help="Whom to delegate to; the wallet itself by default.", show_default=False
        ),
    ] = None,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delegate the votes of the wallet's ParityToken to an address. The tokens stay where they are."""
    async with connected(read_settings(), unlock=True) as parity:
        target = parity.address if address is None else read_node(address, field="ADDRESS")
        if not await agreed(
            parity,
            "Delegate votes",
            [("to", target)],
            lambda rehearsed: rehearsed.governance.delegate(target),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"delegate": target},
        ):
            return
        with progress("delegating"):
            done = await parity.governance.delegate(target)
        votes = await parity.governance.votes(target)
    value = {"delegate": target, "votes": str(votes), "transaction": done}
    Printer(as_json=as_json).result(value, text=[f"{target} has {format_usdfc(votes)} votes"])


async def _step(
    proposal: str, what: Literal["queue", "execute"], *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    number = _number(proposal)
    async with connected(read_settings(), unlock=True) as parity:
        before = await parity.governance.proposal(number)
        if not await agreed(
            parity,
            f"{what.capitalize()} a proposal",
            [("proposal", proposal), ("calls", _changes(before))],
            lambda rehearsed: _taken(rehearsed, what, number),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=before,
        ):
            return
        with progress(f"{what.removesuffix('e')}ing"):
            done = await _taken(parity, what, number)
        found = await parity.governance.proposal(number)
    _print_step(done, found, as_json=as_json)


async def _taken(parity: "Parity", what: Literal["queue", "execute"], number: int) -> Transaction:
    step = parity.governance.queue if what == "queue" else parity.governance.execute
    return await step(number)


def _print_step(done: Transaction, found: "Proposal", *, as_json: bool) -> None:
    text = [f"{done.label}: block {done.block}, transaction {done.transaction_hash}", f"  {found.standing()}"]
    Printer(as_json=as_json).result({"proposal": found, "transaction": done}, text=text)


def _changes(found: "Proposal") -> str:
    return ", ".join(f"{call.contract or call.target}.{call.function or '?'}" for call in found.calls)


def _call(found: "Proposal", place: int) -> str:
    call = found.calls[place]
    if call.arguments is None:
        return f"{call.target} with 0x{call.data.hex()}"
    given = ", ".join(f"{name} = {value}" for name, value in call.arguments.items())
    return f"{call.contract}.{call.function}({given})"


def _number(text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number < 2**256:
        raise InputError(
            f"PROPOSAL: {text!r:.80} is not a proposal's number",
            field="PROPOSAL",
            hint="Use it as `parity-client gov list` shows it.",
        )
    return number


def _setting(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not (value.isascii() and value.isdigit()):
        raise InputError(
            f"--set: {text!r:.80} is not NAME=VALUE with a whole number",
            field="--set",
            hint="For example --set fee-bps=300.",
        )
    return name.strip(), int(value)
