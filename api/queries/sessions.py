"""Federated learning sessions, their rounds and their participants."""

from collections.abc import Mapping, Sequence

from api.database import Answer, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page

_SESSIONS = "SELECT s.* FROM federated_learning_sessions s"

COLUMNS: Mapping[str, str] = {
    "id": "s.session_id {}",
    "creator": "s.creator {}",
    "phase": "s.phase {}",
    "node": "EXISTS (SELECT 1 FROM fl_participants p WHERE p.session_id = s.session_id AND p.node {})",
}

MAX_EVENTS = 200

CREATED_DESC = Ordering("created_desc", ("s.created_block", "s.session_id"), descending=True)


async def page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of sessions, newest first."""
    return await fetch_page(
        snapshot, _SESSIONS, conditions=conditions_of(where, COLUMNS), ordering=CREATED_DESC, request=request
    )


def by_ids(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the sessions of these ids that exist."""
    return snapshot.fetch(f"{_SESSIONS} WHERE s.session_id = ANY($1::bytea[])", ids)


def rounds_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the rounds of these sessions, in order."""
    return snapshot.fetch(
        "SELECT * FROM fl_rounds WHERE session_id = ANY($1::bytea[]) ORDER BY session_id, round", ids
    )


def timelines_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the newest events of these sessions, at most `MAX_EVENTS` of each, in the order of the chain."""
    return snapshot.fetch(
        "SELECT e.* FROM unnest($1::bytea[]) AS i (session_id) CROSS JOIN LATERAL ("
        "SELECT * FROM fl_events f WHERE f.session_id = i.session_id"
        " ORDER BY block_number DESC, tx_index DESC, log_index DESC LIMIT $2) e"
        " ORDER BY e.session_id, e.block_number, e.tx_index, e.log_index",
        ids,
        MAX_EVENTS,
    )


def contributions_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return what participants contributed, openly or masked, each with its round; of all attempts at a round."""
    return snapshot.fetch(
        "SELECT * FROM (SELECT e.*, max(CASE WHEN e.name = 'RoundStarted' THEN (e.data ->> 'round')::int4 END) OVER ("
        "PARTITION BY e.session_id ORDER BY e.block_number, e.tx_index, e.log_index) AS round"
        " FROM fl_events e WHERE e.session_id = ANY($1::bytea[])"
        " AND e.name IN ('RoundStarted', 'ContributionRevealed', 'Posted')) AS told"
        " WHERE (name = 'ContributionRevealed' AND data ->> 'samples' <> '0') OR (name = 'Posted' AND data ->> 'phase' = 'masking')"
        " ORDER BY session_id, block_number, tx_index, log_index",
        ids,
    )


def participants_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the participants of these sessions, by slot."""
    return snapshot.fetch(
        "SELECT * FROM fl_participants WHERE session_id = ANY($1::bytea[]) ORDER BY session_id, slot", ids
    )
