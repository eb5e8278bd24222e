"""Fold FederatedLearning and its charter: sessions, their rounds and participants, and what is on the bulletin board.

What a session's money does in the StakeWallet is folded there, under the session's purse. Here stand the figures by reason.
"""

from collections.abc import Callable, Mapping

import msgspec

from indexer.events import Event
from indexer.fold.session_rows import Participant, Round, Session, SessionEvent, SessionParameters
from indexer.fold.state import Impossible, Keys, State
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION, SessionPhase

PHASES = {member.value: member.name.lower() for member in SessionPhase}
TERMINAL = frozenset(member.name.lower() for member in SessionPhase if member.is_terminal)
_NOTHING = bytes(32)
_encode = msgspec.json.Encoder().encode


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    if event.type.name == "SessionParamsAdded":
        keys.session_parameters.add(event.args[0])
    else:
        keys.sessions.add(event.args[0])


# ---------------------------------------------------------------- finding and keeping


def _session(state: State, session_id: bytes) -> Session:
    row = state.sessions.find(session_id)
    if row is None:
        raise Impossible(f"session 0x{session_id.hex()} was never created")
    return row


def _running(state: State, session_id: bytes) -> Session:
    row = _session(state, session_id)
    if row.phase in TERMINAL:
        raise Impossible(f"session 0x{session_id.hex()} is already {row.phase}")
    return row


def _round(state: State, row: Session) -> Round:
    found = state.rounds.find((row.session_id, row.round)) if row.round else None
    if found is None:
        raise Impossible(f"round {row.round} of session 0x{row.session_id.hex()} was never started")
    return found


def _participant(state: State, session_id: bytes, slot: int, *, node: bytes) -> Participant:
    row = state.participants.find((session_id, slot))
    if row is None or row.node != node:
        raise Impossible(f"slot {slot} of session 0x{session_id.hex()} is not 0x{node.hex()}'s")
    return row


def _put(state: State, event: Event, *rows: Session | Round | Participant) -> None:
    for row in rows:
        row.updated_block = event.log.block_number
        if isinstance(row, Session):
            state.sessions.put(row.session_id, row)
        elif isinstance(row, Round):
            state.rounds.put((row.session_id, row.round), row)
        else:
            state.participants.put((row.session_id, row.slot), row)


def _note(state: State, event: Event) -> None:
    """Keep the event on the session's timeline: integers as decimal strings, bytes as 0x hex, phases as words."""
    log = event.log
    named = event.named()
    session_id = named.pop("session")
    node = named.pop("node", None)
    data = {name.rpartition(".")[2]: _text(name, value) for name, value in named.items()}
    state.session_events.append(
        SessionEvent(
            session_id,
            log.block_number,
            log.tx_index,
            log.log_index,
            log.tx_hash,
            log.block_time,
            event.type.name,
            node,
            _encode(data).decode(),
        )
    )


def _text(name: str, value: bytes | int | bool) -> str | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return PHASES[value] if name == "phase" else str(value)


# ---------------------------------------------------------------- sessions


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
        phase="joining",
        deadline=join_by,
        round=0,
        attempts=0,
        members=0,
        expected=0,
        acted=0,
        closing=False,
        model=None,
        task_id=None,
        finished=0,
        paid=0,
        fees=0,
        tips=0,
        slashed=0,
        returned=0,
        created_block=log.block_number,
        created_tx=log.tx_hash,
        created_at=log.block_time,
        ended_block=None,
        ended_tx=None,
        ended_at=None,
        updated_block=log.block_number,
    )
    state.sessions.put(session_id, row)
    state.participants.learn([(session_id, slot) for slot in range(most)], {})
    _note(state, event)


def _phase_changed(state: State, event: Event) -> None:
    session_id, code, deadline = event.args
    row = _running(state, session_id)
    row.phase = PHASES[code]
    # Who may act in a phase is who acted in the one before; the first of a round is everybody's.
    if row.phase in ("training", "keys"):
        row.expected, row.acted = row.members, 0
    elif row.phase in ("revealing", "shares", "masking", "unmasking"):
        row.expected, row.acted = row.acted, 0
    row.deadline = deadline
    _put(state, event, row)
    _note(state, event)


def _closing(state: State, event: Event) -> None:
    row = _running(state, event.args[0])
    row.closing = True
    _put(state, event, row)
    _note(state, event)


def _tipped(state: State, event: Event) -> None:
    session_id, _to, amount = event.args
    row = _session(state, session_id)
    row.tips += amount
    _put(state, event, row)
    _note(state, event)


def _ended(state: State, event: Event) -> None:
    session_id, code, model, rounds, returned = event.args
    log = event.log
    row = _session(state, session_id)
    if PHASES[code] != row.phase or (row.model or _NOTHING) != model:
        raise Impossible(
            f"session 0x{session_id.hex()} is {row.phase}, not {PHASES[code]}, or has another model"
        )
    row.finished = rounds
    row.returned = returned
    row.task_id = None
    row.ended_block, row.ended_tx, row.ended_at = log.block_number, log.tx_hash, log.block_time
    _put(state, event, row)
    if row.round:
        last = _round(state, row)
        if last.status == "running":
            last.status = row.phase
            _put(state, event, last)
    _note(state, event)


# ---------------------------------------------------------------- participants


def _joined(state: State, event: Event) -> None:
    session_id, node, owner, slot, key = event.args
    log = event.log
    row = _running(state, session_id)
    held = state.participants.find((session_id, slot))
    if held is not None and held.status != "left":
        raise Impossible(f"slot {slot} of session 0x{session_id.hex()} is taken")
    joined = Participant(
        session_id=session_id,
        slot=slot,
        node=node,
        owner=owner,
        key=key,
        status="joined",
        acted_phase=None,
        last_digest=None,
        samples=None,
        contributions=0,
        accepted=0,
        missed=0,
        caught_round=None,
        paid=0,
        slashed=0,
        joined_block=log.block_number,
        joined_tx=log.tx_hash,
        updated_block=log.block_number,
    )
    row.members += 1
    _put(state, event, row, joined)
    _note(state, event)


