"""A session as everybody sees it: a fold over what was posted, in order, and what each is to do next.

No clock and no network: whoever runs it reads a final chain and says when a phase's deadline has passed. Replaying the
same events gives the same session, so any process may be killed and started again.

    OPEN ──all seats or deadline──▶ TRAIN ─▶ REVEAL ─▶ AGGREGATE ─▶ TRAIN (next round) … ─▶ DONE
    with secure aggregation:        KEYS ─▶ SHARES ─▶ MASK ─▶ UNMASK ─▶ AGGREGATE
    too few at the end of a phase:  FAILED
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from learning.errors import SessionError
from learning.secagg.participant import default_threshold
from learning.session_config import SessionConfig


class Phase(StrEnum):
    """Where a session stands."""

    OPEN = "open"
    TRAIN = "train"
    REVEAL = "reveal"
    KEYS = "keys"
    SHARES = "shares"
    MASK = "mask"
    UNMASK = "unmask"
    AGGREGATE = "aggregate"
    DONE = "done"
    FAILED = "failed"


PLAIN = (Phase.TRAIN, Phase.REVEAL, Phase.AGGREGATE)
SECURE = (Phase.KEYS, Phase.SHARES, Phase.MASK, Phase.UNMASK, Phase.AGGREGATE)


@dataclass(frozen=True, slots=True)
class Joined:
    """A participant took the next seat."""

    participant: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A participant posted what the phase asks for: a commitment, a digest of content. `round` counts from 0."""

    phase: Phase
    round: int
    participant: str
    content: str


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """A final block lies beyond the deadline of this phase."""

    phase: Phase
    round: int


@dataclass(frozen=True, slots=True)
class Aggregated:
    """Somebody posted the round's model, and if the session ends with it, why."""

    round: int
    model: str
    stop: str | None = None


Event = Joined | Posted | DeadlinePassed | Aggregated


@dataclass(frozen=True, slots=True)
class Session:
    """What the events so far add up to. `posted` holds the round's posts by phase and participant."""

    config: SessionConfig
    phase: Phase = Phase.OPEN
    round: int = 0
    seats: tuple[str, ...] = ()
    posted: Mapping[Phase, Mapping[str, str]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen."""
        return self.phase in (Phase.DONE, Phase.FAILED)

    def by(self, phase: Phase) -> Mapping[str, str]:
        """Return this round's posts in a phase."""
        return self.posted.get(phase, {})


@dataclass(frozen=True, slots=True)
class Action:
    """What a participant is to do now: the phase's work in this round."""

    phase: Phase
    round: int


def fold(session: Session, events: Iterable[Event]) -> Session:
    """Apply events in order. Raises `SessionError` for one that cannot follow."""
    for event in events:
        session = apply(session, event)
    return session


def apply(session: Session, event: Event) -> Session:
    """Apply one event."""
    if session.ended:
        raise SessionError(f"the session is {session.phase}", field=type(event).__name__)
    match event:
        case Joined(participant=participant):
            return _joined(session, participant)
        case Posted():
            return _posted(session, event)
        case DeadlinePassed():
            _expect(session, event.phase, event.round)
            return _close(session)
        case Aggregated():
            return _aggregated(session, event)


def actions(session: Session, participant: str) -> tuple[Action, ...]:
    """Return what this participant is to do; nothing while it waits for others. Asked again, it says the same again."""
    if session.ended:
        return ()
    if session.phase is Phase.OPEN:
        return () if participant in session.seats else (Action(Phase.OPEN, 0),)
    if participant not in expected(session) or participant in session.by(session.phase):
        return ()
    return (Action(session.phase, session.round),)


def expected(session: Session) -> tuple[str, ...]:
    """Name those whose post this phase waits for, in the order of their seats."""
    before = {
        Phase.REVEAL: Phase.TRAIN,
        Phase.SHARES: Phase.KEYS,
        Phase.MASK: Phase.SHARES,
        Phase.UNMASK: Phase.MASK,
    }.get(session.phase)
    return (
        session.seats
        if before is None
        else tuple(seat for seat in session.seats if seat in session.by(before))
    )


def needed(session: Session) -> int:
    """Count the posts without which the phase's end is the session's."""
    least = session.config.training.min_participants
    secure = session.config.secure_aggregation
    if secure and session.phase in (Phase.SHARES, Phase.MASK, Phase.UNMASK):
        return max(least, secure.threshold or default_threshold(len(session.by(Phase.KEYS))))
    return least


def _joined(session: Session, participant: str) -> Session:
    if session.phase is not Phase.OPEN:
        raise SessionError("the session has begun", field=participant)
    if participant in session.seats:
        raise SessionError("has a seat already", field=participant)
    session = replace(session, seats=(*session.seats, participant))
    return _close(session) if len(session.seats) == session.config.partition.participants else session


def _posted(session: Session, event: Posted) -> Session:
    _expect(session, event.phase, event.round)
    if event.phase in (Phase.OPEN, Phase.AGGREGATE):
        raise SessionError(f"nothing is posted in {event.phase}", field=event.participant)
    if event.participant not in expected(session):
        raise SessionError(f"has nothing to post in {event.phase}", field=event.participant)
    if event.participant in session.by(event.phase):
        raise SessionError(f"has posted in {event.phase} already", field=event.participant)
    posts = {**session.by(event.phase), event.participant: event.content}
    session = replace(session, posted={**session.posted, event.phase: posts})
    everybody = len(posts) == len(expected(session))
    return _close(session) if everybody else session


def _close(session: Session) -> Session:
    """End a phase: go on with those who posted, or fail if they are too few."""
    order = SECURE if session.config.secure_aggregation else PLAIN
    if session.phase is Phase.AGGREGATE:
        return replace(session, phase=Phase.FAILED, reason="nobody aggregated in time")
    there = len(session.seats) if session.phase is Phase.OPEN else len(session.by(session.phase))
    if there < needed(session):
        reason = f"{there} in phase {session.phase} of round {session.round}, fewer than {needed(session)}"
        return replace(session, phase=Phase.FAILED, reason=reason)
    following = order[0] if session.phase is Phase.OPEN else order[order.index(session.phase) + 1]
    return replace(session, phase=following)


def _aggregated(session: Session, event: Aggregated) -> Session:
    _expect(session, Phase.AGGREGATE, event.round)
    session = replace(session, models=(*session.models, event.model), posted={})
    if event.stop:
        return replace(session, phase=Phase.DONE, reason=event.stop)
    order = SECURE if session.config.secure_aggregation else PLAIN
    return replace(session, phase=order[0], round=session.round + 1)


def _expect(session: Session, phase: Phase, round_number: int) -> None:
    if (session.phase, session.round) != (phase, round_number):
        raise SessionError(
            f"is for {phase} of round {round_number}, now it is {session.phase} of round {session.round}",
            field="event",
        )
