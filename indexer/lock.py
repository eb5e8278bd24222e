"""One writer a database: a session lock that Postgres drops the moment its holder is gone."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from indexer.errors import LostLock

log = structlog.get_logger()


@asynccontextmanager
async def writer_lock(database_url: str, schema: str) -> AsyncIterator[asyncio.Event]:
    """Wait for the lock, as a hot standby if need be. Gives an event that is set when the lock is lost."""
    key = int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], "big", signed=True)
    lost = asyncio.Event()
    # The holder is idle for good; a network that drops idle connections must not make it lose the lock.
    connection = await asyncpg.connect(database_url, server_settings={"tcp_keepalives_idle": "30"})
    try:
        connection.add_termination_listener(lambda _connection: lost.set())
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            log.info("standby", why="another indexer is active; waiting for it to end")
            await connection.fetchval("SELECT pg_advisory_lock($1)", key)
        yield lost
    finally:
        await connection.close(timeout=5)


async def watch(lost: asyncio.Event) -> None:
    """Raise `LostLock` when the lock is lost."""
    await lost.wait()
    raise LostLock(
        "the database connection that holds the writer's lock is gone", hint="Start the indexer again."
    )
