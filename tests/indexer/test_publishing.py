"""A new version takes the place of the shown one whole or not at all, whoever reads and whoever is killed meanwhile."""

import asyncio
import signal
from pathlib import Path

import asyncpg
import pytest

from indexer import schema as versions
from tests.indexer.conftest import Rig
from tests.indexer.processes import environment, indexer_process, wait_until_indexed
from tests.indexer.test_follow import assert_equal_to_fresh_fold

OLD = "idx_000000000000"
KILLED_BEFORE_THE_COMMIT = """
import os
import indexer.schema as versions
show = versions._show
async def show_and_die(*arguments):
    await show(*arguments)
    os.kill(os.getpid(), 9)
versions._show = show_and_die
"""


@pytest.fixture
async def settings(rig: Rig, tmp_path: Path) -> dict[str, str]:
    """Another version is shown, and ours has yet to be built."""
    connection = await asyncpg.connect(rig.database_url)
    try:
        await versions.create(connection, OLD, rig.deployment)
        await versions.publish(connection, OLD)
    finally:
        await connection.close()
    rig.node.grow(30)
    return environment(
        database_url=rig.database_url, rpc_url=rig.url, deployment=rig.deployment, folder=tmp_path
    )


async def until_shown(connection: asyncpg.Connection, schema: str) -> None:
    while await versions.published(connection) != schema:  # noqa: ASYNC110 (another process)
        await asyncio.sleep(0.05)


async def test_a_kill_while_the_views_are_switched_leaves_the_old_version_shown(
    rig: Rig, settings: dict[str, str]
) -> None:
    connection = await asyncpg.connect(rig.database_url)
    try:
        async with indexer_process(settings, before=KILLED_BEFORE_THE_COMMIT) as process:
            assert await process.wait() == -signal.SIGKILL
        assert await versions.published(connection) == OLD
        assert await connection.fetchval("SELECT count(*) FROM public.sync_state") == 1
        async with indexer_process(settings):
            await until_shown(connection, rig.schema)
    finally:
        await connection.close()
    await assert_equal_to_fresh_fold(rig)


async def test_a_reader_that_takes_long_keeps_the_old_version_and_not_the_index(
    rig: Rig, settings: dict[str, str]
) -> None:
    reader = await asyncpg.connect(rig.database_url)
    try:
        async with reader.transaction(), indexer_process(settings):
            await reader.fetch("SELECT * FROM public.tasks")
            await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
            for _ in range(3):
                rig.node.grow(1, nulls=0)
                await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
            assert await versions.published(reader) == OLD
            assert await reader.fetchval("SELECT count(*) FROM public.tasks") == 0
        async with indexer_process(settings):
            await until_shown(reader, rig.schema)
    finally:
        await reader.close()
