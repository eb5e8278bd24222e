"""Tasks, their seats and their timelines."""

from collections.abc import Mapping, Sequence

from api.database import Answer, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page


def _tasks(snapshot: Snapshot) -> str:
    return f"SELECT t.* FROM {snapshot.table('tasks')} t"  # noqa: S608 (ours)


COLUMNS: Mapping[str, str] = {
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
    "node": "EXISTS (SELECT 1 FROM task_seats s WHERE s.task_id = t.task_id AND s.node {})",
    "owner": "EXISTS (SELECT 1 FROM task_seats s WHERE s.task_id = t.task_id AND s.owner {})",
}

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
        _tasks(snapshot),
        conditions=conditions_of(where, COLUMNS),
        ordering=ordering,
        request=request,
    )


def by_ids(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the tasks of these ids that exist."""
    return snapshot.fetch(f"{_tasks(snapshot)} WHERE t.task_id = ANY($1::bytea[])", ids)


def seats_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the seats of these tasks, in order of seat."""
    return snapshot.fetch(
        f"SELECT s.* FROM {snapshot.table('task_seats')} s WHERE s.task_id = ANY($1::bytea[])"  # noqa: S608 (ours)
        " ORDER BY s.task_id, s.seat",
        ids,
    )


def timelines_of(snapshot: Snapshot, ids: Sequence[bytes]) -> Answer:
    """Return the events of these tasks up to the snapshot's block, in the order of the chain."""
    return snapshot.fetch(
        "SELECT * FROM task_events WHERE task_id = ANY($1::bytea[])"
        " AND block_number <= $2 ORDER BY task_id, block_number, tx_index, log_index",
        ids,
        2**62 if snapshot.as_of is None else snapshot.as_of,
    )
