"""One writer a database: a session lock that Postgres drops the moment its holder is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from indexer.errors import LostLock
from indexer.schema import lock_key

log = structlog.get_logger()


@asynccontextmanager
async def writer_lock(database_url: str, schema: str) -> AsyncIterator[asyncio.Event]:
    """Wait for the lock, as a hot standby if need be. Gives an event that is set when the lock is lost."""
    key = lock_key(schema)
    lost = asyncio.Event()
    # The holder is idle for good; a network that drops idle connections must not make it lose the lock. And when its
    # machine is gone without a word, the server must notice, for a standby to take over.
    keepalive = {
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "10000",
    }
    connection = await asyncpg.connect(database_url, server_settings=keepalive)
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
