"""A lost database is waited for, but not by an indexer that was told to stop."""

import asyncio

import asyncpg

from indexer.http import Status
from indexer.outages import ride_out
from indexer.progress import Progress


async def test_a_stop_that_crosses_the_loss_of_the_database_is_still_a_stop(postgres_url: str) -> None:
    begun, times = asyncio.Event(), 0

    async def write() -> None:
        nonlocal times
        times += 1
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            if times == 1:
                raise asyncpg.InterfaceError("cannot perform operation: connection is closed")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(write())

    status = Status(ready_lag_blocks=0, stale_after_s=0, progress=Progress())
    riding = asyncio.create_task(ride_out(work, database_url=postgres_url, status=status))
    await begun.wait()
    riding.cancel()
    await asyncio.wait({riding}, timeout=5)
    assert riding.cancelled()
