"""Runners watching runners: duties, reports and verdicts, and what they add up to over the last epochs."""

from collections.abc import Mapping, Sequence

from api.database import Record, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page

_ASSIGNMENTS = (
    "SELECT a.*, e.epoch FROM monitoring_assignments a JOIN monitoring_epochs e ON e.round = a.round"
)
_REPORTS = "SELECT r.*, e.epoch FROM monitoring_reports r JOIN monitoring_epochs e ON e.round = r.round"
_VERDICTS = "SELECT v.* FROM monitoring_verdicts v"

ASSIGNMENT_COLUMNS: Mapping[str, str] = {
    "round": "a.round {}",
    "epoch": "e.epoch {}",
    "monitor": "a.monitor {}",
    "mark": "a.mark {}",
}
REPORT_COLUMNS: Mapping[str, str] = {
    "round": "r.round {}",
    "epoch": "e.epoch {}",
    "target": "r.target {}",
    "monitor": "r.monitor {}",
    "kind": "r.kind {}",
    "counted": "r.counted {}",
}
VERDICT_COLUMNS: Mapping[str, str] = {
    "epoch": "v.epoch {}",
    "target": "v.target {}",
    "ruling": "v.ruling {}",
    "kind": "v.kind {}",
}

HEARD_DESC = Ordering("heard_desc", ("a.updated_block", "a.round", "a.monitor"), descending=True)
REVEALED_DESC = Ordering(
    "revealed_desc", ("r.revealed_block", "r.round", "r.target", "r.monitor"), descending=True
)
CONCLUDED_DESC = Ordering("concluded_desc", ("v.concluded_block", "v.round", "v.target"), descending=True)

_CHOSEN = (
    "WITH chosen AS (SELECT round, epoch, opened_block FROM monitoring_epochs WHERE epoch IS NOT NULL"
    " ORDER BY epoch DESC LIMIT $1)"
)
_DUTIES = (
    "count(*) AS rounds, count(a.commitment) AS committed, count(a.revealed_block) AS revealed,"
    " coalesce(sum(a.reports), 0)::int8 AS reports, count(*) FILTER (WHERE a.mark = 'silent') AS silent,"
    " count(*) FILTER (WHERE a.mark = 'lying') AS lying"
)


async def assignment_page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of monitors' duties, of which something was heard last first."""
    conditions = conditions_of(where, ASSIGNMENT_COLUMNS)
    return await fetch_page(
        snapshot, _ASSIGNMENTS, conditions=conditions, ordering=HEARD_DESC, request=request
    )


async def report_page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of reports, revealed last first."""
    conditions = conditions_of(where, REPORT_COLUMNS)
    return await fetch_page(
        snapshot, _REPORTS, conditions=conditions, ordering=REVEALED_DESC, request=request
    )


async def verdict_page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of verdicts, concluded last first."""
    conditions = conditions_of(where, VERDICT_COLUMNS)
    return await fetch_page(
        snapshot, _VERDICTS, conditions=conditions, ordering=CONCLUDED_DESC, request=request
    )


async def reports_of(snapshot: Snapshot, duties: Sequence[tuple[bytes, bytes]]) -> Sequence[Record]:
    """Return what these monitors said in these rounds; `duties` are pairs of round and monitor."""
    return await snapshot.fetch(
        "SELECT r.*, e.epoch FROM unnest($1::bytea[], $2::bytea[]) AS d (round, monitor)"
        " JOIN monitoring_reports r ON r.round = d.round AND r.monitor = d.monitor"
        " JOIN monitoring_epochs e ON e.round = r.round ORDER BY r.round, r.monitor, r.target",
        [round_ for round_, _ in duties],
        [monitor for _, monitor in duties],
    )


async def newest_epoch(snapshot: Snapshot) -> Record | None:
    """Return the epoch that was opened last; None before the first."""
    return await snapshot.fetch_one(
        "SELECT * FROM monitoring_epochs WHERE epoch IS NOT NULL ORDER BY epoch DESC LIMIT 1"
    )


