"""Fold stored logs anew into a schema beside the old one, then put it in its place. Needs no node."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import structlog

from indexer import schema as versions
from indexer.backfill import ROWS_IN_MEMORY, fold_logs
from indexer.events import EventBook, Log
from indexer.fold.state import State
from indexer.store import Store
from indexer.writing import Batch
from protocol.deployment import Deployment

log = structlog.get_logger()

LOGS_AT_ONCE = 20_000


async def rebuild(database_url: str, deployment: Deployment, *, schema: str, upto: int | None = None) -> int:
    """Fold the version's own logs up to block `upto` (default: all) anew and replace it; give the number of events.

    Readers see the old rows until the new ones take their place in one transaction.
    """
    shadow = f"{schema}_shadow"
    connection = await asyncpg.connect(database_url)
    try:
        await versions.drop(connection, shadow)
        await versions.create(connection, shadow, deployment)
        async with Store.open(database_url, shadow) as store:
            count = await _refold(store, EventBook.of(deployment), source=schema, upto=upto)
            await versions.create_indexes(store.writer, store.reader, shadow)
        await versions.replace(connection, schema=schema, by=shadow)
    finally:
        await connection.close()
    log.info("rebuilt", events=count, schema=schema)
    return count


async def _refold(store: Store, book: EventBook, *, source: str, upto: int | None) -> int:
    indexed, finalized = await store.reader.fetchrow(  # type: ignore[misc]
        f"SELECT indexed_number, finalized_number FROM {source}.sync_state"  # noqa: S608 (our names)
    )
    last = indexed if upto is None else min(indexed, upto)
    state = State(whole=True)
    count = 0
    async for logs in _chunks(store.reader, source, first=0, last=min(finalized, last)):
        count += await _write(store, state, book, logs, undo_block=None)
    async for logs in _chunks(store.reader, source, first=finalized + 1, last=last):
        for block in _by_block(logs):
            count += await _write(store, state, book, block, undo_block=block[0].block_number)
    await _finish(store, source=source, last=last)
    return count


async def _write(
    store: Store, state: State, book: EventBook, logs: Sequence[Log], *, undo_block: int | None
) -> int:
    await fold_logs(store, state, book, list(logs))
    async with store.transaction() as transaction:
        await transaction.write(Batch(logs, state.take_changes(), [], undo_block=undo_block))
    if len(state) > ROWS_IN_MEMORY:
        state.forget()
    return len(logs)


async def _finish(store: Store, *, source: str, last: int) -> None:
    """Copy block rows, and set the cursor to the last block that is stored.

    When nothing is left, not even the block before the first to index is taken over: the chain may have left that too.
    """
    blocks = (
        f"INSERT INTO blocks SELECT b.* FROM {source}.blocks b, sync_state s "  # noqa: S608 (our names)
        "WHERE b.number <= $1 AND $1 >= s.start_block"
    )
    cursor = (
        "UPDATE sync_state t SET nonce = t.nonce + s.nonce, phase = s.phase, head_number = s.head_number, "  # noqa: S608 (our names)
        "indexed_number = $1, finalized_number = least(s.finalized_number, $1), "
        "reorgs = s.reorgs, last_reorg_depth = s.last_reorg_depth, last_reorg_at = s.last_reorg_at, "
        "indexed_hash = (SELECT hash FROM blocks ORDER BY number DESC LIMIT 1) "
        f"FROM {source}.sync_state s"
    )
    async with store.writer.transaction():
        await store.writer.execute(blocks, last)
        await store.writer.execute(cursor, last)


async def _chunks(
    connection: asyncpg.Connection, source: str, *, first: int, last: int
) -> AsyncIterator[list[Log]]:
    """Read logs in the order of the chain; a chunk never ends inside a block."""
    columns = ", ".join(Log.__struct_fields__)
    while first <= last:
        rows = await connection.fetch(
            f"SELECT {columns} FROM {source}.logs WHERE block_number BETWEEN $1 AND $2 "  # noqa: S608 (our names)
            "ORDER BY block_number, tx_index, log_index FETCH FIRST $3 ROWS ONLY",
            first,
            last,
            LOGS_AT_ONCE,
        )
        logs = [Log(*row) for row in rows]
        if len(logs) == LOGS_AT_ONCE:
            logs = _whole_blocks(logs) or await _block(connection, source, logs[0].block_number)
        if not logs:
            return
        yield logs
        first = logs[-1].block_number + 1


def _whole_blocks(logs: list[Log]) -> list[Log]:
    """Drop the last block, of which there may be more."""
    last = logs[-1].block_number
    return [entry for entry in logs if entry.block_number != last]


async def _block(connection: asyncpg.Connection, source: str, number: int) -> list[Log]:
    columns = ", ".join(Log.__struct_fields__)
    rows = await connection.fetch(
        f"SELECT {columns} FROM {source}.logs WHERE block_number = $1 ORDER BY tx_index, log_index",  # noqa: S608 (our names)
        number,
    )
    return [Log(*row) for row in rows]


def _by_block(logs: Sequence[Log]) -> list[list[Log]]:
    blocks: dict[int, list[Log]] = {}
    for entry in logs:
        blocks.setdefault(entry.block_number, []).append(entry)
    return list(blocks.values())
