"""The database side of the fold: reads the rows it needs, writes what changed, exactly once.

One transaction writes raw logs, folded rows, undo images and the cursor. `sync_state.nonce` fences it: a second writer
that slipped past the lock changes no row and fails.
"""

import json
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from indexer.chain import Header
from indexer.copying import copy_logs, copy_task_events
from indexer.errors import FoldError, LostLock
from indexer.events import Log
from indexer.fold.audits import ROUNDS, places
from indexer.fold.state import Changes, Keys, State
from indexer.rpc.wire import hexed
from indexer.tables import APPENDED, FOLDED, FOLDED_BY_NAME, HISTORY, Table

LOG_COLUMNS = Log.__struct_fields__
STAGED_ROWS = 20_000
"""Rows after whose deletion the stages are truncated, which vacuuming never looks at; less often, as it is slow."""
CHANNEL = "parity_block"
"""Channel that is notified of every committed head."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the index has come; see the table `sync_state`."""

    nonce: int
    phase: str
    chain_id: int
    genesis_hash: bytes
    start_block: int
    head_number: int
    indexed_number: int
    indexed_hash: bytes | None
    finalized_number: int
    reorgs: int
    last_reorg_depth: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What some blocks changed. `undo_block` asks for before-images as of that block; None below finality."""

    logs: Sequence[Log]
    changes: Changes
    blocks: Sequence[Header]
    undo_block: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Where the cursor goes with a commit."""

    phase: str
    head_number: int
    indexed: Header
    finalized_number: int
    reorg_depth: int | None = None


