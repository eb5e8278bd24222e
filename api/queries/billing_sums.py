"""SQL for the sums of use and cost over all days, by client id, creator, model and day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from api.database import Record, Snapshot
from api.filters import Where, conditions_of

MAX_ROWS = 1000

COLUMNS: Mapping[str, str] = {
    "client_id": "client_id {}",
    "creator": "creator {}",
    "model": "model {}",
}

_DAY = "(created_at AT TIME ZONE 'UTC')::date AS day"
_SUMS = (
    "count(*) AS requests, coalesce(sum(input_tokens), 0)::int8 AS input_tokens,"
    " coalesce(sum(output_tokens), 0)::int8 AS output_tokens, sum(cost)::numeric(78) AS cost"
)


async def by_client(snapshot: Snapshot, *, where: Where | None, days: int) -> Sequence[Record]:
    """Sum over the last `days` days of the UTC calendar, the dearest first; at most `MAX_ROWS` rows."""
    columns = "client_id, creator, model"
    return await _grouped(snapshot, columns, by="1, 2, 3", order="cost DESC, 1, 2, 3", where=where, days=days)


async def by_day(snapshot: Snapshot, *, where: Where | None, days: int) -> Sequence[Record]:
    """Sum each of the last `days` days that has requests, oldest first."""
    return await _grouped(snapshot, _DAY, by="1", order="1", where=where, days=days)


async def _grouped(
    snapshot: Snapshot, columns: str, *, by: str, order: str, where: Where | None, days: int
) -> Sequence[Record]:
    """Sum prompts themselves: the view `billing_metrics` would sort them by creator and model too, and be summed again."""
    conditions = conditions_of(where, COLUMNS)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    conditions.add(f"created_at >= {conditions.bind(today - timedelta(days=days - 1))}")
    return await snapshot.fetch(  # the parts are constants of this module
        f"SELECT {columns}, {_SUMS} FROM prompt_requests{conditions.where()}"  # noqa: S608
        f" GROUP BY {by} ORDER BY {order} LIMIT {MAX_ROWS}",
        *conditions.arguments,
    )
