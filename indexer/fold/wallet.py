"""Fold the StakeWallet: balances, channels (in `channels`), and what each task's settlement moved.

A task's figures come from three events, in whatever order: `Settled` adds what left the payer's escrow to `returned`;
each `Moved` of a seat owner takes its pay from there into `paid`; `TaskFinalized` (in `escrow`) takes the fee. What is left
is the part of the reward that went back. Shares of slashes, which go to the payer, the treasury and the burn account in
the same `Moved` lines as remainder and fee, never touch these columns.
"""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold import audits, channels, pauses
from indexer.fold.balances import change
from indexer.fold.rows import Balance, Module, Seat, Task
from indexer.fold.state import Keys, State
from indexer.fold.timeline import add_to_timeline


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    name, args = event.type.name, event.args
    if name in channels.FOLDS:
        channels.needs(keys, event)
    elif name in pauses.FOLDS:
        pauses.needs(keys, event)
    elif name == "Wired":
        keys.modules.add((event.log.address, args[0]))
    elif name in ("Settled", "Moved"):
        keys.tasks.add(args[0])
        keys.audits.add(args[0])
        keys.balances.add(args[1])
    else:
        keys.balances.add(args[0])
        if name == "Transferred":
            keys.balances.add(args[1])


def _deposited(state: State, event: Event) -> None:
    account, amount = event.args
    change(state, event, account, free=amount)


def _withdrawn(state: State, event: Event) -> None:
    account, _to, amount = event.args
    change(state, event, account, free=-amount)


def _transferred(state: State, event: Event) -> None:
    sender, receiver, amount = event.args
    change(state, event, sender, free=-amount)
    change(state, event, receiver, free=amount)


def _bonded(state: State, event: Event) -> None:
    owner, amount = event.args
    change(state, event, owner, free=-amount, bonded=amount)


def _unbond_requested(state: State, event: Event) -> None:
    owner, amount, release_block = event.args
    change(state, event, owner, bonded=-amount, unbonding=amount).release_block = release_block


def _unbond_cancelled(state: State, event: Event) -> None:
    owner, amount = event.args
    change(state, event, owner, bonded=amount, unbonding=-amount).release_block = 0


def _unbonded(state: State, event: Event) -> None:
    owner, amount = event.args
    change(state, event, owner, free=amount, unbonding=-amount).release_block = 0


def _escrowed(state: State, event: Event) -> None:
    payer, _ref, amount = event.args
    change(state, event, payer, free=-amount, escrowed=amount)


def _bond_locked(state: State, event: Event) -> None:
    owner, _ref, amount = event.args
    change(state, event, owner, locked=amount)


def _settled(state: State, event: Event) -> None:
    ref, payer, released = event.args
    change(state, event, payer, escrowed=-released)
    task = state.tasks.find(ref)
    if task is None:
        return
    task.returned += released
    task.updated_block = event.log.block_number
    state.tasks.put(ref, task)
    add_to_timeline(state, event, ref, payer=payer, released=released)


def _moved(state: State, event: Event) -> None:
    ref, who, pay, unlock, slash = event.args
    row = state.balances.find(who) or Balance(who)
    # Stake that backs other running seats is not touched: what is missing comes from the pending unbonding.
    from_bonded = min(slash, row.bonded - (row.locked - unlock))
    change(state, event, who, free=pay, bonded=-from_bonded, locked=-unlock, unbonding=from_bonded - slash)
    task = state.tasks.find(ref)
    if task is None:
        return
    add_to_timeline(state, event, ref, who=who, pay=pay, unlock=unlock, slash=slash)
    seat = _seat_of(state, task, who)
    # Only a seat's own line unlocks its bond: a treasury that also runs a node is not paid a fee as a seat.
    if seat is not None and (unlock or not task.bond):
        _settle_seat(state, event, task, seat)
    elif (vote := audits.vote_of(state, ref, owner=who)) is not None:
        audits.settle_auditor(state, event, task, vote)


def _seat_of(state: State, task: Task, owner: bytes) -> Seat | None:
    for number in range(task.claimed):
        seat = state.seats.find((task.task_id, number))
        if seat is not None and seat.owner == owner:
            return seat
    return None


def _settle_seat(state: State, event: Event, task: Task, seat: Seat) -> None:
    _ref, _who, pay, _unlock, slash = event.args
    seat.paid += pay
    seat.slashed += slash
    task.paid += pay
    task.returned -= pay
    task.slashed += slash
    seat.updated_block = task.updated_block = event.log.block_number
    state.seats.put((task.task_id, seat.seat), seat)
    state.tasks.put(task.task_id, task)


def _burned(state: State, event: Event) -> None:
    account, amount = event.args
    change(state, event, account, free=-amount)


def _wired(state: State, event: Event) -> None:
    (module,) = event.args
    contract = event.log.address
    state.modules.put((contract, module), Module(contract, module, event.log.block_number))


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "Deposited": _deposited,
    "Withdrawn": _withdrawn,
    "Transferred": _transferred,
    "Bonded": _bonded,
    "UnbondRequested": _unbond_requested,
    "UnbondCancelled": _unbond_cancelled,
    "Unbonded": _unbonded,
    "Escrowed": _escrowed,
    "BondLocked": _bond_locked,
    "Settled": _settled,
    "Moved": _moved,
    "Burned": _burned,
    "Wired": _wired,
    **channels.FOLDS,
    **pauses.FOLDS,
}
