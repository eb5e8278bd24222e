"""Federated learning sessions, their rounds and their participants."""

from collections.abc import Mapping, Sequence

from api.database import Record, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page

_SESSIONS = "SELECT s.* FROM federated_learning_sessions s"

COLUMNS: Mapping[str, str] = {
    "id": "s.session_id {}",
    "creator": "s.creator {}",
    "phase": "s.phase {}",
    "node": "EXISTS (SELECT 1 FROM fl_participants p WHERE p.session_id = s.session_id AND p.node {})",
}

CREATED_DESC = Ordering("created_desc", ("s.created_block", "s.session_id"), descending=True)


async def page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Give one page of sessions, newest first."""
    return await fetch_page(
        snapshot, _SESSIONS, conditions=conditions_of(where, COLUMNS), ordering=CREATED_DESC, request=request
    )


async def by_ids(snapshot: Snapshot, ids: Sequence[bytes]) -> Sequence[Record]:
    """Give the sessions of these ids that exist."""
    return await snapshot.fetch(f"{_SESSIONS} WHERE s.session_id = ANY($1::bytea[])", ids)


async def rounds_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Sequence[Record]:
    """Give the rounds of these sessions, in order."""
    return await snapshot.fetch(
        "SELECT * FROM fl_rounds WHERE session_id = ANY($1::bytea[]) ORDER BY session_id, round", ids
    )


async def participants_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Sequence[Record]:
    """Give the participants of these sessions, by slot."""
    return await snapshot.fetch(
        "SELECT * FROM fl_participants WHERE session_id = ANY($1::bytea[]) ORDER BY session_id, slot", ids
    )
