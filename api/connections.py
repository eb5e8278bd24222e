"""Read-only connections to Postgres, for a transaction or for a single statement, so that no request pays a round trip to begin one.

A transaction that has read nothing yet holds neither a snapshot nor a lock, so that a waiting one is in nobody's way. It is
renewed in the one round trip that ends the last; nothing else of a connection changes, so that nothing else is reset.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import msgspec

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_QUEUE_S = 20.0
"""Seconds that a request waits for others to give one back: under load it is late, but the database is not away."""
_IDLE_S = 30.0
_CACHED_STATEMENTS = 500

BROKEN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's own doubt, where a connection ended under one of its operations
    asyncpg.AdminShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""What a connection says that the database has closed."""

Connection = asyncpg.Connection


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: Connection
    since: float
    begun: bool
    """Whether a transaction waits on it."""


class Connections:
    """At most `size` of them, made when they are needed; the one used last is given first, idle ones are closed."""

    def __init__(self, url: str, *, size: int, timeout_s: float, settings: Mapping[str, str]) -> None:
        self.size = size
        self._url = url
        self._timeout_s = timeout_s
        self._settings = dict(settings)
        self._places = asyncio.Semaphore(size)
        self._idle: list[_Idle] = []
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._renewals: set[asyncio.Task[None]] = set()

    async def take(self, *, begun: bool = True) -> Connection:
        """Return a connection, in a transaction or not; `TimeoutError` or `OSError` if there is none in time."""
        if self._places.locked():
            async with asyncio.timeout(_QUEUE_S):
                await self._places.acquire()
        else:
            await self._places.acquire()
        try:
            while self._idle:
                idle = self._most_fitting(begun=begun)
                if not idle.connection.is_closed() and await self._fits(idle, begun=begun):
                    return idle.connection
                self._all.discard(idle.connection)
            async with asyncio.timeout(self._timeout_s):
                return await self._connect(begun=begun)
        except BaseException:
            self._places.release()
            raise

    def _most_fitting(self, *, begun: bool) -> "_Idle":
        """Pop the one used last of those that are as they are wanted; of the others, if there are none."""
        fitting = [place for place, idle in enumerate(self._idle) if idle.begun is begun]
        return self._idle.pop(fitting[-1] if fitting else -1)

    async def _fits(self, idle: "_Idle", *, begun: bool) -> bool:
        """Begin or end the connection's transaction, if it is not as it is wanted; False if the database has closed it."""
        if idle.begun is begun:
            return True
        try:
            async with asyncio.timeout(self._timeout_s):
                await idle.connection.execute(_BEGIN if begun else "ROLLBACK")
        except (*BROKEN, asyncpg.PostgresError):
            idle.connection.terminate()
            return False
        except BaseException:
            self._all.discard(idle.connection)
            idle.connection.terminate()
            raise
        return True

    def give_back(self, connection: Connection, *, begun: bool = True) -> None:
        """End what was read in a transaction, and begin anew for the next, while whoever read it goes on."""
        if not begun:
            self._keep(connection, begun=False)
            return
        renewal = asyncio.get_running_loop().create_task(self._renew(connection))
        self._renewals.add(renewal)
        renewal.add_done_callback(self._renewals.discard)

    async def _renew(self, connection: Connection) -> None:
        try:
            await connection.execute(f"ROLLBACK; {_BEGIN}")
        except (*BROKEN, asyncpg.PostgresError):
            self.drop(connection)
        except BaseException:
            self.drop(connection)
            raise
        else:
            self._keep(connection, begun=True)

    def _keep(self, connection: Connection, *, begun: bool) -> None:
        self._idle.append(_Idle(connection, asyncio.get_running_loop().time(), begun))
        self._places.release()
        self._sweep_later()

    def drop(self, connection: Connection) -> None:
        """Give up a connection that is of no use any more."""
        self._all.discard(connection)
        self._places.release()
        with contextlib.suppress(OSError):
            connection.terminate()

    def terminate(self) -> None:
        """Close all at once."""
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._all:
            connection.terminate()
        self._all.clear()
        self._idle.clear()

    async def _connect(self, *, begun: bool) -> Connection:
        connection: Connection = await asyncpg.connect(
            self._url,
            timeout=self._timeout_s,
            server_settings=self._settings,
            statement_cache_size=_CACHED_STATEMENTS,
        )
        self._all.add(connection)
        await read_json(connection)
        if begun:
            await connection.execute(_BEGIN)
        return connection

    def _sweep_later(self) -> None:
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_IDLE_S, self._close_idle)

    def _close_idle(self) -> None:
        self._sweep = None
        oldest = asyncio.get_running_loop().time() - _IDLE_S
        for idle in self._idle:
            if idle.since <= oldest:
                self._all.discard(idle.connection)
                idle.connection.terminate()
        self._idle = [idle for idle in self._idle if idle.since > oldest]
        if self._idle:
            self._sweep_later()


async def read_json(connection: Connection) -> None:
    """Have jsonb read and written as values; in binary, since rows within rows come so."""
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda content: msgspec.json.decode(content[1:]),
        schema="pg_catalog",
        format="binary",
    )
