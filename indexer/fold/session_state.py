"""Rows of sessions in the state: finding those that an event speaks of, keeping what it changed, and the timeline.

What cannot be found, or not as the event says, raises `Impossible`.
"""

import msgspec

from indexer.events import Event
from indexer.fold.session_rows import Participant, Round, Session, SessionEvent
from indexer.fold.state import Impossible, State
from protocol.enums import SessionPhase

PHASES = {member.value: member.name.lower() for member in SessionPhase}
TERMINAL = frozenset(member.name.lower() for member in SessionPhase if member.is_terminal)
NOTHING = bytes(32)
_encode = msgspec.json.Encoder().encode


def session_of(state: State, session_id: bytes) -> Session:
    """Return a session that was created."""
    row = state.sessions.find(session_id)
    if row is None:
        raise Impossible(f"session 0x{session_id.hex()} was never created")
    return row


def running(state: State, session_id: bytes) -> Session:
    """Return a session that has not ended."""
    row = session_of(state, session_id)
    if row.phase in TERMINAL:
        raise Impossible(f"session 0x{session_id.hex()} is already {row.phase}")
    return row


def round_of(state: State, row: Session) -> Round:
    """Return the round that a session is in."""
    found = state.rounds.find((row.session_id, row.round)) if row.round else None
    if found is None:
        raise Impossible(f"round {row.round} of session 0x{row.session_id.hex()} was never started")
    return found


def participant_of(state: State, session_id: bytes, slot: int, *, node: bytes) -> Participant:
    """Return who holds a slot, which must be `node`."""
    row = state.participants.find((session_id, slot))
    if row is None or row.node != node:
        raise Impossible(f"slot {slot} of session 0x{session_id.hex()} is not 0x{node.hex()}'s")
    return row


def put(state: State, event: Event, *rows: Session | Round | Participant) -> None:
    """Keep rows that the event changed."""
    for row in rows:
        row.updated_block = event.log.block_number
        if isinstance(row, Session):
            state.sessions.put(row.session_id, row)
        elif isinstance(row, Round):
            state.rounds.put((row.session_id, row.round), row)
        else:
            state.participants.put((row.session_id, row.slot), row)


def note(state: State, event: Event) -> None:
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
