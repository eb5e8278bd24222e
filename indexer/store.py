"""The database side of the fold: reads the rows it needs, writes what changed, exactly once.

One transaction writes raw logs, folded rows, undo images and the cursor. `sync_state.nonce` fences it: a second writer
that slipped past the lock changes no row and fails.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from indexer.amounts import read_and_write_integers
from indexer.chain import Header
from indexer.errors import LostLock
from indexer.fold.state import Keys, State
from indexer.loading import load
from indexer.stages import Stages
from indexer.writing import Cursor, Transaction


@dataclass(slots=True)
class Store:
    """One version of the index, open for writing by one process."""

    writer: asyncpg.Connection
    reader: asyncpg.Connection
    schema: str
    stages: Stages = field(default_factory=Stages)
    nonce: int | None = None
    at: Cursor | None = None
    """The cursor as this process last committed or read it."""

    @classmethod
    @asynccontextmanager
    async def open(cls, database_url: str, schema: str) -> AsyncIterator["Store"]:
        """Open two connections: the writer's transactions overlap with reads of rows for the next batch."""
        # A commit that a crash of the database's machine takes back is indexed again, since the cursor goes with it.
        settings = {"search_path": f"{schema}, public", "synchronous_commit": "off"}
        writer = await asyncpg.connect(database_url, server_settings=settings)
        try:
            reader = await asyncpg.connect(database_url, server_settings=settings)
            try:
                for connection in (writer, reader):
                    await read_and_write_integers(connection)
                yield cls(writer, reader, schema)
            finally:
                await reader.close()
        finally:
            await writer.close()

    async def cursor(self) -> Cursor:
        """Read the cursor; `LostLock` when somebody else moved it, since what is in memory is then out of date."""
        columns = ", ".join(Cursor.__dataclass_fields__)
        row = await self.reader.fetchrow(f"SELECT {columns} FROM sync_state")  # noqa: S608 (our names)
        cursor = Cursor(**dict(row or {}))
        if self.nonce is None:
            self.nonce = cursor.nonce
        if cursor.nonce != self.nonce:
            raise _overtaken()
        self.at = cursor
        return cursor

    async def window(self, cursor: Cursor) -> list[Header]:
        """List the blocks that may still be undone and the one that all build on, newest first.

        That one is the newest at or below the finalised height, which itself may be a null round.
        """
        rows = await self.reader.fetch(
            "SELECT number, hash, parent_hash, timestamp FROM blocks WHERE number >= coalesce("
            "(SELECT max(number) FROM blocks WHERE number <= $1), 0) ORDER BY number DESC",
            cursor.finalized_number,
        )
        return [Header(**dict(row)) for row in rows]

    async def stored_blocks(self) -> list[Header]:
        """List all stored blocks, newest first."""
        rows = await self.reader.fetch(
            "SELECT number, hash, parent_hash, timestamp FROM blocks ORDER BY number DESC"
        )
        return [Header(**dict(row)) for row in rows]

    async def newest_until(self, number: int) -> Header | None:
        """Return the newest stored block at or below a height."""
        row = await self.reader.fetchrow(
            "SELECT number, hash, parent_hash, timestamp FROM blocks WHERE number <= $1 ORDER BY number DESC LIMIT 1",
            number,
        )
        return Header(**dict(row)) if row is not None else None

    async def tip(self, cursor: Cursor) -> Header:
        """Return the block that the cursor's hash names: at its height, or below it where that is a null round."""
        row = await self.reader.fetchrow(
            "SELECT number, hash, parent_hash, timestamp FROM blocks WHERE hash = $1", cursor.indexed_hash
        )
        return Header(**dict(row or {}))

    async def places(self, first: int, last: int) -> set[tuple[int, int, int, bytes]]:
        """Return block, position of the transaction, position of the log and transaction of each log stored of the blocks."""
        rows = await self.reader.fetch(
            "SELECT block_number, tx_index, log_index, tx_hash FROM logs WHERE block_number BETWEEN $1 AND $2",
            first,
            last,
        )
        return {tuple(row) for row in rows}

    async def anchor(self, block: Header) -> None:
        """Record the block before the first one to index, so that the first has a parent."""
        async with self.transaction() as transaction:
            await transaction.add_blocks([block])
            await self.writer.execute("UPDATE sync_state SET indexed_hash = $1", block.hash)

    async def load(self, state: State, keys: Keys, *, inside: bool = False) -> None:
        """Let the state know the rows of the keys. `inside`: as the open writing transaction sees them."""
        await load(self.writer if inside else self.reader, state, keys)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Write atomically, fenced: `LostLock` when another writer wrote since this store was opened."""
        if self.nonce is None:
            await self.cursor()
        try:
            async with self.writer.transaction():
                await self._fence()
                transaction = Transaction(self.writer, self.stages)
                yield transaction
        except BaseException:
            self.stages.rolled_back()
            raise
        self.nonce = (self.nonce or 0) + 1
        self.at = transaction.moved_to
        await self.stages.committed(self.writer)

    async def _fence(self) -> None:
        fence = "UPDATE sync_state SET nonce = nonce + 1, updated_at = now() WHERE nonce = $1"
        if await self.writer.execute(fence, self.nonce) != "UPDATE 1":
            raise _overtaken()

    async def enter_phase(self, phase: str) -> None:
        """Notify readers of what the indexer is about to do."""
        async with self.transaction():
            await self.writer.execute("UPDATE sync_state SET phase = $1", phase)


def _overtaken() -> LostLock:
    return LostLock("another indexer wrote to this database", hint="Run one active indexer; others wait.")
