"""Runners with their records, what they offer, and the history of their scores."""

from collections.abc import Mapping, Sequence

from api.database import Record, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page
from api.statements import Tables


def _runners(tables: Tables, *, join: str = "JOIN") -> str:
    return (
        'SELECT r.*, p.score, p."right", p.wrong, p.missed, p.monitor_missed, p.wrong_streak,'  # noqa: S608 (ours)
        f" p.updated_block AS score_block FROM {tables.named('runners')} r"
        f" {join} {tables.named('runner_reputation')} p ON p.node = r.node"
    )


def _whoever(tables: Tables) -> str:
    """Ask for runners without an order: as each has one record, this is not looked for where nothing of it is wanted."""
    return _runners(tables, join="LEFT JOIN")


_COLUMNS: Mapping[str, str] = {
    "node": "r.node {}",
    "owner": "r.owner {}",
    "status": "r.status {}",
    "score": "p.score {}",
    "registered_block": "r.registered_block {}",
}

_OFFERS = "EXISTS (SELECT 1 FROM model_capabilities m WHERE m.node = r.node AND m.model {})"
_OFFERED_THEN = """(r.status = 'active' AND EXISTS (
SELECT 1 FROM documents d CROSS JOIN LATERAL jsonb_array_elements(d.content -> 'models') AS m
WHERE d.digest = r.profile AND d.content ->> 'kind' = 'runner-profile' AND m ->> 'name' {}))"""


def _columns(tables: Tables) -> Mapping[str, str]:
    return {**_COLUMNS, "model": _OFFERS if tables.as_of is None else _OFFERED_THEN}


SCORE_DESC = Ordering("score_desc", ("p.score", "r.node"), descending=True)
REGISTERED_DESC = Ordering("registered_desc", ("r.registered_block", "r.node"), descending=True)
REGISTERED_ASC = Ordering("registered_asc", ("r.registered_block", "r.node"))

_EVENTS = "SELECT e.* FROM reputation_events e"

EVENT_COLUMNS: Mapping[str, str] = {
    "node": "e.node {}",
    "ref": "e.ref {}",
    "outcome": "e.outcome {}",
    "block_number": "e.block_number {}",
}

EVENTS_DESC = Ordering(
    "chain_desc", ("e.block_number", "e.tx_index", "e.log_index", "e.node"), descending=True
)


_PAST_OFFERS = """
SELECT r.node, m ->> 'name' AS model, m ->> 'digest' AS digest, (m ->> 'context')::int8 AS context,
       (m ->> 'inputPrice')::numeric(78) AS input_price, (m ->> 'outputPrice')::numeric(78) AS output_price
FROM {} r
JOIN documents d ON d.digest = r.profile AND d.content ->> 'kind' = 'runner-profile'
CROSS JOIN LATERAL jsonb_array_elements(d.content -> 'models') AS m
WHERE r.status = 'active' AND r.node = ANY($1::bytea[])
ORDER BY r.node, model
"""
"""What `model_capabilities` is of the runners now, of the runners then."""


async def page(
    snapshot: Snapshot, request: PageRequest, *, where: Where | None = None, ordering: Ordering = SCORE_DESC
) -> Page:
    """Return one page of runners."""
    return await fetch_page(
        snapshot,
        _runners(snapshot.tables),
        conditions=conditions_of(where, _columns(snapshot.tables)),
        ordering=ordering,
        request=request,
    )


def by_nodes(tables: Tables) -> str:
    """Ask for the runners of some node keys."""
    return f"{_whoever(tables)} WHERE r.node = ANY($1::bytea[])"


def in_seats(tables: Tables) -> str:
    """Ask for the runners that hold seats in some tasks."""
    return (
        f"{_whoever(tables)} WHERE r.node IN"  # noqa: S608 (ours)
        f" (SELECT s.node FROM {tables.named('task_seats')} s WHERE s.task_id = ANY($1::bytea[]))"
    )


def in_sessions(tables: Tables) -> str:
    """Ask for the runners that take part, or took part, in some learning sessions."""
    return (
        f"{_whoever(tables)} WHERE r.node IN"  # noqa: S608 (ours)
        " (SELECT p.node FROM fl_participants p WHERE p.session_id = ANY($1::bytea[]))"
    )


def offers_of(tables: Tables) -> str:
    """Ask for the models that some runners offer."""
    if tables.as_of is not None:
        return _PAST_OFFERS.format(tables.named("runners"))
    return "SELECT * FROM model_capabilities WHERE node = ANY($1::bytea[]) ORDER BY node, model"


async def models(snapshot: Snapshot) -> Sequence[Record]:
    """Return the models on offer, with how many runners offer each and the lowest prices asked."""
    return await snapshot.fetch(
        "SELECT model, digest, max(context) AS context, count(*) AS runners, min(input_price) AS input_price,"
        " min(output_price) AS output_price FROM model_capabilities GROUP BY model, digest"
        " ORDER BY runners DESC, model, digest LIMIT 1000"
    )


async def event_page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of changes of scores, newest first."""
    return await fetch_page(
        snapshot,
        _EVENTS,
        conditions=conditions_of(where, EVENT_COLUMNS),
        ordering=EVENTS_DESC,
        request=request,
    )


async def events_after(snapshot: Snapshot, node: bytes, block: int) -> Sequence[Record]:
    """Return a runner's changes of score above a block, in the order of the chain; at most 1,000."""
    return await snapshot.fetch(
        "SELECT * FROM reputation_events WHERE node = $1 AND block_number > $2"
        " ORDER BY block_number, tx_index, log_index LIMIT 1000",
        node,
        block,
    )


async def rank_of(snapshot: Snapshot, node: bytes, score: int) -> int:
    """Count the runners whose place is before this one's in the order of scores."""
    row = await snapshot.fetch_one(
        "SELECT count(*) AS before FROM runner_reputation WHERE (score, node) > ($1, $2)", score, node
    )
    return int(row["before"]) if row else 0


async def active_nodes(snapshot: Snapshot) -> Sequence[Record]:
    """Return every active runner's node, and the blocks from which it may be drawn."""
    return await snapshot.fetch(
        "SELECT node, registered_block, banned_until, suspended_until FROM runners WHERE status = 'active'"
    )
