"""The network in a few figures: its runners, its money, its tasks, and how fast they go."""

from collections.abc import Sequence

from api.database import Record, Snapshot


async def owners(snapshot: Snapshot) -> int:
    """Count the accounts that have active runners."""
    row = await snapshot.fetch_one(
        "SELECT count(DISTINCT owner) AS owners FROM runners WHERE status = 'active'"
    )
    return int(row["owners"]) if row else 0


async def throughput(snapshot: Snapshot, *, minutes: int) -> Sequence[Record]:
    """Count tasks submitted and settled in each of the last `minutes` minutes of chain time, oldest first.

    No row before the first block. The scans begin at the first block of that time, found from the newest backwards.
    """
    return await snapshot.fetch(
        """
        WITH newest AS (SELECT timestamp FROM blocks ORDER BY number DESC LIMIT 1),
        span AS (SELECT date_trunc('minute', timestamp) - make_interval(mins => $1 - 1) AS start,
                        date_trunc('minute', timestamp) AS "end" FROM newest),
        edge AS (SELECT coalesce((SELECT number FROM blocks WHERE timestamp < (SELECT start FROM span)
                                  ORDER BY number DESC LIMIT 1), 0) AS number),
        submitted AS (SELECT date_trunc('minute', created_at) AS start, count(*) AS tasks FROM tasks
                      WHERE created_block > (SELECT number FROM edge) GROUP BY 1),
        settled AS (SELECT date_trunc('minute', settled_at) AS start, count(*) AS tasks FROM tasks
                    WHERE settled_block > (SELECT number FROM edge) GROUP BY 1)
        SELECT m.start, coalesce(b.tasks, 0) AS submitted, coalesce(s.tasks, 0) AS settled
        FROM span, generate_series(span.start, span."end", interval '1 minute') AS m (start)
        LEFT JOIN submitted b ON b.start = m.start LEFT JOIN settled s ON s.start = m.start
        ORDER BY m.start
        """,
        minutes,
    )
