"""Vote on a proposal: `ape run vote PROPOSAL for|against|abstain …`."""

import click
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractInstance

from protocol.enums import ProposalState, VoteSupport
from protocol.errors import InputError
from scripts._options import chain_options, deployment_of
from scripts._proposals import Proposal, ProposalNumber, format_votes, read_proposal
from scripts._reader import PENDING_BLOCK
from scripts._session import ChainCommand, Session


@click.command(cls=ChainCommand)
@chain_options
@click.argument("proposal", type=ProposalNumber())
@click.argument("choice", type=click.Choice([support.name.lower() for support in VoteSupport]))
@click.option("--reason", default="", help="Reason, stored on chain with the vote.")
def cli(
    provider: ProviderAPI, account: AccountAPI, folder: str, proposal: int, choice: str, *, reason: str
) -> None:
    """Cast the account's votes, as many as it had when the vote opened. A vote cannot be changed."""
    session = Session(provider=provider, account=account)
    governor = session.contract("ParityGovernor", deployment_of(session, folder).governor)
    session.check_sender()
    found = read_proposal(session, governor, proposal)
    votes = _require_vote(session, governor, found)
    call = session.build(governor, "castVoteWithReason", proposal, VoteSupport[choice.upper()], reason)
    session.send(session.tried(call), what=f"vote {choice}")
    click.echo(f"{format_votes(votes)} votes {choice}")
    click.echo(f"  {read_proposal(session, governor, proposal).standing()}")


def _require_vote(session: Session, governor: ContractInstance, proposal: Proposal) -> int:
    if proposal.state is ProposalState.PENDING:
        raise proposal.refuse("Vote then.")
    if proposal.state is not ProposalState.ACTIVE:
        raise proposal.refuse(
            "Its vote is over; the next step, if there is one, is `ape run queue` or `execute`."
        )
    who = session.account.address
    if governor.hasVoted(proposal.number, who):
        raise InputError(
            f"{who} has already voted on this proposal",
            field="--account",
            hint="A vote cannot be changed. Vote with another account, if you hold one.",
        )
    votes = int(governor.getVotes(who, proposal.opens, block_id=PENDING_BLOCK))
    if not votes:
        raise InputError(
            f"{who} had no votes when this vote opened",
            field="--account",
            hint="For the next proposal, delegate the account's tokens to itself before: `ape run delegate`.",
        )
    return votes
