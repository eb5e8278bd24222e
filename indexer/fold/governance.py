"""Fold the governor: what became of proposals, and who voted for what."""

from collections.abc import Callable, Mapping

import msgspec

from indexer.events import Event
from indexer.fold.governance_rows import ProposalEvent, ProposalVote
from indexer.fold.state import Impossible, Keys, State

SUPPORT = ("against", "for", "abstain")
"""What `support` may be, in the order of OpenZeppelin's `GovernorCountingSimple.VoteType`."""


def needs(_keys: Keys, _event: Event) -> None:
    """Note that no event of the governor looks at a row: what is asked of a proposal is asked of the governor itself."""


def _text(content: bytes) -> str:
    """Read text that whoever sent it may have made of any bytes; what cannot be stored as text is replaced."""
    return content.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _happened(state: State, event: Event, proposal_id: int, **data: str) -> None:
    log = event.log
    state.proposal_events.append(
        ProposalEvent(
            proposal_id,
            log.block_number,
            log.tx_index,
            log.log_index,
            log.tx_hash,
            log.block_time,
            event.type.name,
            msgspec.json.encode(data).decode(),
        )
    )


def _created(state: State, event: Event) -> None:
    proposal_id, proposer, _targets, _values, _signatures, _calls, opens, closes, description = event.args
    _happened(
        state,
        event,
        proposal_id,
        proposer="0x" + proposer.hex(),
        description=_text(description),
        voteStart=str(opens),
        voteEnd=str(closes),
    )


def _queued(state: State, event: Event) -> None:
    proposal_id, eta = event.args
    _happened(state, event, proposal_id, etaSeconds=str(eta))


def _extended(state: State, event: Event) -> None:
    proposal_id, deadline = event.args
    _happened(state, event, proposal_id, extendedDeadline=str(deadline))


def _ended(state: State, event: Event) -> None:
    (proposal_id,) = event.args
    _happened(state, event, proposal_id)


def _voted(state: State, event: Event) -> None:
    voter, proposal_id, support, weight, reason, *params = event.args
    if support >= len(SUPPORT):
        raise Impossible(f"0x{voter.hex()} cannot have voted {support}")
    log = event.log
    state.proposal_votes.append(
        ProposalVote(
            proposal_id,
            voter,
            SUPPORT[support],
            weight,
            _text(reason),
            params[0] if params else b"",
            log.block_number,
            log.tx_index,
            log.log_index,
            log.tx_hash,
            log.block_time,
        )
    )


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "ProposalCreated": _created,
    "ProposalQueued": _queued,
    "ProposalExtended": _extended,
    "ProposalExecuted": _ended,
    "ProposalCanceled": _ended,
    "VoteCast": _voted,
    "VoteCastWithParams": _voted,
}
