"""Tasks seen as prompts for a language model."""

from collections.abc import Mapping

from api.database import Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page
from api.statements import Tables

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


_PAST = """
SELECT t.task_id, t.client AS creator, s.content ->> 'clientId' AS client_id, s.content ->> 'model' AS model,
       s.content ->> 'prompt' AS prompt, t.status, r.content ->> 'output' AS output,
       (r.content ->> 'inputTokens')::int8 AS input_tokens, (r.content ->> 'outputTokens')::int8 AS output_tokens,
       t.paid + t.fee AS cost, t.created_at, t.settled_at AS completed_at, t.created_block
FROM {} t
JOIN documents s ON s.digest = t.spec AND s.content ->> 'kind' = 'llm'
LEFT JOIN documents r ON r.digest = t.result AND r.content ->> 'kind' = 'llm-result'
WHERE t.task_id = ANY($1::bytea[])
"""
"""What `prompt_requests` is of the tasks now, of the tasks then."""


async def page(
    snapshot: Snapshot, request: PageRequest, *, where: Where | None = None, ordering: Ordering = CREATED_DESC
) -> Page:
    """Return one page of prompts."""
    return await fetch_page(
        snapshot, _PROMPTS, conditions=conditions_of(where, COLUMNS), ordering=ordering, request=request
    )


def by_ids(tables: Tables) -> str:
    """Ask for the prompts of some task ids."""
    if tables.as_of is not None:
        return _PAST.format(tables.named("tasks"))
    return "SELECT * FROM prompt_requests WHERE task_id = ANY($1::bytea[])"
