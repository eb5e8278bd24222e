"""The network in a few figures: its runners, its money, its tasks, and how fast they go."""

from collections.abc import Sequence

from api.database import Record, Snapshot


async def totals(snapshot: Snapshot) -> Record:
    """Give the numbers of runners and owners, and the sums of the ledger, in one row."""
    row = await snapshot.fetch_one(
        "SELECT r.active_runners, r.owners, b.* FROM"
        " (SELECT count(*) AS active_runners, count(DISTINCT owner) AS owners FROM runners WHERE status = 'active') r,"
        " (SELECT coalesce(sum(free), 0) AS free, coalesce(sum(escrowed), 0) AS escrowed,"
        " coalesce(sum(bonded), 0) AS bonded, coalesce(sum(locked), 0) AS locked FROM balances) b"
    )
    if row is None:
        raise LookupError("a query of sums without a row")
    return row


async def tasks_by_status(snapshot: Snapshot) -> Sequence[Record]:
    """Give for each status the tasks in it and what they have cost their payers."""
    return await snapshot.fetch(
        "SELECT status, count(*) AS tasks, coalesce(sum(paid + fee), 0) AS cost FROM tasks"
        " GROUP BY status ORDER BY status"
    )


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
