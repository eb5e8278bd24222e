"""The database as this process sees it: a pool of read-only connections and snapshots over them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import asyncpg

from api.connections import BROKEN, Connection, Connections
from api.metrics import STATEMENTS
from api.statements import Statement, Tables, joined, narrowed
from protocol.errors import ParityError

ACQUIRE_TIMEOUT_S = 5.0

TURNS = 4
"""Turns of the event loop for which a read waits for others: a data loader's come three after a resolver's own."""
_MAX_COLUMNS = 2000

T = TypeVar("T")

Record = Mapping[str, Any]
"""A row: its values by the names of its columns."""

Answer = asyncio.Future[list[Record]]
"""The rows of a statement that is being asked; other statements asked meanwhile go with it."""


class Shape(Protocol):
    """What is wanted of the rows of a statement that does not know it."""

    def over(self, text: str, tables: Tables, *, also: frozenset[str]) -> str:
        """Ask for this, and the columns `also`, of the rows of a statement."""
        ...


_COLUMNS: dict[str, tuple[str, ...]] = {}
"""Names of the columns of statements that were sent together with others."""


class DatabaseUnavailable(ParityError):
    """Postgres cannot be reached, or has no free connection in time."""


class IndexMissing(ParityError):
    """Postgres is there, but the indexer has made no tables in it yet."""


class IndexBehind(ParityError):
    """The index has not reached the block that the request asks for."""


class StatementTimeout(ParityError):
    """A statement took longer than this server allows."""


class ReadAgain(Exception):  # no error: whoever reads once reads anew, in a transaction
    """A snapshot that takes no transaction was asked a second time."""


class Database:
    """Lazy: made without a connection, so that the process starts (and says so) while Postgres is away."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_timeout_s: float = 5.0) -> None:
        self.url = url
        self._pool_size = pool_size
        self._settings = {
            "application_name": "parity-server",
            "default_transaction_read_only": "on",
            # What is asked most is in memory. At a disk's price, Postgres would gather and sort the ten rows of a list that
            # an index has next to each other and in order.
            "random_page_cost": "1.1",
            "statement_timeout": f"{int(statement_timeout_s * 1000)}",
            "idle_in_transaction_session_timeout": "60000",
        }
        self._connections: Connections | None = None

    async def __aenter__(self) -> Self:
        self._connections = Connections(
            self.url, size=self._pool_size, timeout_s=ACQUIRE_TIMEOUT_S, settings=self._settings
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connections is not None:
            self._connections.terminate()

    def snapshot(self, *, once: bool = False, turns: int = TURNS) -> "Snapshot":
        """Return a view of one instant, opened at its first read; the caller closes it. `once`: for reads asked together."""
        return Snapshot(self.connections, once=once, turns=turns)

    @property
    def connections(self) -> Connections:
        """Return the connections; only within the database's own block."""
        if self._connections is None:
            raise RuntimeError("the database is used before it is entered")
        return self._connections

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Snapshot"]:
        """Yield a snapshot and close it at the end of the block."""
        snapshot = self.snapshot()
        try:
            yield snapshot
        finally:
            await snapshot.close()


@dataclass(slots=True)
class _Asked:
    statement: Statement
    answer: Answer


class Snapshot:
    """All that one request reads: one REPEATABLE READ transaction on one connection, so that its parts agree.

    Reads that are asked for at once go to the database as one statement. One that is said to be for these alone takes no
    transaction, and fails those that come later with `ReadAgain`, which the caller has to see to. Raises
    `DatabaseUnavailable`, `IndexMissing` or `StatementTimeout`.
    """

    tables = Tables()
    """What its statements read."""

    exceeded = False
    """Whether more was asked of it than what it is for."""

    def __init__(self, connections: Connections, *, once: bool = False, turns: int = TURNS) -> None:
        self._connections = connections
        self._once = once
        self._turns = turns
        self._connection: Connection | None = None
        self._waiting: list[_Asked] = []
        self._reader: asyncio.Task[None] | None = None
        self._has_read = False
        self._closed = False

    def at(self, block: int) -> "PastSnapshot":
        """Return the same instant's view of an earlier block."""
        return PastSnapshot(self, block)

    def shaped(self, shape: Shape) -> "Snapshot":
        """Return the same view, of whose rows only this is wanted."""
        return ShapedSnapshot(self, shape)

    def with_columns(self, columns: Iterable[str]) -> "Snapshot":  # noqa: ARG002  # for those that are shaped
        """Return the view that has these columns too."""
        return self

    def fetch(self, statement: str, *arguments: object) -> Answer:
        """Run one statement, a query, and give all its rows."""
        if self._closed:
            raise RuntimeError("the snapshot is used after it was closed")
        loop = asyncio.get_running_loop()
        asked = _Asked(narrowed(statement, arguments), loop.create_future())
        self._waiting.append(asked)
        if self._reader is None:
            self._reader = loop.create_task(self._read())
        return asked.answer

    async def fetch_one(self, statement: str, *arguments: object) -> Record | None:
        """Run one statement and give its first row, if any."""
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def close(self) -> None:
        """End the transaction and give the connection back; harmless when repeated. What still runs is given up."""
        self._closed = True
        begun = (
            not self._once or self._reader is not None
        )  # what was interrupted is ended as a transaction is
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        for one in self._waiting:
            one.answer.cancel()
        self._waiting = []
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.give_back(connection, begun=begun)

    async def _read(self) -> None:
        try:
            while self._waiting:
                for _ in range(self._turns):
                    await asyncio.sleep(0)
                asked, self._waiting = self._waiting, []
                await self._answer(asked)
                self._has_read = True
        finally:
            self._reader = None

    async def _answer(self, asked: list[_Asked]) -> None:
        try:
            with said_plainly():
                answers = await self._rows_of([one.statement for one in asked])
        except BaseException as error:
            # Whatever it is, it is for those who wait: they are of other tasks.
            for one in asked:
                if one.answer.done():
                    continue
                if not isinstance(error, Exception):
                    one.answer.cancel()
                    continue
                one.answer.set_exception(error)
                one.answer.exception()  # noted, so that nobody complains if whoever waited has gone
            if not isinstance(error, Exception):
                raise
        else:
            for one, rows in zip(asked, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(rows)

    async def _rows_of(self, statements: list[Statement]) -> list[list[Record]]:
        if self._once and self._has_read:
            self.exceeded = True
            raise ReadAgain("more was to be read than could be asked for together")
        if len(statements) == 1:
            return [await self._run(statements[0])]
        names = [await self._names(statement.text) for statement in statements]
        (answers,) = await self._run(joined(statements))
        return [
            [dict(zip(columns, row, strict=True)) for row in rows]
            for columns, rows in zip(names, answers.values(), strict=True)
        ]

    async def _run(self, statement: Statement) -> list[Record]:
        async def fetch(connection: Connection) -> list[Record]:
            rows: Any = await connection.fetch(statement.text, *statement.arguments)
            return list(rows)

        STATEMENTS.inc()
        return await self._on_connection(fetch)

    async def _names(self, text: str) -> tuple[str, ...]:
        """Return the names of a statement's columns; the database is asked once for each statement."""
        known = _COLUMNS.get(text)
        if known is None:
            prepared = await self._on_connection(lambda connection: connection.prepare(text))
            known = tuple(attribute.name for attribute in prepared.get_attributes())
            if len(_COLUMNS) >= _MAX_COLUMNS:
                _COLUMNS.clear()
            _COLUMNS[text] = known
        return known

    async def _on_connection(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do the work on the snapshot's connection; the first on one that lives: after a restart all may be dead."""
        if self._connection is not None:
            return await work(self._connection)
        for left in range(self._connections.size, -1, -1):
            connection = await self._connections.take(begun=not self._once)
            try:
                result = await work(connection)
            except BROKEN:
                self._connections.drop(connection)
                if not left:
                    raise
            except BaseException:
                self._connection = connection
                raise
            else:
                self._connection = connection
                return result
        raise AssertionError("the last attempt returns or raises")


class PastSnapshot(Snapshot):
    """A snapshot's view of an earlier block: its reads are the snapshot's, over tables as they were then."""

    def __init__(self, now: Snapshot, block: int) -> None:
        self._now = now
        self.tables = Tables(block)

    def fetch(self, statement: str, *arguments: object) -> Answer:
        """Run one statement in the snapshot."""
        return self._now.fetch(statement, *arguments)

    async def close(self) -> None:
        """Leave the snapshot to whoever opened it."""


class ShapedSnapshot(Snapshot):
    """A snapshot's view of what is wanted of rows: whatever is read comes in that shape."""

    def __init__(self, whole: Snapshot, shape: Shape, *, also: frozenset[str] = frozenset()) -> None:
        self._whole = whole
        self._shape = shape
        self._also = also
        self.tables = whole.tables

    def with_columns(self, columns: Iterable[str]) -> "Snapshot":
        """Return the view that has these columns too."""
        return ShapedSnapshot(self._whole, self._shape, also=self._also.union(columns))

    def fetch(self, statement: str, *arguments: object) -> Answer:
        """Run one statement in the snapshot for what is wanted of it."""
        return self._whole.fetch(self._shape.over(statement, self.tables, also=self._also), *arguments)

    async def close(self) -> None:
        """Leave the snapshot to whoever opened it."""


_UNDEFINED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError)


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
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            raise DatabaseUnavailable(
                "the database takes no writes now; what is only read is answered",
                hint="DATABASE_URL leads to a replica, or Postgres was made read-only, as some hosts do when a disk is full.",
            ) from error
        if isinstance(error, _UNDEFINED):
            raise IndexMissing(
                "the database holds no index of the chain, or one of another version",
                hint="Start parity-indexer of the same release on this database and try again.",
            ) from error
        if isinstance(error, (*BROKEN, TimeoutError)) or (
            isinstance(error, asyncpg.PostgresError)
            and (error.sqlstate or "")[:2] in {"08", "28", "3D", "53", "55", "57"}
        ):
            raise DatabaseUnavailable(
                "the database does not answer",
                hint="Check DATABASE_URL and that Postgres is running; then try again.",
            ) from error
