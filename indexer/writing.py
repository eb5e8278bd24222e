"""What a commit writes: raw logs, folded rows, history, before-images and the cursor, in one open transaction."""

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from indexer.chain import Header
from indexer.copying import copy_logs, copy_task_events
from indexer.errors import FoldError
from indexer.events import Log
from indexer.fold.history import FIXED
from indexer.fold.state import Changes
from indexer.rpc.wire import hexed
from indexer.stages import Stages
from indexer.tables import APPENDED, FOLDED, FOLDED_BY_NAME, HISTORY

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
    stages: Stages
    moved_to: Cursor | None = None

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
                await self.stages.fill(self.connection, table, changed)
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
        for name in FIXED:
            await self.connection.execute(FOLDED_BY_NAME[name].undo_history(), ancestor)
        await self.connection.execute("DELETE FROM undo WHERE block_number > $1", ancestor)
        for name in (*APPENDED, "logs"):
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
