"""Propose new parameters: `ape run propose --fee-bps 300 --description "Raise the fee" …`."""

import click
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractInstance

from protocol.deployment import Deployment
from protocol.errors import InputError
from scripts._agenda import agenda_of, change_options
from scripts._options import chain_options, deployment_of
from scripts._proposals import format_votes, now, read_proposal
from scripts._reader import PENDING_BLOCK
from scripts._session import ChainCommand, Session


@click.command(cls=ChainCommand)
@chain_options
@click.option("--description", help="Why; voters read it. By default, what changes.")
@change_options
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    folder: str,
    description: str | None,
    **chosen: int | None,
) -> None:
    """Propose the latest parameters with what the options change, as a new version.

    A version of task parameters comes with its rules of audits, --session- options make one of session parameters. Windows
    are blocks, shares basis points; docs/reference/contracts says what each means.
    """
    session = Session(provider=provider, account=account)
    deployment = deployment_of(session, folder)
    session.check_sender()
    governor = session.contract("ParityGovernor", deployment.governor)
    agenda = agenda_of(session, deployment, chosen)
    _require_votes(session, governor, deployment)
    # The suffix keeps others from proposing the same first, and cancelling it.
    text = f"{description or 'Change ' + agenda.changes} #proposer={account.address}"
    values = [0] * len(agenda.calls)
    transaction = session.build(governor, "propose", agenda.targets, values, agenda.calls, text)
    number = int.from_bytes(
        session.simulate(governor.address, bytes(transaction.data), sender=account.address)
    )
    session.send(session.tried(transaction), what="propose")
    click.echo(f"Proposal {number}")
    click.echo(f"  {agenda.changes}; {read_proposal(session, governor, number).standing()}")


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
