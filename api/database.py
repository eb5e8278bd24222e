"""The database as this process sees it: a pool of read-only connections and snapshots over them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from api.metrics import STATEMENTS
from protocol.errors import ParityError

ACQUIRE_TIMEOUT_S = 5.0

Record = asyncpg.Record


class DatabaseUnavailable(ParityError):
    """Postgres cannot be reached, or has no free connection in time."""


class IndexMissing(ParityError):
    """Postgres is there, but the indexer has made no tables in it yet."""


class IndexBehind(ParityError):
    """The index has not reached the block that the request asks for."""


class StatementTimeout(ParityError):
    """A statement took longer than this server allows."""


class Database:
    """A lazy pool: made without a connection, so that the process starts (and says so) while Postgres is away."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_timeout_s: float = 5.0) -> None:
        self.url = url
        self._pool_size = pool_size
        self._settings = {
            "application_name": "parity-server",
            "default_transaction_read_only": "on",
            "statement_timeout": f"{int(statement_timeout_s * 1000)}",
            "idle_in_transaction_session_timeout": "60000",
        }
        self._pool: asyncpg.Pool[Record] | None = None

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self.url,
            min_size=0,
            max_size=self._pool_size,
            init=read_json,
            server_settings=self._settings,
            timeout=ACQUIRE_TIMEOUT_S,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.terminate()

    def snapshot(self) -> "Snapshot":
        """Give a view of one instant, opened at its first read; the caller closes it."""
        if self._pool is None:
            raise RuntimeError("the database is used before it is entered")
        return Snapshot(self._pool)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Snapshot"]:
        """Give a snapshot and close it at the end of the block."""
        snapshot = self.snapshot()
        try:
            yield snapshot
        finally:
            await snapshot.close()


BROKEN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
)
"""What a connection says that the database has closed."""


class Snapshot:
    """All that one request reads: one REPEATABLE READ transaction on one connection, so that its parts agree.

    Reads may be asked for concurrently; they run one after another. Raises `DatabaseUnavailable`, `IndexMissing`
    or `StatementTimeout`.
    """

    as_of: int | None = None
    """Block at whose end tables with history are read; None for the newest."""

    def __init__(self, pool: "asyncpg.Pool[Record]") -> None:
        self._pool = pool
        self._lock = asyncio.Lock()
        self._connection: PoolConnectionProxy[Record] | None = None
        self._closed = False

    def at(self, block: int) -> "PastSnapshot":
        """Give the same instant's view of an earlier block."""
        return PastSnapshot(self, block)

    def table(self, name: str) -> str:
        """Write a table with history as a statement's FROM names it."""
        return name if self.as_of is None else f"{name}_at({int(self.as_of)})"

    async def fetch(self, statement: str, *arguments: object) -> list[Record]:
        """Run one statement and give all its rows."""
        async with self._lock:
            with said_plainly():
                connection = await self._open()
                STATEMENTS.inc()
                rows: list[Record] = await connection.fetch(statement, *arguments)
                return rows

    async def fetch_one(self, statement: str, *arguments: object) -> Record | None:
        """Run one statement and give its first row, if any."""
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def close(self) -> None:
        """End the transaction and give the connection back; harmless when repeated."""
        async with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
            if connection is not None:
                # A connection that broke is replaced by the pool.
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connection.execute("ROLLBACK")
                await self._pool.release(connection)

    async def _open(self) -> "PoolConnectionProxy[Record]":
        if self._closed:
            raise RuntimeError("the snapshot is used after it was closed")
        if self._connection is None:
            self._connection = await self._begun()
        return self._connection

    async def _begun(self) -> "PoolConnectionProxy[Record]":
        """Begin on a connection that lives: after a restart of the database, each that the pool kept is dead once."""
        for left in range(self._pool.get_max_size(), -1, -1):
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
            try:
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except BROKEN:
                await self._pool.release(connection)
                if not left:
                    raise
            else:
                return connection
        raise AssertionError("the last attempt returns or raises")


class PastSnapshot(Snapshot):
    """A snapshot's view of an earlier block: its reads are the snapshot's, over tables as they were then."""

    def __init__(self, now: Snapshot, block: int) -> None:
        self._now = now
        self.as_of = block

    async def fetch(self, statement: str, *arguments: object) -> list[Record]:
        """Run one statement in the snapshot."""
        return await self._now.fetch(statement, *arguments)

    async def close(self) -> None:
        """Leave the snapshot to whoever opened it."""


class said_plainly:  # noqa: N801  # a context manager reads as a verb
    """Turn the driver's exceptions into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncpg.QueryCanceledError):
            raise StatementTimeout(
                "the query took longer than this server allows",
                hint="Ask for fewer rows or a narrower filter.",
            ) from error
        if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
            raise IndexMissing(
                "the database holds no index of the chain, or one of another version",
                hint="Start parity-indexer of the same release on this database and try again.",
            ) from error
        if isinstance(
            error, OSError | TimeoutError | asyncpg.PostgresConnectionError | asyncpg.InterfaceError
        ) or (
            isinstance(error, asyncpg.PostgresError)
            and (error.sqlstate or "")[:2] in {"08", "28", "3D", "53", "57"}
        ):
            raise DatabaseUnavailable(
                "the database does not answer",
                hint="Check DATABASE_URL and that Postgres is running; then try again.",
            ) from error


async def read_json(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
        schema="pg_catalog",
    )
