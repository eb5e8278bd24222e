"""The fold: events in, rows out. Pure: no clock, no network, no database."""

from collections.abc import Callable, Iterable, Sequence

from indexer.errors import FoldError
from indexer.events import Event, EventType
from indexer.fold import audits, escrow, federated, governance, monitoring, reputation, wallet
from indexer.fold.state import Impossible, Keys, State

FOLD_VERSION = 8
"""Raise whenever equal events would give other rows: the index is then built anew beside the old one."""

FOLDS = {
    "StakeWallet": wallet.FOLDS,
    "RunnerReputation": reputation.FOLDS,
    "TaskEscrow": escrow.FOLDS,
    "FederatedLearning": federated.FOLDS,
    "SessionCharter": federated.CHARTER_FOLDS,
    "PeerMonitoring": monitoring.FOLDS,
    "AuditCourt": audits.FOLDS,
    "ParityGovernor": governance.FOLDS,
}
WITHOUT_ROWS = frozenset(
    {
        "ActionExecuted",
        "AuthorityUpdated",
        "EIP712DomainChanged",
        "LateQuorumVoteExtensionSet",
        "ProposalThresholdSet",
        "QuorumNumeratorUpdated",
        "TimelockChange",
        "VotingDelaySet",
        "VotingPeriodSet",
    }
)
"""Events that no row speaks of (libraries' own, used nonces, the governor's rules); they are kept as raw logs alone."""

NEEDS = {
    "StakeWallet": wallet.needs,
    "RunnerReputation": reputation.needs,
    "TaskEscrow": escrow.needs,
    "FederatedLearning": federated.needs,
    "SessionCharter": federated.needs,
    "PeerMonitoring": monitoring.needs,
    "AuditCourt": audits.needs,
    "ParityGovernor": governance.needs,
}


_changes: dict[EventType, Callable[[State, Event], None]] = {}


def apply(state: State, event: Event) -> None:
    """Fold one event into the state. `FoldError` names the event that cannot have happened."""
    kind = event.type
    try:
        change = _changes.get(kind)
        if change is None:
            if kind.name in WITHOUT_ROWS:
                return
            change = _changes[kind] = FOLDS[kind.contract][kind.name]
        change(state, event)
    except (Impossible, LookupError, ValueError, OverflowError) as error:
        raise FoldError(
            f"{kind.contract}.{kind.name} at {event.log.where}: {error}",
            hint="The node skipped events, or this indexer does not know the contracts: run `parity-indexer verify`.",
        ) from error


def fold(state: State, events: Sequence[Event]) -> None:
    """Fold the events of whole blocks, in the order of the chain."""
    block = events[0].log.block_number if events else None
    for event in events:
        if event.log.block_number != block:
            state.end_block()
            block = event.log.block_number
        apply(state, event)
    state.end_block()


def needs(events: Iterable[Event]) -> Keys:
    """Name the rows that folding the events will look at."""
    keys = Keys()
    for event in events:
        if event.type.name not in WITHOUT_ROWS:
            NEEDS[event.type.contract](keys, event)
    return keys
