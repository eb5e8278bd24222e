"""Queue a passed proposal in the timelock: `ape run queue PROPOSAL …`."""

import click
from ape.api import AccountAPI, ProviderAPI

from protocol.enums import ProposalState
from scripts._options import chain_options, deployment_of
from scripts._proposals import ProposalNumber, read_proposal
from scripts._session import ChainCommand, Session

_HINTS = {
    ProposalState.PENDING: "Vote, and queue it once the vote has closed.",
    ProposalState.ACTIVE: "Queue it once the vote has closed.",
    ProposalState.QUEUED: "The next step is `ape run execute`.",
    ProposalState.DEFEATED: "It takes more votes for than against, and a quorum of votes for or abstaining. Propose again.",
}


@click.command(cls=ChainCommand)
@chain_options
@click.argument("proposal", type=ProposalNumber())
def cli(provider: ProviderAPI, account: AccountAPI, folder: str, proposal: int) -> None:
    """Start the delay after which PROPOSAL may be executed. Anyone may."""
    session = Session(provider=provider, account=account)
    governor = session.contract("ParityGovernor", deployment_of(session, folder).governor)
    session.check_sender()
    found = read_proposal(session, governor, proposal)
    if found.state is not ProposalState.SUCCEEDED:
        raise found.refuse(_HINTS.get(found.state, "There is nothing left to do with it."))
    transaction = session.build(governor, "queue(uint256)", proposal)
    session.send(session.tried(transaction), what="queue")
    click.echo(read_proposal(session, governor, proposal).standing())
