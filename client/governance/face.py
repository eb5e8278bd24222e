"""`Parity.governance`: proposals, and each step of theirs. A step out of its time says when its time is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from client.errors import OutOfTurn
from client.governance.agenda import Agenda, draw_up
from client.governance.proposals import (
    NEXT_BLOCK,
    Proposal,
    governor_of,
    next_time,
    read_proposal,
    read_proposals,
)
from client.money import transaction
from client.records import Transaction
from client.signer import Signer, signed_by
from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.enums import ProposalState, VoteSupport
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from web3.contract import AsyncContract
    from web3.contract.async_contract import AsyncContractFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Proposals and votes. Votes are base units of ParityToken; a proposal is named by the governor's number.

    Methods that sign raise `OutOfTurn` with the reason where a step cannot be taken now, and `TransactionReverted`.
    """

    chain: Chain
    signer: Signer | None = field(default=None, repr=False)

    async def proposals(self, *, limit: int = 10) -> tuple[Proposal, ...]:
        """List the newest proposals, the newest first."""
        return await read_proposals(self.chain, limit=limit)

    async def proposal(self, proposal_id: int) -> Proposal:
        """Read one proposal; `TransactionReverted` if there is none of this id."""
        return await read_proposal(self.chain, proposal_id)

    async def votes(self, account: str | None = None) -> int:
        """Return how many votes an account has now: of its tokens and others', as delegated."""
        token = self._token().functions
        return int(await self.chain.call(token.getVotes(account or self._address)))

    async def agenda(self, wanted: Mapping[str, int]) -> Agenda:
        """Draw up what a proposal would call, by names such as `fee-bps`, without signing; `InputError`, `OutOfTurn`."""
        agenda = await draw_up(self.chain, wanted)
        await self._require_votes_to_propose()
        return agenda

    async def propose(self, agenda: Agenda, *, description: str | None = None) -> tuple[int, Transaction]:
        """Propose an agenda; gives the proposal's number."""
        # The suffix keeps others from proposing the same first, and cancelling it.
        text = f"{description or 'Change ' + agenda.changes} #proposer={self._address}"
        call = governor_of(self.chain).functions.propose(
            list(agenda.targets), [0] * len(agenda.calls), list(agenda.calls), text
        )
        number = await self.chain.call(call, sender=self._address, block=NEXT_BLOCK)
        return int(number), await self._send(call, "propose")

    async def check_vote(self, proposal_id: int) -> int:
        """Return how many votes this account can cast on a proposal now, without signing."""
        found, governor = await self.proposal(proposal_id), governor_of(self.chain).functions
        _require(found, ProposalState.ACTIVE)
        if await self.chain.call(governor.hasVoted(proposal_id, self._address)):
            raise OutOfTurn(f"{self._address} has already voted", hint="A vote cannot be changed.")
        had = int(await self.chain.call(governor.getVotes(self._address, found.opens_at), block=NEXT_BLOCK))
        if not had:
            raise OutOfTurn(
                f"{self._address} had no votes when this vote opened",
                hint="For the next one, delegate the account's tokens to itself before: parity-client gov delegate.",
            )
        return had

    async def vote(self, proposal_id: int, support: VoteSupport, *, reason: str = "") -> Transaction:
        """Cast all of the account's votes; it cannot be changed."""
        await self.check_vote(proposal_id)
        call = governor_of(self.chain).functions.castVoteWithReason(proposal_id, support, reason)
        return await self._send(call, "vote")

    async def queue(self, proposal_id: int) -> Transaction:
        """Put a proposal that has passed into the timelock. Anybody may."""
        _require(await self.proposal(proposal_id), ProposalState.SUCCEEDED)
        call = governor_of(self.chain).get_function_by_signature("queue(uint256)")(proposal_id)
        return await self._send(call, "queue")

    async def execute(self, proposal_id: int) -> Transaction:
        """Execute a queued proposal whose delay is over. Anybody may."""
        found = await self.proposal(proposal_id)
        _require(found, ProposalState.QUEUED)
        if (found.executable_at or 0) > found.now:
            raise OutOfTurn(found.standing(), hint="Execute it then.")
        call = governor_of(self.chain).get_function_by_signature("execute(uint256)")(proposal_id)
        return await self._send(call, "execute")

    async def delegate(self, to: str | None = None) -> Transaction:
        """Let the account's tokens count as votes of another, or of the account itself. The tokens stay where they are."""
        target = self.chain.w3.to_checksum_address(to or self._address)
        return await self._send(self._token().functions.delegate(target), "delegate")

    @property
    def _address(self) -> str:
        return str(signed_by(self.signer).account.address)

    def _token(self) -> "AsyncContract":
        place = self.chain.w3.to_checksum_address(self.chain.deployment.parity_token)
        return self.chain.w3.eth.contract(address=place, abi=load_abi("ParityToken"))

    async def _require_votes_to_propose(self) -> None:
        governor = governor_of(self.chain).functions
        threshold = await self.chain.call(governor.proposalThreshold())
        moment = await next_time(self.chain) - 1
        have = await self.chain.call(governor.getVotes(self._address, moment), block=NEXT_BLOCK)
        if have < threshold:
            raise OutOfTurn(
                f"{self._address} has {format_usdfc(have)} votes and proposing takes {format_usdfc(threshold)}",
                hint="Votes of tokens count for whom their holder has delegated to: parity-client gov delegate.",
            )

    async def _send(self, call: "AsyncContractFunction", label: str) -> Transaction:
        return transaction(await signed_by(self.signer).sender.send(call, label=label), label)


def _require(found: Proposal, state: ProposalState) -> None:
    if found.state is not state:
        raise OutOfTurn(found.standing(), hint=f"This step is for a proposal that is {state.name.lower()}.")
