"""Fold the rounds of a session: begun, repeated, aggregated, settled."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.session_rows import Round, Session
from indexer.fold.session_state import NOTHING, note, put, round_of, running
from indexer.fold.state import Impossible, State


def _round_started(state: State, event: Event) -> None:
    session_id, number, attempt, base = event.args
    log = event.log
    row = running(state, session_id)
    if number == row.round:
        current = round_of(state, row)
        current.attempts = attempt
        current.contributions = 0
    else:
        state.rounds.learn([(session_id, number)], {})
        current = _new_round(event)
    row.round, row.attempts = number, attempt
    if base != (row.model or NOTHING):
        raise Impossible(
            f"round {number} of session 0x{session_id.hex()} builds on another model, at {log.where}"
        )
    put(state, event, row, current)
    note(state, event)


def _new_round(event: Event) -> Round:
    session_id, number, attempt, base = event.args
    log = event.log
    return Round(
        session_id=session_id,
        round=number,
        status="running",
        attempts=attempt,
        base=None if base == NOTHING else base,
        contributions=0,
        task_id=None,
        spec=None,
        model=None,
        manifest=None,
        accepted=None,
        accepted_count=0,
        paid_slots=None,
        pay=0,
        fee=0,
        stop=False,
        started_block=log.block_number,
        started_at=log.block_time,
        settled_block=None,
        settled_tx=None,
        settled_at=None,
        updated_block=log.block_number,
    )


def _failed_attempt(state: State, event: Event) -> None:
    row = running(state, event.args[0])
    row.attempts = event.named()["attempts"]
    current = round_of(state, row)
    current.attempts = row.attempts
    if event.type.name == "AggregationFailed":
        row.task_id = None
    put(state, event, row, current)
    note(state, event)


def _ordered(state: State, event: Event) -> None:
    session_id, task_id, _number, spec = event.args
    row = running(state, session_id)
    current = round_of(state, row)
    row.task_id = current.task_id = task_id
    current.spec = spec
    put(state, event, row, current)
    note(state, event)


def _settled(state: State, event: Event) -> None:
    session_id, _number, model, manifest, accepted, _found_false, stop, paid, pay, fee = event.args
    log = event.log
    row = running(state, session_id)
    current = round_of(state, row)
    current.status = "settled"
    current.model, current.manifest, current.stop = model, manifest, stop
    state.documents[manifest] = "model-card"
    current.accepted, current.accepted_count, current.paid_slots = accepted, accepted.bit_count(), paid
    current.pay, current.fee = pay, fee
    current.settled_block, current.settled_tx, current.settled_at = (
        log.block_number,
        log.tx_hash,
        log.block_time,
    )
    row.model = model
    row.task_id = None
    row.attempts = 0
    row.finished += 1
    row.paid += pay * paid.bit_count()
    row.fees += fee * paid.bit_count()
    put(state, event, row, current)
    _credit(state, event, row, accepted=accepted, paid=paid, pay=pay)
    note(state, event)


def _credit(state: State, event: Event, row: Session, *, accepted: int, paid: int, pay: int) -> None:
    for slot in range(row.max_participants):
        if not accepted >> slot & 1:
            continue
        participant = state.participants.find((row.session_id, slot))
        if participant is None:
            raise Impossible(f"slot {slot} of session 0x{row.session_id.hex()} is empty and accepted")
        participant.accepted += 1
        participant.paid += pay if paid >> slot & 1 else 0
        put(state, event, participant)


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "RoundStarted": _round_started,
    "RoundRepeated": _failed_attempt,
    "AggregationOrdered": _ordered,
    "AggregationFailed": _failed_attempt,
    "RoundSettled": _settled,
}
