"""Reads as of a block: the rows are those of an indexer that stopped there."""

import random

import asyncpg
import pytest

from indexer import schema as versions
from indexer.backfill import backfill
from indexer.events import EventBook
from indexer.fold.history import FIXED
from indexer.progress import Progress
from indexer.store import Store
from tests.indexer.conftest import Rig


async def rows_when_stopped_at(rig: Rig, block: int) -> dict[str, set[str]]:
    """Index up to the block into a schema of its own; give each table's rows as text."""
    shadow = f"{rig.schema}_then"
    connection = await asyncpg.connect(rig.database_url)
    try:
        await versions.create(connection, shadow, rig.deployment)
        async with Store.open(rig.database_url, shadow) as store:
            await store.anchor(await rig.chain.last_until(0))
            await backfill(
                store, rig.chain, EventBook.of(rig.deployment), last_block=block, progress=Progress()
            )
        return {
            table: {
                row["t"] for row in await connection.fetch(f"SELECT t::text AS t FROM {shadow}.{table} t")
            }
            for table in FIXED
        }
    finally:
        await versions.drop(connection, shadow)
        await connection.close()


async def rows_as_of(rig: Rig, block: int) -> dict[str, set[str]]:
    return {
        table: {
            row["t"] for row in await rig.fetch(f"SELECT t::text AS t FROM public.{table}_at($1) AS t", block)
        }
        for table in FIXED
    }


@pytest.mark.parametrize("seed", range(3))
async def test_rows_as_of_a_block_are_those_of_an_index_that_stopped_there(rig: Rig, seed: int) -> None:
    rng = random.Random(seed)
    rig.node.rng = random.Random(seed)
    rig.node.grow(60)
    async with rig.follower() as follower:
        await follower.step()
        rig.node.drop(25)
        rig.node.grow(40)
        await follower.step()
    present = [block.number for block in rig.node.chain()[1:]]
    for block in [present[-1], *rng.sample(present, 4)]:
        assert await rows_as_of(rig, block) == await rows_when_stopped_at(rig, block), block
    assert not any((await rows_as_of(rig, 0)).values())


async def test_a_backfill_keeps_the_same_history_as_following_block_by_block(rig: Rig) -> None:
    rig.node.grow(10)
    async with rig.follower() as follower:
        for _ in range(20):
            rig.node.grow(2)
            await follower.step()
    followed = await rig.fetch("SELECT h::text AS h FROM balances_history h ORDER BY account, block_number")
    await rig.refold()
    refolded = await rig.fetch("SELECT h::text AS h FROM balances_history h ORDER BY account, block_number")
    assert followed == refolded
    assert len(followed) > 20


async def test_one_task_as_of_a_block_is_found_by_its_index(rig: Rig) -> None:
    async with Store.open(rig.database_url, rig.schema) as store:
        await versions.create_indexes(store.writer, store.reader, rig.schema)
        await store.reader.execute("SET enable_seqscan = off")
        plan = await store.reader.fetch(
            "EXPLAIN SELECT * FROM public.tasks_at(5) WHERE task_id = '\\x00'::bytea AND status = 'open'"
        )
    text = "\n".join(row[0] for row in plan)
    assert "tasks_history_order" in text
    assert "Function Scan" not in text
