"""Tasks, their seats and their timelines."""

from collections.abc import Mapping

from api.database import Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page
from api.statements import Tables


def _tasks(tables: Tables) -> str:
    return f"SELECT t.* FROM {tables.named('tasks')} t"  # noqa: S608 (ours)


_COLUMNS: Mapping[str, str] = {
    "id": "t.task_id {}",
    "client": "t.client {}",
    "payer": "t.payer {}",
    "status": "t.status {}",
    "mode": "t.mode {}",
    "spec": "t.spec {}",
    "reward": "t.reward {}",
    "created_block": "t.created_block {}",
    "settled_block": "t.settled_block {}",
    "updated_block": "t.updated_block {}",
    "created_at": "t.created_at {}",
    "settled_at": "t.settled_at {}",
}


def _columns(tables: Tables) -> Mapping[str, str]:
    seat = f"EXISTS (SELECT 1 FROM {tables.named('task_seats')} s WHERE s.task_id = t.task_id AND s."  # noqa: S608 (ours)
    return {**_COLUMNS, "node": f"{seat}node {{}})", "owner": f"{seat}owner {{}})"}


CREATED_DESC = Ordering("created_desc", ("t.created_block", "t.task_id"), descending=True)
CREATED_ASC = Ordering("created_asc", ("t.created_block", "t.task_id"))
REWARD_DESC = Ordering("reward_desc", ("t.reward", "t.task_id"), descending=True)
REWARD_ASC = Ordering("reward_asc", ("t.reward", "t.task_id"))


async def page(
    snapshot: Snapshot, request: PageRequest, *, where: Where | None = None, ordering: Ordering = CREATED_DESC
) -> Page:
    """Return one page of tasks."""
    return await fetch_page(
        snapshot,
        _tasks(snapshot.tables),
        conditions=conditions_of(where, _columns(snapshot.tables)),
        ordering=ordering,
        request=request,
    )


def by_ids(tables: Tables) -> str:
    """Ask for the tasks of some ids."""
    return f"{_tasks(tables)} WHERE t.task_id = ANY($1::bytea[])"


def seats_of(tables: Tables) -> str:
    """Ask for the seats of some tasks, in order of seat."""
    return (
        f"SELECT s.* FROM {tables.named('task_seats')} s WHERE s.task_id = ANY($1::bytea[])"  # noqa: S608 (ours)
        " ORDER BY s.task_id, s.seat"
    )


def timelines_of(tables: Tables) -> str:
    """Ask for the events of some tasks up to the tables' block, in the order of the chain."""
    until = "" if tables.as_of is None else f" AND block_number <= {int(tables.as_of)}"
    return (
        f"SELECT * FROM task_events WHERE task_id = ANY($1::bytea[]){until}"  # noqa: S608 (ours)
        " ORDER BY task_id, block_number, tx_index, log_index"
    )
