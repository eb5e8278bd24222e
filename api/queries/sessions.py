"""Federated learning sessions, their rounds and their participants."""

from collections.abc import Mapping

from api.database import Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page
from api.statements import Tables

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


def by_ids(_tables: Tables) -> str:
    """Ask for the sessions of some ids."""
    return f"{_SESSIONS} WHERE s.session_id = ANY($1::bytea[])"


def rounds_of(_tables: Tables) -> str:
    """Ask for the rounds of some sessions, in order."""
    return "SELECT * FROM fl_rounds WHERE session_id = ANY($1::bytea[]) ORDER BY session_id, round"


def timelines_of(_tables: Tables) -> str:
    """Ask for the newest events of some sessions, at most `MAX_EVENTS` of each, in the order of the chain."""
    return (
        "SELECT e.* FROM unnest($1::bytea[]) AS i (session_id) CROSS JOIN LATERAL ("  # noqa: S608 (ours)
        "SELECT * FROM fl_events f WHERE f.session_id = i.session_id"
        f" ORDER BY block_number DESC, tx_index DESC, log_index DESC LIMIT {MAX_EVENTS}) e"
        " ORDER BY e.session_id, e.block_number, e.tx_index, e.log_index"
    )


def contributions_of(_tables: Tables) -> str:
    """Ask for what participants contributed, openly or masked, each with its round; of all attempts at a round."""
    return (
        "SELECT * FROM (SELECT e.*, max(CASE WHEN e.name = 'RoundStarted' THEN (e.data ->> 'round')::int4 END) OVER ("
        "PARTITION BY e.session_id ORDER BY e.block_number, e.tx_index, e.log_index) AS round"
        " FROM fl_events e WHERE e.session_id = ANY($1::bytea[])"
        " AND e.name IN ('RoundStarted', 'ContributionRevealed', 'Posted')) AS told"
        " WHERE (name = 'ContributionRevealed' AND data ->> 'samples' <> '0') OR (name = 'Posted' AND data ->> 'phase' = 'masking')"
        " ORDER BY session_id, block_number, tx_index, log_index"
    )


def participants_of(_tables: Tables) -> str:
    """Ask for the participants of some sessions, by slot."""
    return "SELECT * FROM fl_participants WHERE session_id = ANY($1::bytea[]) ORDER BY session_id, slot"
