"""Carry out a queued proposal: `ape run execute PROPOSAL …`."""

import click
from ape.api import AccountAPI, ProviderAPI

from protocol.enums import ProposalState
from scripts._options import chain_options, deployment_of
from scripts._proposals import ProposalNumber, read_proposal
from scripts._session import ChainCommand, Session

_HINTS = {
    ProposalState.PENDING: "Vote, queue it once the vote has closed, and execute it after the timelock's delay.",
    ProposalState.ACTIVE: "Queue it once the vote has closed, and execute it after the timelock's delay.",
    ProposalState.SUCCEEDED: "Queue it first: `ape run queue`.",
    ProposalState.QUEUED: "Come back then.",
}


@click.command(cls=ChainCommand)
@chain_options
@click.argument("proposal", type=ProposalNumber())
def cli(provider: ProviderAPI, account: AccountAPI, folder: str, proposal: int) -> None:
    """Do what PROPOSAL says, once its delay is over. Anyone may."""
    session = Session(provider=provider, account=account)
    deployment = deployment_of(session, folder)
    governor = session.contract("ParityGovernor", deployment.governor)
    session.check_sender()
    found = read_proposal(session, governor, proposal)
    if found.state is not ProposalState.QUEUED or found.eta > found.now:
        raise found.refuse(_HINTS.get(found.state, "There is nothing left to do with it."))
    transaction = session.build(governor, "execute(uint256)", proposal)
    session.send(session.tried(transaction), what="execute")
    orders = session.contract("TaskEscrow", deployment.task_escrow).latestParamsId()
    sessions = session.contract("SessionCharter", deployment.session_charter).latestParamsId()
    click.echo(
        f"Executed. New orders follow parameter version {orders}, new sessions version {sessions}; what runs keeps its own."
    )
