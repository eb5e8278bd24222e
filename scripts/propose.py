"""Propose new task parameters: `ape run propose --fee-bps 300 --description "Raise the fee" …`."""

import re
from collections.abc import Callable
from typing import Any

import click
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractInstance

from protocol.deployment import Deployment
from protocol.errors import InputError
from scripts._encoding import encode_call, function_of
from scripts._options import chain_options, deployment_of
from scripts._proposals import format_votes, now, read_proposal
from scripts._reader import PENDING_BLOCK
from scripts._session import ChainCommand, Session

FIELDS: list[dict[str, Any]] = function_of("TaskEscrow", "addParams")["inputs"][0]["components"]


def _parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each field of TaskEscrow's parameters, within what its type can hold."""
    for field in reversed(FIELDS):
        bits = int(field["type"].removeprefix("uint"))
        option = re.sub(r"(?=[A-Z])", "-", field["name"]).lower()
        command = click.option(f"--{option}", field["name"], type=click.IntRange(0, 2**bits - 1))(command)
    return command


@click.command(cls=ChainCommand)
@chain_options
@click.option("--description", help="Why; voters read it. By default, what changes.")
@_parameter_options
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    folder: str,
    description: str | None,
    **chosen: int | None,
) -> None:
    """Propose the latest parameters with what the options change, as a new version.

    Windows are blocks, shares basis points; docs/reference/contracts/TaskEscrow.md says what each means.
    """
    session = Session(provider=provider, account=account)
    deployment = deployment_of(session, folder)
    session.check_sender()
    escrow = session.contract("TaskEscrow", deployment.task_escrow)
    governor = session.contract("ParityGovernor", deployment.governor)
    latest = tuple(int(value) for value in escrow.paramsOf(escrow.latestParamsId()))
    params, changes = _changed(latest, chosen)
    _require_votes(session, governor, deployment)
    call = encode_call("TaskEscrow", "addParams", params)
    # What the escrow would refuse in the end is better refused before the vote.
    session.simulate(deployment.task_escrow, call, sender=deployment.timelock)
    # The suffix keeps others from proposing the same first, and cancelling it.
    text = f"{description or 'Change ' + changes} #proposer={account.address}"
    transaction = session.build(governor, "propose", [deployment.task_escrow], [0], [call], text)
    number = int.from_bytes(
        session.simulate(governor.address, bytes(transaction.data), sender=account.address)
    )
    session.send(session.tried(transaction), what="propose")
    click.echo(f"Proposal {number}")
    click.echo(f"  {changes}; {read_proposal(session, governor, number).standing()}")


def _changed(latest: tuple[int, ...], chosen: dict[str, int | None]) -> tuple[tuple[int, ...], str]:
    params, changes = [], []
    for field, old in zip(FIELDS, latest, strict=True):
        new = chosen[field["name"]]
        params.append(old if new is None else new)
        if new is not None and new != old:
            changes.append(f"{field['name']} from {old} to {new}")
    if not changes:
        raise InputError(
            "nothing would change",
            field="options",
            hint="Give a parameter another value, such as --fee-bps 300.",
        )
    return tuple(params), ", ".join(changes)


def _require_votes(session: Session, governor: ContractInstance, deployment: Deployment) -> None:
    """Refuse a proposer with too few votes; the governor asks for those of a second ago."""
    who = session.account.address
    threshold = int(governor.proposalThreshold())
    have = int(governor.getVotes(who, now(session) - 1, block_id=PENDING_BLOCK))
    if have >= threshold:
        return
    held = int(session.contract("ParityToken", deployment.parity_token).balanceOf(who))
    remedy = "Votes of tokens count for whom their holder has delegated to: `ape run delegate`."
    if held < threshold:
        remedy = (
            "Ask holders of ParityToken to delegate to you (`ape run delegate ADDRESS`), or one to propose."
        )
    raise InputError(
        f"{who} has {format_votes(have)} votes and proposing takes {format_votes(threshold)}",
        field="--account",
        hint=remedy,
    )
