"""Change a row of `balances`."""

from indexer.events import Event
from indexer.fold.rows import Balance
from indexer.fold.state import Impossible, State


def change(
    state: State,
    event: Event,
    account: bytes,
    *,
    free: int = 0,
    escrowed: int = 0,
    bonded: int = 0,
    locked: int = 0,
    unbonding: int = 0,
) -> Balance:
    """Add to the parts of a balance; none may fall below zero."""
    row = state.balances.find(account) or Balance(account)
    # Most events change one part or two; to add nothing to a number of many digits makes a new one all the same.
    if free:
        row.free += free
    if escrowed:
        row.escrowed += escrowed
    if bonded:
        row.bonded += bonded
    if locked:
        row.locked += locked
    if unbonding:
        row.unbonding += unbonding
    row.updated_block = event.log.block_number
    if row.free < 0 or row.escrowed < 0 or row.bonded < 0 or row.locked < 0 or row.unbonding < 0:
        raise Impossible(f"balance of 0x{account.hex()} would be negative: {row}")
    return state.balances.put(account, row)
