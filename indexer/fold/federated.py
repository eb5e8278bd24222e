"""Fold FederatedLearning and its charter: sessions here, their rounds and participants in modules of their own.

What a session's money does in the StakeWallet is folded there, under the session's purse. Here stand the figures by reason.
"""

from collections.abc import Callable, Mapping
from typing import Any

from indexer.events import Event
from indexer.fold import participants, rounds
from indexer.fold.session_rows import Session, SessionParameters
from indexer.fold.session_state import NOTHING, PHASES, note, put, round_of, running, session_of
from indexer.fold.state import Impossible, Keys, State
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    if event.type.name == "SessionParamsAdded":
        keys.session_parameters.add(event.args[0])
    else:
        keys.sessions.add(event.args[0])


_BEGINNING: Mapping[str, Any] = {
    "phase": "joining",
    "round": 0,
    "attempts": 0,
    "members": 0,
    "expected": 0,
    "acted": 0,
    "closing": False,
    "model": None,
    "task_id": None,
    "finished": 0,
    "paid": 0,
    "fees": 0,
    "tips": 0,
    "slashed": 0,
    "returned": 0,
    "ended_block": None,
    "ended_tx": None,
    "ended_at": None,
}
"""What every session has when it is created."""


def _created(state: State, event: Event) -> None:
    session_id, creator, payer, *order, purse, seed_block = event.args
    log = event.log
    if state.sessions.find(session_id) is not None:
        raise Impossible(f"session 0x{session_id.hex()} was created before")
    (_creator, _payer, budget, reward, aggregation_reward, bond, aggregation_bond, rounds) = order[:8]
    (fewest, most, threshold, replicas, quorum, flags, params_id, task_params_id) = order[8:16]
    (join_by, train_for, reveal_for, retention, config, salt) = order[16:]
    state.documents[config] = "session"
    row = Session(
        session_id=session_id,
        creator=creator,
        payer=payer,
        budget=budget,
        reward=reward,
        aggregation_reward=aggregation_reward,
        bond=bond,
        aggregation_bond=aggregation_bond,
        rounds=rounds,
        min_participants=fewest,
        max_participants=most,
        threshold=threshold,
        replicas=replicas,
        quorum=quorum,
        secure=bool(flags & SECURE_AGGREGATION),
        private_data=bool(flags & PRIVATE_DATA),
        params_id=params_id,
        task_params_id=task_params_id,
        join_by=join_by,
        train_for=train_for,
        reveal_for=reveal_for,
        retention=retention,
        config=config,
        salt=salt,
        purse=purse,
        seed_block=seed_block,
        deadline=join_by,
        created_block=log.block_number,
        created_tx=log.tx_hash,
        created_at=log.block_time,
        updated_block=log.block_number,
        **_BEGINNING,
    )
    state.sessions.put(session_id, row)
    state.participants.learn([(session_id, slot) for slot in range(most)], {})
    note(state, event)


def _phase_changed(state: State, event: Event) -> None:
    session_id, code, deadline = event.args
    row = running(state, session_id)
    row.phase = PHASES[code]
    # Who may act in a phase is who acted in the one before; the first of a round is everybody's.
    if row.phase in ("training", "keys"):
        row.expected, row.acted = row.members, 0
    elif row.phase in ("revealing", "shares", "masking", "unmasking"):
        row.expected, row.acted = row.acted, 0
    row.deadline = deadline
    put(state, event, row)
    note(state, event)


def _closing(state: State, event: Event) -> None:
    row = running(state, event.args[0])
    row.closing = True
    put(state, event, row)
    note(state, event)


def _tipped(state: State, event: Event) -> None:
    session_id, _to, amount = event.args
    row = session_of(state, session_id)
    row.tips += amount
    put(state, event, row)
    note(state, event)


def _ended(state: State, event: Event) -> None:
    session_id, code, model, rounds, returned = event.args
    log = event.log
    row = session_of(state, session_id)
    if PHASES[code] != row.phase or (row.model or NOTHING) != model:
        raise Impossible(
            f"session 0x{session_id.hex()} is {row.phase}, not {PHASES[code]}, or has another model"
        )
    row.finished = rounds
    row.returned = returned
    row.task_id = None
    row.ended_block, row.ended_tx, row.ended_at = log.block_number, log.tx_hash, log.block_time
    put(state, event, row)
    if row.round:
        last = round_of(state, row)
        if last.status == "running":
            last.status = row.phase
            put(state, event, last)
    note(state, event)


def _params_added(state: State, event: Event) -> None:
    params_id = event.args[0]
    if state.session_parameters.find(params_id) is not None:
        raise Impossible(f"session parameter version {params_id} was added before")
    block = event.log.block_number
    fields = SessionParameters.__struct_fields__
    row = SessionParameters(**dict(zip(fields, (*event.args, block, block), strict=True)))
    state.session_parameters.put(params_id, row)


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "SessionCreated": _created,
    "SessionPhaseChanged": _phase_changed,
    "TipPaid": _tipped,
    "SessionClosing": _closing,
    "SessionEnded": _ended,
    **participants.FOLDS,
    **rounds.FOLDS,
}
CHARTER_FOLDS: Mapping[str, Callable[[State, Event], None]] = {"SessionParamsAdded": _params_added}
