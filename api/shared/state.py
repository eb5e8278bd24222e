"""The connection to the state that all processes share: writable, and migrated before its first use."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import structlog

from api.connections import BROKEN, read_json
from api.database import ACQUIRE_TIMEOUT_S, Record, said_plainly
from protocol.errors import ParityError

SCHEMA = "parity_api"
MIGRATIONS = Path(__file__).parent / "migrations"
HOUSEKEEPING_S = 300.0
_POOL_SIZE = 5
_STATEMENT_TIMEOUT_MS = 10_000
_LOCK = "parity_api"

log = structlog.get_logger(__name__)


class SharedState:
    """A lazy pool. Raises `DatabaseUnavailable` or `StatementTimeout`, as reads of the index do.

    Commits are not waited for on disk: what a crash of Postgres itself may lose (the last half second) is asked of
    the chain again, or is a limit that starts anew.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._migrating = asyncio.Lock()
        self._migrated = False

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=_POOL_SIZE,
            init=read_json,
            server_settings={
                "application_name": "parity-server-shared",
                "statement_timeout": str(_STATEMENT_TIMEOUT_MS),
                "synchronous_commit": "off",
            },
            timeout=ACQUIRE_TIMEOUT_S,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.terminate()

    @property
    def is_there(self) -> bool:
        """Return whether its tables were seen, so that they may be read beside the index."""
        return self._migrated

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Yield a connection for the block; the tables are there."""
        if self._pool is None:
            raise RuntimeError("the shared state is used before it is entered")
        with said_plainly():
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
            try:
                await self._migrate(connection)
                yield connection
            finally:
                await self._pool.release(connection)

    async def fetch(self, statement: str, *arguments: object) -> list[Record]:
        """Run one statement and give its rows."""
        async with self.connection() as connection:
            return list(await connection.fetch(statement, *arguments))

    async def fetch_one(self, statement: str, *arguments: object) -> Record | None:
        """Run one statement and give its first row, if any."""
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Hold a lock over all processes for the block; it falls when the process or its connection dies."""
        async with self.connection() as connection:
            # Others' turns may take longer than a statement may.
            await connection.execute("SET statement_timeout = 60000")
            await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", f"{_LOCK}:{name}")
            try:
                yield
            finally:
                # Releasing the connection to the pool resets its settings and drops its locks.
                await connection.execute("SELECT pg_advisory_unlock_all()")

    async def keep_house(self) -> None:
        """Delete for ever what has expired; a database that is away is tried again later."""
        await repeatedly(self._sweep, every_s=HOUSEKEEPING_S, what="housekeeping")

    async def _sweep(self) -> None:
        async with self.connection() as connection:
            for statement in _EXPIRED:
                await connection.execute(statement)

    async def _migrate(self, connection: Any) -> None:
        if self._migrated:
            return
        async with self._migrating:
            if not self._migrated:
                await migrate(connection)
                self._migrated = True


_EXPIRED = (
    "DELETE FROM parity_api.buckets WHERE worked_off_at < now()",
    "DELETE FROM parity_api.relaying WHERE lease_until < now() - interval '1 hour'",
    "DELETE FROM parity_api.idempotency WHERE expires_at < now()",
    "DELETE FROM parity_api.nonces WHERE expires_at < now()",
    "DELETE FROM parity_api.sessions WHERE expires_at < now()",
    "DELETE FROM parity_api.heartbeats WHERE received_at < now() - interval '30 days'",
    "DELETE FROM parity_api.persisted_queries WHERE used_at < now() - interval '30 days'",
)


async def migrate(connection: Any) -> None:
    """Bring the schema to this release; several processes may try at once. A schema that is up to date is not touched."""
    wanted = _migrations()
    if await _version(connection) >= len(wanted):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", _LOCK)
        # Asked first: to make a schema takes a right on the database, even where it is there already.
        if await connection.fetchval("SELECT to_regnamespace('parity_api')") is None:
            await connection.execute("CREATE SCHEMA parity_api")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS parity_api.migrations"
            " (version int4 PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        for version in range(await _version(connection) + 1, len(wanted) + 1):
            name, text = wanted[version - 1]
            await connection.execute(text)
            await connection.execute(
                "INSERT INTO parity_api.migrations (version, name) VALUES ($1, $2)", version, name
            )
            log.info("shared state migrated", version=version, migration=name)


async def _version(connection: Any) -> int:
    if await connection.fetchval("SELECT to_regclass('parity_api.migrations')") is None:
        return 0
    version: int = await connection.fetchval("SELECT coalesce(max(version), 0) FROM parity_api.migrations")
    return version


@cache
def _migrations() -> list[tuple[str, str]]:
    return [(path.stem, path.read_text(encoding="utf-8")) for path in sorted(MIGRATIONS.glob("*.sql"))]


async def repeatedly(work: Callable[[], Awaitable[object]], *, every_s: float, what: str) -> None:
    """Do `work` for ever, with a pause after each. Whatever fails is logged and tried again: it must not end the server."""
    while True:
        try:
            await work()
        except Exception as error:
            known = isinstance(error, (ParityError, *BROKEN, asyncpg.PostgresError))
            log.warning("will try again", what=what, error=str(error), retry_in_s=every_s, exc_info=not known)
        await asyncio.sleep(every_s)
