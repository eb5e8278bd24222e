"""Fold what participants of a session do, and what becomes of them."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.session_rows import Participant, Session
from indexer.fold.session_state import PHASES, note, participant_of, put, round_of, running, session_of
from indexer.fold.state import Impossible, State


def _joined(state: State, event: Event) -> None:
    session_id, node, owner, slot, key = event.args
    log = event.log
    row = running(state, session_id)
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
    put(state, event, row, joined)
    note(state, event)


def _left(state: State, event: Event) -> None:
    session_id, node, slot = event.args
    row = running(state, session_id)
    participant = participant_of(state, session_id, slot, node=node)
    participant.status = "left"
    row.members -= 1
    put(state, event, row, participant)
    note(state, event)


def _act(state: State, event: Event, phase: str) -> tuple[Session, Participant]:
    session_id, node, slot = event.args[:3]
    row = running(state, session_id)
    participant = participant_of(state, session_id, slot, node=node)
    if row.phase != phase or participant.status != "joined":
        raise Impossible(f"slot {slot} of session 0x{session_id.hex()} acts in {phase}, which is {row.phase}")
    row.acted += 1
    participant.acted_phase = phase
    put(state, event, row, participant)
    note(state, event)
    return row, participant


def _contribute(state: State, event: Event, acted: tuple[Session, Participant], *, samples: int) -> None:
    row, participant = acted
    if samples == 0:  # in an asynchronous session: nothing to hand in yet
        return
    participant.last_digest = event.args[3] if event.type.name == "ContributionRevealed" else event.args[4]
    participant.samples = samples
    participant.contributions += 1
    current = round_of(state, row)
    current.contributions += 1
    put(state, event, current, participant)


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
    row = session_of(state, session_id)
    participant = participant_of(state, session_id, slot, node=node)
    participant.missed += 1
    participant.slashed += lost
    row.slashed += lost
    if out:
        participant.status = "out"
        row.members -= 1
    put(state, event, row, participant)
    note(state, event)


def _caught(state: State, event: Event) -> None:
    session_id, node, slot, lost = event.args
    row = session_of(state, session_id)
    participant = participant_of(state, session_id, slot, node=node)
    participant.slashed += lost
    row.slashed += lost
    participant.status = "out"
    participant.caught_round = row.round
    row.members -= 1
    put(state, event, row, participant)
    note(state, event)


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "ParticipantJoined": _joined,
    "ParticipantLeft": _left,
    "ContributionCommitted": _committed,
    "ContributionRevealed": _revealed,
    "Posted": _posted,
    "ParticipantMissed": _missed,
    "ParticipantCaught": _caught,
}
