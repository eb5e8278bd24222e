"""Proposals as the governor sees them now. Votes are base units of ParityToken (10^-18), times Unix seconds."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from client.records import Unit
from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.enums import ProposalState
from protocol.money import format_usdfc

if TYPE_CHECKING:
    from web3.contract import AsyncContract

Votes = Annotated[int, Unit.VOTES]
ProposalId = Annotated[int, Unit.NUMBER]
NEXT_BLOCK = "pending"
"""A proposal's state depends on the time, and a transaction meets that of the next block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedCall:
    """One call of a proposal; contract, function and arguments are `None` where it is none of the protocol's."""

    target: str
    contract: str | None
    function: str | None
    arguments: Mapping[str, Any] | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal at the next block's time, `now`. `quorum` is `None` until the vote opens, `executable_at` until it is queued."""

    proposal_id: ProposalId
    proposer: str
    state: ProposalState
    now: int
    opens_at: int
    closes_at: int
    executable_at: int | None
    votes_for: Votes
    votes_against: Votes
    votes_abstain: Votes
    quorum: Annotated[int | None, Unit.VOTES]
    calls: tuple[ProposedCall, ...]

    def standing(self) -> str:
        """Return in one sentence how the proposal stands."""
        executable = self.executable_at or 0
        sentences = {
            ProposalState.PENDING: f"the vote is not open yet: it opens {self._at(self.opens_at)}",
            ProposalState.ACTIVE: f"the vote is open until {self._at(self.closes_at)}; so far {self.tally()}",
            ProposalState.DEFEATED: f"the proposal is defeated: {self.tally()}",
            ProposalState.SUCCEEDED: f"the proposal has passed and is not queued yet: {self.tally()}",
            ProposalState.QUEUED: "the proposal is queued and may be executed "
            + (f"from {self._at(executable)}" if executable > self.now else "now"),
        }
        return sentences.get(self.state, f"the proposal is {self.state.name.lower()}")

    def tally(self) -> str:
        """Return the votes cast, beside those needed."""
        cast = (
            f"{format_usdfc(self.votes_for)} for, {format_usdfc(self.votes_against)} against, "
            f"{format_usdfc(self.votes_abstain)} abstain"
        )
        return cast if self.quorum is None else f"{cast} (quorum {format_usdfc(self.quorum)})"

    def _at(self, moment: int) -> str:
        moment_utc = datetime.fromtimestamp(moment, UTC)
        return f"{moment_utc:%Y-%m-%d %H:%M:%S} UTC, in {max(moment - self.now, 0):,} s"


def governor_of(chain: Chain) -> "AsyncContract":
    """Return the governor's contract."""
    place = chain.w3.to_checksum_address(chain.deployment.governor)
    return chain.w3.eth.contract(address=place, abi=load_abi("ParityGovernor"))


async def next_time(chain: Chain) -> int:
    """Return the time that a transaction sent now would meet, Unix seconds."""
    return int((await chain.w3.eth.get_block("pending"))["timestamp"])


async def read_proposals(chain: Chain, *, limit: int) -> tuple[Proposal, ...]:
    """Read the newest proposals, the newest first."""
    governor = governor_of(chain)
    count = await chain.call(governor.functions.proposalCount())
    numbers = range(count - 1, max(count - 1 - limit, -1), -1)
    details = await asyncio.gather(
        *(chain.call(governor.functions.proposalDetailsAt(number)) for number in numbers)
    )
    return tuple(await asyncio.gather(*(read_proposal(chain, found[0]) for found in details)))


async def read_proposal(chain: Chain, proposal_id: int) -> Proposal:
    """Read one proposal; `TransactionReverted` in the governor's words if there is none of this id."""
    governor = governor_of(chain)
    state = ProposalState(await chain.call(governor.functions.state(proposal_id), block=NEXT_BLOCK))
    names = ("proposalDetails", "proposalProposer", "proposalVotes", "proposalSnapshot", "proposalDeadline")
    details, proposer, votes, opens, closes, eta, now = await asyncio.gather(
        *(chain.call(getattr(governor.functions, name)(proposal_id)) for name in (*names, "proposalEta")),
        next_time(chain),
    )
    against, in_favour, abstain = votes
    known = state is not ProposalState.PENDING
    return Proposal(
        proposal_id=proposal_id,
        proposer=proposer,
        state=state,
        now=now,
        opens_at=opens,
        closes_at=closes,
        executable_at=eta or None,
        votes_for=in_favour,
        votes_against=against,
        votes_abstain=abstain,
        # The supply at a moment to come, of which the quorum is a share, is not known before it.
        quorum=await chain.call(governor.functions.quorum(opens), block=NEXT_BLOCK) if known else None,
        calls=_decoded(chain, details[0], details[2]),
    )


def _decoded(chain: Chain, targets: Sequence[str], calls: Sequence[bytes]) -> tuple[ProposedCall, ...]:
    where = chain.deployment
    contracts = {
        where.task_escrow: "TaskEscrow",
        where.audit_court: "AuditCourt",
        where.session_charter: "SessionCharter",
        where.stake_wallet: "StakeWallet",
        where.governor: "ParityGovernor",
        where.timelock: "ParityTimelock",
        where.access_manager: "ParityAccessManager",
    }
    return tuple(
        _call(chain, target, bytes(data), contract=contracts.get(target))
        for target, data in zip(targets, calls, strict=True)
    )


def _call(chain: Chain, target: str, data: bytes, *, contract: str | None) -> ProposedCall:
    function: str | None = None
    arguments: Mapping[str, Any] | None = None
    if contract is not None:
        try:
            found, given = chain.w3.eth.contract(abi=load_abi(contract)).decode_function_input(data)
        except ValueError:
            pass  # a call of something that the contract does not have: shown as data
        else:
            function, arguments = found.fn_name, {name: _plain(value) for name, value in given.items()}
    return ProposedCall(target=target, contract=contract, function=function, arguments=arguments, data=data)


def _plain(value: Any) -> Any:
    """Write a decoded argument as JSON that no reader rounds: integers as strings, bytes as hex."""
    match value:
        case bytes():
            return "0x" + value.hex()
        case bool():
            return value
        case int():
            return str(value)
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return value