@dataclass(slots=True)
class Store:
    """One version of the index, open for writing by one process."""

    writer: asyncpg.Connection
    reader: asyncpg.Connection
    schema: str
    stages: set[str] = field(default_factory=set)
    staged_rows: int = 0
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

    async def tip(self, cursor: Cursor) -> Header:
        """Give the block that the cursor's hash names: at its height, or below it where that is a null round."""
        row = await self.reader.fetchrow(
            "SELECT number, hash, parent_hash, timestamp FROM blocks WHERE hash = $1", cursor.indexed_hash
        )
        return Header(**dict(row or {}))

    async def anchor(self, block: Header) -> None:
        """Record the block before the first one to index, so that the first has a parent."""
        async with self.transaction() as transaction:
            await transaction.add_blocks([block])
            await self.writer.execute("UPDATE sync_state SET indexed_hash = $1", block.hash)

    async def load(self, state: State, keys: Keys, *, inside: bool = False) -> None:
        """Let the state know the rows of the keys. `inside`: as the open writing transaction sees them."""
        connection = self.writer if inside else self.reader
        await self._load_tasks(connection, state, state.tasks.unknown(keys.tasks))
        await self._load_sessions(connection, state, state.sessions.unknown(keys.sessions))
        await self._load_audits(connection, state, state.audits.unknown(keys.audits))
        for name, wanted in (
            ("balances", keys.balances),
            ("runners", keys.runners),
            ("runner_reputation", keys.runners),
            ("parameters", keys.parameters),
            ("client_epochs", keys.client_epochs),
            ("channels", keys.channels),
            ("pauses", keys.pauses),
            ("session_parameters", keys.session_parameters),
            ("monitoring_epochs", keys.monitoring_rounds),
            ("monitoring_assignments", keys.monitoring_duties),
            ("monitoring_reports", keys.monitoring_reports),
            ("monitoring_verdicts", keys.monitoring_verdicts),
            ("audit_rules", keys.audit_rules),
        ):
            rows = state.tables()[name]
            unknown = rows.unknown(wanted)
            rows.learn(unknown, await _by_key(connection, FOLDED_BY_NAME[name], unknown))
        if unknown := state.modules.unknown(keys.modules):
            table = FOLDED_BY_NAME["modules"]
            found = {
                (row["contract"], row["module"]): _row(table, row)
                for row in await connection.fetch("SELECT * FROM modules")
            }
            state.modules.learn(unknown, found)

    async def _load_tasks(self, connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
        if not unknown:
            return
        tasks = await _by_key(connection, FOLDED_BY_NAME["tasks"], unknown)
        state.tasks.learn(unknown, tasks)
        seats = {
            (row["task_id"], row["seat"]): _row(FOLDED_BY_NAME["task_seats"], row)
            for row in await connection.fetch("SELECT * FROM task_seats WHERE task_id = ANY($1)", list(tasks))
        }
        places = [(task_id, number) for task_id, task in tasks.items() for number in range(task.replicas)]
        state.seats.learn(places, seats)

    async def _load_sessions(
        self, connection: asyncpg.Connection, state: State, unknown: list[bytes]
    ) -> None:
        """Load sessions with all their participants and the round that each is in: no event speaks of an earlier one."""
        if not unknown:
            return
        sessions = await _by_key(connection, FOLDED_BY_NAME["federated_learning_sessions"], unknown)
        state.sessions.learn(unknown, sessions)
        rounds = {
            (row["session_id"], row["round"]): _row(FOLDED_BY_NAME["fl_rounds"], row)
            for row in await connection.fetch(
                "SELECT r.* FROM fl_rounds r JOIN federated_learning_sessions s USING (session_id, round)"
                " WHERE session_id = ANY($1)",
                list(sessions),
            )
        }
        state.rounds.learn([(found.session_id, found.round) for found in sessions.values()], rounds)
        held = {
            (row["session_id"], row["slot"]): _row(FOLDED_BY_NAME["fl_participants"], row)
            for row in await connection.fetch(
                "SELECT * FROM fl_participants WHERE session_id = ANY($1)", list(sessions)
            )
        }
        places = [(key, slot) for key, found in sessions.items() for slot in range(found.max_participants)]
        state.participants.learn(places, held)

    async def _load_audits(self, connection: asyncpg.Connection, state: State, unknown: list[bytes]) -> None:
        if not unknown:
            return
        audits = await _by_key(connection, FOLDED_BY_NAME["audits"], unknown)
        state.audits.learn(unknown, audits)
        if not audits:
            return
        known = list(audits)
        panels, votes = FOLDED_BY_NAME["audit_panels"], FOLDED_BY_NAME["audit_votes"]
        state.audit_panels.learn(
            [(task_id, number) for task_id in known for number in ROUNDS],
            {
                (row["task_id"], row["round"]): _row(panels, row)
                for row in await connection.fetch("SELECT * FROM audit_panels WHERE task_id = ANY($1)", known)
            },
        )
        state.audit_votes.learn(
            [place for task_id in known for place in places(task_id)],
            {
                (row["task_id"], row["round"], row["seat"]): _row(votes, row)
                for row in await connection.fetch("SELECT * FROM audit_votes WHERE task_id = ANY($1)", known)
            },
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Transaction"]:
        """Write atomically, fenced: `LostLock` when another writer wrote since this store was opened."""
        for table in FOLDED:
            if table.stage not in self.stages:
                await self.writer.execute(table.create_stage())
                self.stages.add(table.stage)
        if self.nonce is None:
            await self.cursor()
        async with self.writer.transaction():
            fence = "UPDATE sync_state SET nonce = nonce + 1, updated_at = now() WHERE nonce = $1"
            if await self.writer.execute(fence, self.nonce) != "UPDATE 1":
                raise _overtaken()
            transaction = Transaction(self.writer)
            yield transaction
        self.nonce = (self.nonce or 0) + 1
        self.at = transaction.moved_to
        self.staged_rows += transaction.staged_rows
        if self.staged_rows > STAGED_ROWS:
            self.staged_rows = 0
            await self.writer.execute(f"TRUNCATE {', '.join(self.stages)}")

    async def enter_phase(self, phase: str) -> None:
        """Tell readers what the indexer is about to do."""
        async with self.transaction():
            await self.writer.execute("UPDATE sync_state SET phase = $1", phase)


_NO_VALUE = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ValueError,
    OverflowError,
    struct.error,
)


@dataclass(slots=True)
class Transaction:
    """An open writing transaction."""

    connection: asyncpg.Connection
    moved_to: Cursor | None = None
    staged_rows: int = 0

    async def write(self, batch: Batch) -> None:
        """Write logs, rows, undo images and blocks. `FoldError` when a value fits no column, as no contract's would."""
        try:
            await self._write(batch)
        except _NO_VALUE as error:
            where = batch.logs[0].where if batch.logs else "blocks without logs"
            raise FoldError(
                f"what was folded from {where} on cannot be stored: {error}",
                hint="Distrust the node, or run `parity-indexer verify`.",
            ) from error

    async def _write(self, batch: Batch) -> None:
        if batch.logs:
            await copy_logs(self.connection, batch.logs)
        await self._write_rows(batch)
        for name, kind in APPENDED.items():
            if name == "task_events":
                continue
            rows: Iterable[msgspec.Struct] = getattr(batch.changes, name)
            await self._copy(name, kind.__struct_fields__, [msgspec.structs.astuple(row) for row in rows])
        if batch.changes.task_events:
            await copy_task_events(self.connection, batch.changes.task_events)
        for name, records in batch.changes.history.items():
            await self._copy(f"{name}_history", HISTORY[f"{name}_history"], records)
        await self.want_documents(batch.changes.documents)
        await self.add_blocks(batch.blocks)

    async def _write_rows(self, batch: Batch) -> None:
        merges: list[str] = []
        for name, table in FOLDED_BY_NAME.items():
            new, changed = batch.changes.new.get(name, []), batch.changes.changed.get(name, [])
            if batch.undo_block is None:
                await self._copy(name, table.columns, new)
            else:
                changed = [*new, *changed]
            if changed:
                self.staged_rows += len(changed)
                await self._copy(table.stage, table.columns, changed)
                if batch.undo_block is not None:
                    merges.append(table.keep_before_images(batch.undo_block))
                merges.append(table.merge())
        if merges:
            # One journey to the database instead of three a table, of which a block changes half a dozen.
            await self.connection.execute(";".join(merges))

    async def add_blocks(self, blocks: Sequence[Header]) -> None:
        """Write block rows."""
        # A range of null rounds ends with the block that the range before ended with.
        await self.connection.execute(
            "INSERT INTO blocks SELECT * FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::timestamptz[])"
            " ON CONFLICT DO NOTHING",
            [block.number for block in blocks],
            [block.hash for block in blocks],
            [block.parent_hash for block in blocks],
            [block.timestamp for block in blocks],
        )

    async def _copy(self, table: str, columns: Sequence[str], records: Sequence[tuple[Any, ...]]) -> None:
        if records:
            await self.connection.copy_records_to_table(table, records=records, columns=list(columns))

    async def want_documents(self, documents: dict[bytes, str]) -> None:
        """Ask the document worker for digests that it does not know yet."""
        if documents:
            await self.connection.execute(
                "INSERT INTO content.documents (digest, kind) SELECT * FROM unnest($1::bytea[], $2::text[])"
                " ON CONFLICT DO NOTHING",
                list(documents),
                list(documents.values()),
            )

    async def undo_above(self, ancestor: int) -> None:
        """Make every table as it was after block `ancestor`."""
        for table in FOLDED:
            await self.connection.execute(table.undo_created(), ancestor)
            await self.connection.execute(table.undo_changed(), ancestor)
        await self.connection.execute("DELETE FROM undo WHERE block_number > $1", ancestor)
        for name in (*APPENDED, *HISTORY, "logs"):
            await self.connection.execute(f"DELETE FROM {name} WHERE block_number > $1", ancestor)  # noqa: S608 (our names)
        await self.connection.execute("DELETE FROM blocks WHERE number > $1", ancestor)

    async def advance(self, cursor: Cursor, to: Advance) -> None:
        """Move the cursor and tell listeners.

        What is final is the newest block at or below the finalised height: that itself may be a null round, in whose place
        a reorganisation may put a block.
        """
        row = await self.connection.fetchrow(
            _ADVANCE,
            to.phase,
            to.head_number,
            to.indexed.number,
            to.indexed.hash,
            min(to.finalized_number, to.indexed.number),
            cursor.finalized_number,
            to.reorg_depth,
            CHANNEL,
            json.dumps({"number": to.indexed.number, "hash": hexed(to.indexed.hash)}),
        )
        assert row is not None
        self.moved_to = Cursor(**{column: row[column] for column in Cursor.__dataclass_fields__})


_ADVANCE = """
    WITH final AS (
        SELECT greatest($6::int8, (SELECT max(number) FROM blocks WHERE number <= $5::int8)) AS number
    ), forgotten AS (
        DELETE FROM undo USING final WHERE undo.block_number <= final.number AND final.number > $6
    )
    UPDATE sync_state SET phase = $1, head_number = $2, indexed_number = $3, indexed_hash = $4,
        finalized_number = final.number, reorgs = reorgs + ($7::int8 IS NOT NULL)::int,
        last_reorg_depth = coalesce($7, last_reorg_depth),
        last_reorg_at = CASE WHEN $7 IS NULL THEN last_reorg_at ELSE now() END
    FROM final RETURNING sync_state.*, pg_notify($8, $9)
"""


def _overtaken() -> LostLock:
    return LostLock("another indexer wrote to this database", hint="Run one active indexer; others wait.")


def _row(table: Table, record: asyncpg.Record) -> Any:
    return table.row(**{column: _integral(record[column]) for column in table.columns})


def _integral(value: Any) -> Any:
    # Postgres gives numeric as Decimal; amounts are int everywhere else.
    return int(value) if type(value).__name__ == "Decimal" else value


async def _by_key(connection: asyncpg.Connection, table: Table, keys: Sequence[Any]) -> dict[Any, Any]:
    if not keys:
        return {}
    if len(table.key) > 1:
        return await _by_keys(connection, table, keys)
    (key,) = table.key
    records = await connection.fetch(f"SELECT * FROM {table.name} WHERE {key} = ANY($1)", list(keys))  # noqa: S608 (our names)
    return {record[key]: _row(table, record) for record in records}


async def _by_keys(connection: asyncpg.Connection, table: Table, keys: Sequence[Any]) -> dict[Any, Any]:
    """Find rows whose key is several columns, all of them bytea."""
    columns = ", ".join(table.key)
    arrays = ", ".join(f"${number}::bytea[]" for number in range(1, len(table.key) + 1))
    records = await connection.fetch(
        f"SELECT * FROM {table.name} WHERE ({columns}) IN (SELECT * FROM unnest({arrays}))",  # noqa: S608 (our names)
        *(list(column) for column in zip(*keys, strict=True)),
    )
    return {tuple(record[column] for column in table.key): _row(table, record) for record in records}
