"""Tasks seen as prompts for a language model."""

from collections.abc import Mapping, Sequence

from api.database import Record, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page

_PROMPTS = "SELECT p.*, t.created_block FROM prompt_requests p JOIN tasks t ON t.task_id = p.task_id"

COLUMNS: Mapping[str, str] = {
    "id": "p.task_id {}",
    "creator": "p.creator {}",
    "client_id": "p.client_id {}",
    "model": "p.model {}",
    "status": "p.status {}",
    "created_at": "p.created_at {}",
}

CREATED_DESC = Ordering("created_desc", ("t.created_block", "t.task_id"), descending=True)
CREATED_ASC = Ordering("created_asc", ("t.created_block", "t.task_id"))


async def page(
    snapshot: Snapshot, request: PageRequest, *, where: Where | None = None, ordering: Ordering = CREATED_DESC
) -> Page:
    """Give one page of prompts."""
    return await fetch_page(
        snapshot, _PROMPTS, conditions=conditions_of(where, COLUMNS), ordering=ordering, request=request
    )


async def by_ids(snapshot: Snapshot, ids: Sequence[bytes]) -> Sequence[Record]:
    """Give the prompts of these task ids that exist."""
    return await snapshot.fetch(f"{_PROMPTS} WHERE p.task_id = ANY($1::bytea[])", ids)
