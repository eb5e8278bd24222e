"""Check the tables in two independent ways.

`compare_with_fresh_fold` indexes the chain anew into a second schema and compares row by row; `compare_with_contracts`
asks the contracts for what the tables say. Both speak of one block, read in one snapshot.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from indexer import schema as versions
from indexer.backfill import backfill
from indexer.chain import ChainReader
from indexer.errors import IndexerError
from indexer.events import EventBook
from indexer.progress import Progress
from indexer.store import Store
from indexer.tables import CANONICAL
from protocol.deployment import Deployment

EXAMPLES = 5


@asynccontextmanager
async def snapshot(database_url: str, schema: str) -> AsyncIterator[tuple[asyncpg.Connection, int, bytes]]:
    """Open a read-only view of the database at one moment; gives the connection, the indexed block and its hash."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": f"{schema}, public"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            row = await connection.fetchrow("SELECT indexed_number, indexed_hash FROM sync_state")
            if row is None or row["indexed_hash"] is None:
                raise IndexerError("nothing is indexed yet", hint="Run `parity-indexer run` first.")
            yield connection, row["indexed_number"], row["indexed_hash"]
    finally:
        await connection.close()


async def compare_with_fresh_fold(
    database_url: str, chain: ChainReader, deployment: Deployment, *, schema: str
) -> list[str]:
    """Index the chain anew up to the indexed block and list the differences; empty when there are none."""
    shadow = f"{schema}_verify"
    owner = await asyncpg.connect(database_url)
    try:
        await versions.drop(owner, shadow)
        await versions.create(owner, shadow, deployment)
        # The snapshot is taken after the schema is made, so that it sees the live rows and may be compared below.
        async with snapshot(database_url, schema) as (live_view, block, block_hash):
            await _fold_anew(
                database_url, chain, deployment, shadow=shadow, block=block, block_hash=block_hash
            )
            return await _differences(database_url, live_view, live=schema, fresh=shadow)
    finally:
        await versions.drop(owner, shadow)
        await owner.close()


async def _fold_anew(
    database_url: str,
    chain: ChainReader,
    deployment: Deployment,
    *,
    shadow: str,
    block: int,
    block_hash: bytes,
) -> None:
    async with Store.open(database_url, shadow) as store:
        await store.anchor(await chain.last_until(max(0, deployment.start_block - 1)))
        await backfill(store, chain, EventBook.of(deployment), last_block=block, progress=Progress())
        cursor = await store.cursor()
    if cursor.indexed_number != block or cursor.indexed_hash != block_hash:
        raise IndexerError(
            f"block {block} was reorganised while it was being verified",
            hint="Run `parity-indexer verify` again.",
        )


async def _differences(
    database_url: str, live_view: asyncpg.Connection, *, live: str, fresh: str
) -> list[str]:
    """Compare tables by a digest of each, and by rows where the digests differ."""
    fresh_view = await asyncpg.connect(database_url)
    try:
        found: list[str] = []
        for table in CANONICAL:
            ours = await _rows(live_view, live, table)
            theirs = await _rows(fresh_view, fresh, table)
            found += [f"{table}: only in the index: {row}" for row in list(ours - theirs)[:EXAMPLES]]
            found += [f"{table}: only in a fresh fold: {row}" for row in list(theirs - ours)[:EXAMPLES]]
        return found
    finally:
        await fresh_view.close()


async def _rows(connection: asyncpg.Connection, schema: str, table: str) -> set[str]:
    """Return all rows as text; memory grows with the table."""
    records = await connection.fetch(f"SELECT t::text AS row FROM {schema}.{table} t")  # noqa: S608 (our names)
    rows = [record["row"] for record in records]
    if len(set(rows)) != len(rows):
        raise IndexerError(f"{schema}.{table} holds the same row twice", hint="Run `parity-indexer rebuild`.")
    return set(rows)