async def span(snapshot: Snapshot, epochs: int) -> Record:
    """Return first and last of the last `epochs` opened epochs and the first one's block; null before the first."""
    row = await snapshot.fetch_one(
        f"{_CHOSEN} SELECT count(*) AS epochs, min(epoch) AS first, max(epoch) AS last,"  # noqa: S608 (ours)
        " min(opened_block) AS since_block FROM chosen",
        epochs,
    )
    assert row is not None, "an aggregate gives one row"
    return row


async def duties_in(snapshot: Snapshot, epochs: int) -> Record:
    """Sum up all monitors' duties of the last `epochs` epochs."""
    row = await snapshot.fetch_one(
        f"{_CHOSEN} SELECT {_DUTIES} FROM monitoring_assignments a WHERE a.round IN (SELECT round FROM chosen)",  # noqa: S608 (ours)
        epochs,
    )
    assert row is not None, "an aggregate gives one row"
    return row


async def kinds_in(snapshot: Snapshot, epochs: int) -> dict[str, int]:
    """Count the last `epochs` epochs' reports by kind."""
    rows = await snapshot.fetch(
        f"{_CHOSEN} SELECT r.kind AS name, count(*) AS number FROM monitoring_reports r"  # noqa: S608 (ours)
        " WHERE r.round IN (SELECT round FROM chosen) GROUP BY 1 ORDER BY 1",
        epochs,
    )
    return _counted(rows)


async def rulings_in(snapshot: Snapshot, epochs: int) -> dict[str, int]:
    """Count the last `epochs` epochs' verdicts by ruling."""
    rows = await snapshot.fetch(
        f"{_CHOSEN} SELECT v.ruling AS name, count(*) AS number FROM monitoring_verdicts v"  # noqa: S608 (ours)
        " WHERE v.round IN (SELECT round FROM chosen) GROUP BY 1 ORDER BY 1",
        epochs,
    )
    return _counted(rows)


async def duties_of(snapshot: Snapshot, node: bytes, *, since_block: int) -> Record:
    """Sum up one monitor's duties of which something was heard at or above a block; judges' rounds count."""
    row = await snapshot.fetch_one(
        f"SELECT {_DUTIES} FROM monitoring_assignments a WHERE a.monitor = $1 AND a.updated_block >= $2",  # noqa: S608 (ours)
        node,
        since_block,
    )
    assert row is not None, "an aggregate gives one row"
    return row


async def kinds_about(snapshot: Snapshot, node: bytes, *, since_block: int) -> dict[str, int]:
    """Count the reports about a runner that counted, revealed at or above a block, by kind."""
    rows = await snapshot.fetch(
        "SELECT kind AS name, count(*) AS number FROM monitoring_reports"
        " WHERE target = $1 AND revealed_block >= $2 AND counted GROUP BY 1 ORDER BY 1",
        node,
        since_block,
    )
    return _counted(rows)


async def rulings_about(snapshot: Snapshot, node: bytes, *, first_epoch: int) -> dict[str, int]:
    """Count the verdicts about a runner from an epoch on, by ruling."""
    rows = await snapshot.fetch(
        "SELECT ruling AS name, count(*) AS number FROM monitoring_verdicts"
        " WHERE target = $1 AND epoch >= $2 GROUP BY 1 ORDER BY 1",
        node,
        first_epoch,
    )
    return _counted(rows)


async def watchable(snapshot: Snapshot) -> Sequence[Record]:
    """Return every active runner with what decides whether it may watch and be watched."""
    return await snapshot.fetch(
        "SELECT node, owner, registered_block, banned_until, suspended_until FROM runners"
        " WHERE status = 'active'"
    )


def _counted(rows: Sequence[Record]) -> dict[str, int]:
    return {row["name"]: row["number"] for row in rows}
