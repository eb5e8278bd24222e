"""Fold the guardian's pauses of the StakeWallet and its modules."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.rows import Pause
from indexer.fold.state import Impossible, Keys, State


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    keys.pauses.add(event.args[0])


def _paused(state: State, event: Event) -> None:
    target, until, pausable_from = event.args
    state.pauses.put(target, Pause(target, until, pausable_from, event.log.block_number))


def _unpaused(state: State, event: Event) -> None:
    (target,) = event.args
    row = state.pauses.find(target)
    block = event.log.block_number
    if row is None or row.paused_until <= block:
        raise Impossible(f"0x{target.hex()} is not paused")
    row.paused_until = row.updated_block = block
    state.pauses.put(target, row)


FOLDS: Mapping[str, Callable[[State, Event], None]] = {"Paused": _paused, "Unpaused": _unpaused}
