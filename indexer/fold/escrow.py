"""Fold the TaskEscrow: tasks and their seats."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.rows import ClientEpoch, Parameters, Seat, Task
from indexer.fold.state import Impossible, Keys, State
from indexer.fold.timeline import add_to_timeline
from protocol.enums import Mode, TaskStatus

MODES = {member.value: member.name.lower() for member in Mode}
STATUSES = {member.value: member.name.lower() for member in TaskStatus}
TERMINAL = frozenset(member.name.lower() for member in TaskStatus if member.is_terminal)


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    name = event.type.name
    if name == "ParamsAdded":
        keys.parameters.add(event.args[0])
    elif name == "OrdersRevoked":
        keys.client_epochs.add(event.args[0])
    else:
        keys.tasks.add(event.args[0])


def _running(state: State, task_id: bytes) -> Task:
    task = state.tasks.find(task_id)
    if task is None:
        raise Impossible(f"task 0x{task_id.hex()} was never submitted")
    if task.status in TERMINAL:
        raise Impossible(f"task 0x{task_id.hex()} is already {task.status}")
    return task


def _seat(state: State, task_id: bytes, number: int, *, node: bytes, expected: str) -> Seat:
    seat = state.seats.find((task_id, number))
    if seat is None or seat.node != node:
        raise Impossible(f"seat {number} of task 0x{task_id.hex()} is not 0x{node.hex()}'s")
    if seat.state != expected:
        raise Impossible(f"seat {number} of task 0x{task_id.hex()} is {seat.state}, not {expected}")
    return seat


def _submitted(state: State, event: Event) -> None:
    task_id, client, payer, *order, seed_block = event.args
    log = event.log
    if state.tasks.find(task_id) is not None:
        raise Impossible(f"task 0x{task_id.hex()} was submitted before")
    (_client, _payer, reward, bond, input_price, output_price, params_id, replicas, quorum, mode) = order[:10]
    (claim_by, retention, client_epoch, spec, salt) = order[10:]
    task = Task(
        task_id=task_id,
        client=client,
        payer=payer,
        reward=reward,
        bond=bond,
        input_price=input_price,
        output_price=output_price,
        params_id=params_id,
        replicas=replicas,
        quorum=quorum,
        mode=MODES[mode],
        status="open",
        claim_by=claim_by,
        retention=retention,
        client_epoch=client_epoch,
        spec=spec,
        salt=salt,
        seed_block=seed_block,
        deadline=claim_by,
        claimed=0,
        committed=0,
        revealed=0,
        result=None,
        winners=None,
        paid=0,
        fee=0,
        returned=0,
        slashed=0,
        created_block=log.block_number,
        created_tx=log.tx_hash,
        created_at=log.block_time,
        settled_block=None,
        settled_tx=None,
        settled_at=None,
        updated_block=log.block_number,
    )
    state.tasks.put(task_id, task)
    for number in range(replicas):
        state.seats.learn([(task_id, number)], {})
    state.documents[spec] = "spec"
    add_to_timeline(state, event, task_id, client=client, payer=payer, reward=reward, seedBlock=seed_block)


def _claimed(state: State, event: Event) -> None:
    task_id, node, owner, number = event.args
    log = event.log
    task = _running(state, task_id)
    if number != task.claimed or number >= task.replicas:
        raise Impossible(f"seat {number} of task 0x{task_id.hex()} follows {task.claimed} of {task.replicas}")
    seat = Seat(
        task_id=task_id,
        seat=number,
        node=node,
        owner=owner,
        state="claimed",
        commitment=None,
        result=None,
        fingerprint=None,
        input_tokens=None,
        output_tokens=None,
        outcome=None,
        paid=0,
        slashed=0,
        claimed_block=log.block_number,
        claimed_tx=log.tx_hash,
        committed_tx=None,
        revealed_tx=None,
        updated_block=log.block_number,
    )
    task.claimed += 1
    _put(state, event, task, seat)
    add_to_timeline(state, event, task_id, node=node, owner=owner, seat=number)


def _put(state: State, event: Event, task: Task, seat: Seat) -> None:
    task.updated_block = seat.updated_block = event.log.block_number
    state.tasks.put(task.task_id, task)
    state.seats.put((task.task_id, seat.seat), seat)


def _committed(state: State, event: Event) -> None:
    task_id, node, number, commitment = event.args
    task = _running(state, task_id)
    seat = _seat(state, task_id, number, node=node, expected="claimed")
    seat.state = "committed"
    seat.commitment = commitment
    seat.committed_tx = event.log.tx_hash
    task.committed += 1
    _put(state, event, task, seat)
    add_to_timeline(state, event, task_id, node=node, seat=number, commitment=commitment)


def _revealed(state: State, event: Event) -> None:
    task_id, node, number, result, fingerprint, input_tokens, output_tokens = event.args
    task = _running(state, task_id)
    # The last seat that has not committed need not commit before it reveals.
    unsealed = task.status == "committing" and task.committed == task.replicas - 1
    seat = _seat(state, task_id, number, node=node, expected="claimed" if unsealed else "committed")
    seat.state = "revealed"
    seat.result = result
    seat.fingerprint = fingerprint
    seat.input_tokens = input_tokens
    seat.output_tokens = output_tokens
    seat.revealed_tx = event.log.tx_hash
    task.revealed += 1
    _put(state, event, task, seat)
    add_to_timeline(
        state,
        event,
        task_id,
        node=node,
        seat=number,
        result=result,
        fingerprint=fingerprint,
        inputTokens=input_tokens,
        outputTokens=output_tokens,
    )


def _phase_changed(state: State, event: Event) -> None:
    task_id, code, deadline = event.args
    log = event.log
    task = _running(state, task_id)
    task.status = STATUSES[code]
    task.deadline = deadline
    task.updated_block = log.block_number
    if task.status in TERMINAL:
        task.settled_block = log.block_number
        task.settled_tx = log.tx_hash
        task.settled_at = log.block_time
    state.tasks.put(task_id, task)
    add_to_timeline(state, event, task_id, status=task.status, deadline=deadline)


def _finalized(state: State, event: Event) -> None:
    task_id, winners, fee = event.args
    task = state.tasks.find(task_id)
    if task is None:
        raise Impossible(f"task 0x{task_id.hex()} was never submitted")
    result = _agreed(state, task_id, winners)
    task.result = result
    task.winners = winners
    task.fee = fee
    task.returned -= fee
    task.updated_block = event.log.block_number
    state.tasks.put(task_id, task)
    state.documents[result] = "result"
    add_to_timeline(state, event, task_id, result=result, winners=winners, fee=fee)


def _agreed(state: State, task_id: bytes, winners: int) -> bytes:
    """Return what the winning seats have revealed: the same, so that the lowest one's will do."""
    seat = state.seats.find((task_id, (winners & -winners).bit_length() - 1))
    if seat is None or seat.result is None:
        raise Impossible(f"task 0x{task_id.hex()} was won by a seat that has revealed nothing")
    return seat.result


def _params_added(state: State, event: Event) -> None:
    params_id = event.args[0]
    if state.parameters.find(params_id) is not None:
        raise Impossible(f"parameter version {params_id} was added before")
    block = event.log.block_number
    fields = Parameters.__struct_fields__
    state.parameters.put(params_id, Parameters(**dict(zip(fields, (*event.args, block, block), strict=True))))


def _orders_revoked(state: State, event: Event) -> None:
    client, epoch = event.args
    state.client_epochs.put(client, ClientEpoch(client, epoch, event.log.block_number))


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "TaskSubmitted": _submitted,
    "SeatClaimed": _claimed,
    "SeatCommitted": _committed,
    "SeatRevealed": _revealed,
    "PhaseChanged": _phase_changed,
    "TaskFinalized": _finalized,
    "ParamsAdded": _params_added,
    "OrdersRevoked": _orders_revoked,
}
