"""Audited tasks: what the beacon drew, the panels, and their votes."""

from collections.abc import Mapping

from api.database import Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page
from api.statements import Tables

_AUDITS = "SELECT a.* FROM audits a"

COLUMNS: Mapping[str, str] = {
    "task_id": "a.task_id {}",
    "node": "a.node {}",
    "stage": "a.stage {}",
    "valid": "a.valid {}",
    "challenged": "(a.challenger IS NOT NULL) {}",
    "auditor": "EXISTS (SELECT 1 FROM audit_votes v WHERE v.task_id = a.task_id AND v.node {})",
}

OPENED_DESC = Ordering("opened_desc", ("a.opened_block", "a.task_id"), descending=True)


async def page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of audited tasks, revealed last first."""
    return await fetch_page(
        snapshot, _AUDITS, conditions=conditions_of(where, COLUMNS), ordering=OPENED_DESC, request=request
    )


def by_tasks(_tables: Tables) -> str:
    """Ask for the audits of some tasks, where there are any."""
    return f"{_AUDITS} WHERE a.task_id = ANY($1::bytea[])"


def panels_of(_tables: Tables) -> str:
    """Ask for the panels of some tasks, the first before the appeal's."""
    return "SELECT * FROM audit_panels WHERE task_id = ANY($1::bytea[]) ORDER BY task_id, round"


def votes_of(_tables: Tables) -> str:
    """Ask for the auditors' seats and votes about some tasks."""
    return "SELECT * FROM audit_votes WHERE task_id = ANY($1::bytea[]) ORDER BY task_id, round, seat"
