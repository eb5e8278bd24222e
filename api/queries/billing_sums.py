"""What was asked and paid, by client id, creator, model and day."""

from collections.abc import Mapping, Sequence

from api.database import Record, Snapshot
from api.filters import Where, conditions_of

MAX_ROWS = 1000

COLUMNS: Mapping[str, str] = {
    "client_id": "client_id {}",
    "creator": "creator {}",
    "model": "model {}",
}

_SUMS = (
    "sum(requests)::int8 AS requests, sum(input_tokens)::int8 AS input_tokens,"
    " sum(output_tokens)::int8 AS output_tokens, sum(cost)::numeric(78) AS cost"
)


async def by_client(snapshot: Snapshot, *, where: Where | None, days: int) -> Sequence[Record]:
    """Sum over the last `days` days of the UTC calendar, the dearest first; at most `MAX_ROWS` rows."""
    return await _grouped(
        snapshot, "client_id, creator, model", order="cost DESC, 1, 2, 3", where=where, days=days
    )


async def by_day(snapshot: Snapshot, *, where: Where | None, days: int) -> Sequence[Record]:
    """Sum each of the last `days` days that has requests, oldest first."""
    return await _grouped(snapshot, "day", order="day", where=where, days=days)


async def _grouped(
    snapshot: Snapshot, group: str, *, order: str, where: Where | None, days: int
) -> Sequence[Record]:
    conditions = conditions_of(where, COLUMNS)
    conditions.add(f"day > (now() AT TIME ZONE 'UTC')::date - {conditions.bind(days)}::int4")
    return await snapshot.fetch(  # the parts are constants of this module
        f"SELECT {group}, {_SUMS} FROM billing_metrics{conditions.where()}"  # noqa: S608
        f" GROUP BY {group} ORDER BY {order} LIMIT {MAX_ROWS}",
        *conditions.arguments,
    )
