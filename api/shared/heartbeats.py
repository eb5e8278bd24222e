"""The last heartbeat of each runner."""

from collections.abc import Sequence

from api.database import Record
from api.shared.state import SharedState
from api.statements import Tables


async def record(
    state: SharedState, node: bytes, *, version: str, slots: int, busy: int, url: str | None
) -> Record:
    """Keep a runner's word in place of its last one; gives the row."""
    row = await state.fetch_one(
        "INSERT INTO parity_api.heartbeats (node, version, slots, busy, url, received_at)"
        " VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT (node) DO UPDATE SET version = excluded.version,"
        " slots = excluded.slots, busy = excluded.busy, url = excluded.url, received_at = excluded.received_at"
        " RETURNING *",
        node,
        version,
        slots,
        busy,
        url,
    )
    if row is None:
        raise LookupError("an upsert without a row")
    return row


def by_nodes(tables: Tables) -> str:
    """Ask for the last heartbeats of some nodes that ever sent one; the past has none."""
    of = "parity_api.heartbeats WHERE node = ANY($1::bytea[])"
    return f"SELECT * FROM {of}" + ("" if tables.as_of is None else " AND false")  # noqa: S608 (ours)


async def of(state: SharedState, nodes: Sequence[bytes]) -> Sequence[Record]:
    """Return the last heartbeats of these nodes that ever sent one."""
    return await state.fetch(by_nodes(Tables()), nodes)
