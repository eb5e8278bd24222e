"""One proposal as the governor sees it now, and in words why a step with it has to wait or is no more."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from ape.contracts import ContractInstance

from protocol.enums import ProposalState, VoteSupport
from protocol.errors import InputError
from scripts._encoding import encode_call
from scripts._profiles import VOTE
from scripts._reader import PENDING_BLOCK, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Times are Unix seconds; votes base units. `eta` is 0 until it is queued."""

    number: int
    state: ProposalState
    now: int
    opens: int
    closes: int
    eta: int
    votes: dict[VoteSupport, int]
    quorum: int | None

    def refuse(self, hint: str) -> InputError:
        """Return how the proposal stands, as the reason why something cannot be done."""
        return InputError(self.standing(), field="PROPOSAL", hint=hint)

    def standing(self) -> str:
        """Return in one sentence how the proposal stands."""
        sentences = {
            ProposalState.PENDING: f"the vote is not open yet: it opens {self._at(self.opens)}",
            ProposalState.ACTIVE: f"the vote is open until {self._at(self.closes)}; so far {self.tally()}",
            ProposalState.DEFEATED: f"the proposal is defeated: {self.tally()}",
            ProposalState.SUCCEEDED: f"the proposal has passed and is not queued yet: {self.tally()}",
            ProposalState.QUEUED: "the proposal is queued and may be executed "
            + (f"from {self._at(self.eta)}" if self.eta > self.now else "now"),
        }
        return sentences.get(self.state, f"the proposal is {self.state.name.lower()}")

    def tally(self) -> str:
        """Return the votes cast, beside those needed."""
        cast = ", ".join(
            f"{format_votes(self.votes[s])} {s.name.lower()}"
            for s in (VoteSupport.FOR, VoteSupport.AGAINST, VoteSupport.ABSTAIN)
        )
        return cast if self.quorum is None else f"{cast} (quorum {format_votes(self.quorum)})"

    def _at(self, moment: int) -> str:
        return (
            f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC, in {max(moment - self.now, 0):,} s"
        )


class ProposalNumber(click.ParamType):
    """A proposal's number as the governor gives it, decimal or with 0x."""

    name = "proposal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            number = int(str(value), 0)
        except ValueError:
            number = -1
        if not 0 <= number < 2**256:
            self.fail("not a proposal's number; `ape run propose` prints it.", param, ctx)
        return number


def read_proposal(reader: Reader, governor: ContractInstance, number: int) -> Proposal:
    """Read a proposal as a transaction would meet it now; an unknown one is refused in the governor's words."""
    asked = encode_call("ParityGovernor", "state", number)
    state = ProposalState(int.from_bytes(reader.simulate(governor.address, asked, sender=governor.address)))
    opens, closes = int(governor.proposalSnapshot(number)), int(governor.proposalDeadline(number))
    against, in_favour, abstaining = governor.proposalVotes(number)
    return Proposal(
        number=number,
        state=state,
        now=now(reader),
        opens=opens,
        closes=closes,
        eta=int(governor.proposalEta(number)),
        votes={VoteSupport.AGAINST: against, VoteSupport.FOR: in_favour, VoteSupport.ABSTAIN: abstaining},
        quorum=None
        if state is ProposalState.PENDING
        else int(governor.quorum(opens, block_id=PENDING_BLOCK)),
    )


def now(reader: Reader) -> int:
    """Return the time that a transaction sent now would meet, Unix seconds."""
    return int(reader.rpc("eth_getBlockByNumber", [PENDING_BLOCK, False])["timestamp"], 16)


def format_votes(amount: int) -> str:
    """Write votes for people: whole ones, or with as many decimals as there are."""
    whole, rest = divmod(amount, VOTE)
    return f"{whole:,}" + (f".{rest:018d}".rstrip("0") if rest else "")
