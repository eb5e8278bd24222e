"""SQL for the use and cost of each day, by client id, creator, model and day."""

from collections.abc import Sequence
from datetime import date

from api.database import Record, Snapshot
from api.filters import Conditions

MAX_ROWS = 1000


async def by_day(
    snapshot: Snapshot,
    *,
    client_id: str | None,
    creator: bytes | None,
    model: str | None,
    since: date,
    until: date,
) -> Sequence[Record]:
    """Return use and cost of each day from `since` to `until`, newest first; at most `MAX_ROWS` and one rows."""
    conditions = Conditions()
    for column, value in (("client_id", client_id), ("creator", creator), ("model", model)):
        if value is not None:
            conditions.add(f"{column} = {conditions.bind(value)}")
    conditions.add(f"day >= {conditions.bind(since)}")
    conditions.add(f"day <= {conditions.bind(until)}")
    return await snapshot.fetch(
        f"SELECT * FROM billing_metrics{conditions.where()}"  # noqa: S608  # columns are named here
        f" ORDER BY day DESC, client_id, creator, model LIMIT {MAX_ROWS + 1}",
        *conditions.arguments,
    )