def _left(state: State, event: Event) -> None:
    session_id, node, slot = event.args
    row = _running(state, session_id)
    participant = _participant(state, session_id, slot, node=node)
    participant.status = "left"
    row.members -= 1
    _put(state, event, row, participant)
    _note(state, event)


def _act(state: State, event: Event, phase: str) -> tuple[Session, Participant]:
    session_id, node, slot = event.args[:3]
    row = _running(state, session_id)
    participant = _participant(state, session_id, slot, node=node)
    if row.phase != phase or participant.status != "joined":
        raise Impossible(f"slot {slot} of session 0x{session_id.hex()} acts in {phase}, which is {row.phase}")
    row.acted += 1
    participant.acted_phase = phase
    _put(state, event, row, participant)
    _note(state, event)
    return row, participant


def _contribute(state: State, event: Event, acted: tuple[Session, Participant], *, samples: int) -> None:
    row, participant = acted
    participant.last_digest = event.args[3] if event.type.name == "ContributionRevealed" else event.args[4]
    participant.samples = samples
    participant.contributions += 1
    current = _round(state, row)
    current.contributions += 1
    _put(state, event, current, participant)


def _committed(state: State, event: Event) -> None:
    _act(state, event, "training")


def _revealed(state: State, event: Event) -> None:
    _contribute(state, event, _act(state, event, "revealing"), samples=event.args[4])


def _posted(state: State, event: Event) -> None:
    phase = PHASES[event.args[3]]
    acted = _act(state, event, phase)
    if phase == "masking":
        _contribute(state, event, acted, samples=int.from_bytes(event.args[5]))


def _missed(state: State, event: Event) -> None:
    session_id, node, slot, lost, out = event.args
    row = _session(state, session_id)
    participant = _participant(state, session_id, slot, node=node)
    participant.missed += 1
    participant.slashed += lost
    row.slashed += lost
    if out:
        participant.status = "out"
        row.members -= 1
    _put(state, event, row, participant)
    _note(state, event)


def _caught(state: State, event: Event) -> None:
    session_id, node, slot, lost = event.args
    row = _session(state, session_id)
    participant = _participant(state, session_id, slot, node=node)
    participant.slashed += lost
    row.slashed += lost
    participant.status = "out"
    participant.caught_round = row.round
    row.members -= 1
    _put(state, event, row, participant)
    _note(state, event)


# ---------------------------------------------------------------- rounds


def _round_started(state: State, event: Event) -> None:
    session_id, number, attempt, base = event.args
    log = event.log
    row = _running(state, session_id)
    if number == row.round:
        current = _round(state, row)
        current.attempts = attempt
        current.contributions = 0
    else:
        state.rounds.learn([(session_id, number)], {})
        current = _new_round(event)
    row.round, row.attempts = number, attempt
    if base != (row.model or _NOTHING):
        raise Impossible(
            f"round {number} of session 0x{session_id.hex()} builds on another model, at {log.where}"
        )
    _put(state, event, row, current)
    _note(state, event)


def _new_round(event: Event) -> Round:
    session_id, number, attempt, base = event.args
    log = event.log
    return Round(
        session_id=session_id,
        round=number,
        status="running",
        attempts=attempt,
        base=None if base == _NOTHING else base,
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
    row = _running(state, event.args[0])
    row.attempts = event.named()["attempts"]
    current = _round(state, row)
    current.attempts = row.attempts
    if event.type.name == "AggregationFailed":
        row.task_id = None
    _put(state, event, row, current)
    _note(state, event)


def _ordered(state: State, event: Event) -> None:
    session_id, task_id, _number, spec = event.args
    row = _running(state, session_id)
    current = _round(state, row)
    row.task_id = current.task_id = task_id
    current.spec = spec
    _put(state, event, row, current)
    _note(state, event)


def _settled(state: State, event: Event) -> None:
    session_id, _number, model, manifest, accepted, _found_false, stop, paid, pay, fee = event.args
    log = event.log
    row = _running(state, session_id)
    current = _round(state, row)
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
    _put(state, event, row, current)
    _credit(state, event, row, accepted=accepted, paid=paid, pay=pay)
    _note(state, event)


def _credit(state: State, event: Event, row: Session, *, accepted: int, paid: int, pay: int) -> None:
    for slot in range(row.max_participants):
        if not accepted >> slot & 1:
            continue
        participant = state.participants.find((row.session_id, slot))
        if participant is None:
            raise Impossible(f"slot {slot} of session 0x{row.session_id.hex()} is empty and accepted")
        participant.accepted += 1
        participant.paid += pay if paid >> slot & 1 else 0
        _put(state, event, participant)


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
    "ParticipantJoined": _joined,
    "ParticipantLeft": _left,
    "RoundStarted": _round_started,
    "ContributionCommitted": _committed,
    "ContributionRevealed": _revealed,
    "Posted": _posted,
    "ParticipantMissed": _missed,
    "ParticipantCaught": _caught,
    "RoundRepeated": _failed_attempt,
    "AggregationOrdered": _ordered,
    "AggregationFailed": _failed_attempt,
    "RoundSettled": _settled,
    "TipPaid": _tipped,
    "SessionClosing": _closing,
    "SessionEnded": _ended,
}
CHARTER_FOLDS: Mapping[str, Callable[[State, Event], None]] = {"SessionParamsAdded": _params_added}
