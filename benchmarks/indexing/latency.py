"""Live: from sending a transaction to the moment a query sees its rows."""

import asyncio
import time
from pathlib import Path

import aiohttp
import asyncpg
from chains import BenchChain
from contestants import Contestant, running, until_ready

WARM_UP = 10
LIFE = 25


async def latencies_ms(
    contestant: Contestant,
    chain: BenchChain,
    database_url: str,
    *,
    samples: int,
    first: int,
    rows: str,
    log: Path,
) -> list[float]:
    """Send `samples` transactions of one tick each, one after the other; `rows` counts what they change.

    A tick submits a task, so each adds one row. Between two of them is a pause of no fixed length, so that a poller
    is not met at the same point of its period each time.
    """
    async with running(contestant, log) as process, aiohttp.ClientSession() as session:
        await until_ready(contestant, process, log)
        connection = await asyncpg.connect(database_url)
        try:
            query = await connection.prepare(rows)
            found = []
            for number in range(WARM_UP + samples):
                before = await query.fetchval()
                began = time.perf_counter()
                await chain.emit(session, first + LIFE * number, LIFE)
                while await query.fetchval() == before:  # noqa: ASYNC110 (what a reader sees is what is measured)
                    await asyncio.sleep(0.0005)
                found.append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(0.05 + 0.013 * (number % 7))
            return found[WARM_UP:]
        finally:
            await connection.close()


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
