"""Folding stored logs anew: as a command, and when the chain leaves what was final."""

import asyncio

import asyncpg
import pytest

from indexer import schema as versions
from indexer.follow import DeepReorg
from indexer.lock import writer_lock
from tests.indexer.conftest import Rig
from tests.indexer.test_follow import assert_equal_to_fresh_fold, assert_equal_to_world


async def test_a_rebuild_gives_the_same_rows_and_can_still_be_undone(rig: Rig) -> None:
    rig.node.grow(90)
    async with rig.follower() as follower:
        await follower.step()
    before = await rig.fetch("SELECT * FROM tasks ORDER BY task_id")
    undo = await rig.fetch("SELECT block_number, tbl, pk, before FROM undo ORDER BY block_number, tbl, pk")
    await rig.refold()
    assert await rig.fetch("SELECT * FROM tasks ORDER BY task_id") == before
    assert (
        await rig.fetch("SELECT block_number, tbl, pk, before FROM undo ORDER BY block_number, tbl, pk")
        == undo
    )
    rig.node.drop(15)
    rig.node.grow(20)
    async with rig.follower() as follower:
        await follower.step()
    await assert_equal_to_fresh_fold(rig)


async def test_a_reorganisation_below_finality_is_recognised_and_folded_anew(rig: Rig) -> None:
    async with rig.follower(finality_blocks=5) as follower:
        rig.node.grow(30)
        await follower.step()
        ancestor = rig.node.chain()[-13]
        rig.node.drop(12)
        rig.node.grow(20)
        with pytest.raises(DeepReorg, match="below the finalised block"):
            await follower.step()
    await rig.refold(upto=ancestor.number)
    async with rig.follower(finality_blocks=5) as follower:
        await follower.step()
        assert (await follower.store.cursor()).indexed_hash == rig.node.head.hash
    await assert_equal_to_fresh_fold(rig)
    await assert_equal_to_world(rig)


async def read_while(rig: Rig, done: asyncio.Event) -> int:
    """Read as the API does, several queries on one snapshot; all must speak of the same block."""
    connection = await asyncpg.connect(rig.database_url)
    reads = 0
    try:
        while not done.is_set():
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                state = await connection.fetchrow("SELECT indexed_number, nonce FROM public.sync_state")
                await asyncio.sleep(0.002)
                logs = await connection.fetchval("SELECT count(*) FROM public.logs")
                held = await connection.fetchval("SELECT sum(free + bonded) FROM public.balances")
                history = await connection.fetchval("SELECT count(*) FROM public.balances_history")
                again = await connection.fetchrow("SELECT indexed_number, nonce FROM public.sync_state")
                assert state == again
                assert (logs, held, history) == (await expected(rig)), "a half was seen"
            reads += 1
    finally:
        await connection.close()
    return reads


EXPECTED: dict[str, tuple[int, int, int]] = {}


async def expected(rig: Rig) -> tuple[int, int, int]:
    """What the tables hold; the chain stands still, so every version holds the same."""
    if rig.database_url not in EXPECTED:
        (row,) = await rig.fetch(
            "SELECT (SELECT count(*) FROM logs), (SELECT sum(free + bonded) FROM balances),"
            " (SELECT count(*) FROM balances_history)"
        )
        EXPECTED[rig.database_url] = tuple(row)
    return EXPECTED[rig.database_url]


async def test_readers_never_see_a_half_while_the_index_is_rebuilt(rig: Rig) -> None:
    rig.node.grow(90)
    async with rig.follower() as follower:
        await follower.step()
    await expected(rig)
    done = asyncio.Event()
    readers = [asyncio.create_task(read_while(rig, done)) for _ in range(4)]
    for _ in range(3):
        await rig.refold()
    done.set()
    assert min(await asyncio.gather(*readers)) > 0


async def test_prune_removes_what_nobody_is_shown(rig: Rig) -> None:
    connection = await asyncpg.connect(rig.database_url)
    try:
        for name in ("idx_000000000000", f"{rig.schema}_shadow"):
            await versions.create(connection, name, rig.deployment)
        assert await versions.prune(connection) == sorted(["idx_000000000000", f"{rig.schema}_shadow"])
        assert await versions.versions(connection) == [rig.schema]
        assert await versions.published(connection) == rig.schema
    finally:
        await connection.close()


async def test_prune_leaves_alone_what_an_indexer_of_another_release_is_building(rig: Rig) -> None:
    newer = "idx_000000000000"
    connection = await asyncpg.connect(rig.database_url)
    try:
        for name in (newer, f"{newer}_verify"):
            await versions.create(connection, name, rig.deployment)
        async with writer_lock(rig.database_url, newer):
            assert await versions.prune(connection) == []
        assert await versions.prune(connection) == [newer, f"{newer}_verify"]
    finally:
        await connection.close()


async def test_prune_leaves_alone_what_a_running_indexer_may_be_building(rig: Rig) -> None:
    connection = await asyncpg.connect(rig.database_url)
    try:
        for name in ("idx_000000000000", f"{rig.schema}_shadow"):
            await versions.create(connection, name, rig.deployment)
        async with writer_lock(rig.database_url, rig.schema):
            assert await versions.prune(connection) == ["idx_000000000000"]
    finally:
        await connection.close()
