"""The process: standby, probes, refusals, clean end."""

import asyncio
import json
import signal
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from indexer import schema as versions
from indexer.errors import LostLock
from indexer.writing import Advance
from tests.indexer.conftest import Rig
from tests.indexer.processes import environment, indexer_process, nonce_of, wait_until_indexed
from tests.indexer.simulated_node import SimulatedNode
from tests.indexer.test_follow import assert_equal_to_fresh_fold


@pytest.fixture
def settings(rig: Rig, tmp_path: Path) -> dict[str, str]:
    return environment(
        database_url=rig.database_url, rpc_url=rig.url, deployment=rig.deployment, folder=tmp_path
    )


async def line_with(process: asyncio.subprocess.Process, word: str) -> str:
    assert process.stdout is not None
    seen = []
    while line := (await process.stdout.readline()).decode():
        if word in line:
            return line
        seen.append(line)
    raise AssertionError(f"{word!r} was not printed:\n{''.join(seen)}")


async def until_ready(session: aiohttp.ClientSession) -> None:
    for _ in range(200):
        if (await session.get("/ready")).status == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(await (await session.get("/ready")).text())


async def test_probes_tell_how_far_the_index_has_come(rig: Rig, settings: dict[str, str]) -> None:
    rig.node.grow(100)
    async with indexer_process(settings) as process:
        url = json.loads(await line_with(process, "serving"))["url"]
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        async with aiohttp.ClientSession(url) as session:
            await until_ready(session)
            assert (await session.get("/health")).status == 200
            status = await (await session.get("/status")).json()
            assert (status["phase"], status["indexed"], status["lagBlocks"]) == (
                "live",
                rig.node.head.number,
                0,
            )
            metrics = await (await session.get("/metrics")).text()
            assert f"indexer_indexed_block {float(rig.node.head.number)}" in metrics
            assert 'indexer_rpc_requests_total{method="eth_getLogs",outcome="ok"}' in metrics


async def blocks_go_on(rig: Rig, *, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        rig.node.grow(1, nulls=0)


async def test_a_standby_takes_over_within_two_blocks_when_the_writer_is_killed(
    rig: Rig, settings: dict[str, str]
) -> None:
    rig.node.grow(10)
    async with indexer_process(settings) as first:
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        async with indexer_process(settings) as second:
            await line_with(second, "standby")
            growing = asyncio.create_task(blocks_go_on(rig, every_s=2))
            try:
                first.kill()
                killed_at = rig.node.head.number
                before = await nonce_of(rig.database_url, rig.schema)
                rig.node.grow(1, nulls=0)
                while await nonce_of(rig.database_url, rig.schema) == before:  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.02)
                assert rig.node.head.number <= killed_at + 2
            finally:
                growing.cancel()
            await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    await assert_equal_to_fresh_fold(rig)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_process_cleanly(
    rig: Rig, settings: dict[str, str], number: signal.Signals
) -> None:
    rig.node.grow(10)
    async with indexer_process(settings) as process:
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        process.send_signal(number)
        await line_with(process, "stopped")
        assert await process.wait() == 0


async def test_a_node_that_stops_answering_is_waited_for(rig: Rig, settings: dict[str, str]) -> None:
    rig.node.grow(10)
    async with indexer_process(settings):
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        rig.node.faults.failures = [503] * 8
        rig.node.grow(3)
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)


async def test_a_reorganisation_below_finality_is_folded_anew_without_stopping(
    rig: Rig, settings: dict[str, str]
) -> None:
    rig.node.grow(120, nulls=0)
    async with indexer_process(settings) as process:
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        rig.node.drop(100)
        rig.node.grow(130, nulls=0)
        await line_with(process, "deep-reorg")
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    await assert_equal_to_fresh_fold(rig)


async def test_a_new_version_is_built_beside_the_published_one_and_takes_its_place(
    rig: Rig, settings: dict[str, str]
) -> None:
    older = "idx_000000000000"
    connection = await asyncpg.connect(rig.database_url)
    try:
        await versions.create(connection, older, rig.deployment)
        await versions.publish(connection, older)
        rig.node.grow(100)
        async with indexer_process(settings) as process:
            assert older in await line_with(process, "published")
            assert await versions.published(connection) == rig.schema
            assert (
                await connection.fetchval("SELECT indexed_hash FROM public.sync_state") == rig.node.head.hash
            )
    finally:
        await connection.close()


async def test_another_chain_in_the_database_is_refused_until_reset(
    rig: Rig, settings: dict[str, str], tmp_path: Path
) -> None:
    rig.node.grow(5)
    await rig.fetch("UPDATE sync_state SET genesis_hash = $1", b"\x99" * 32)
    async with indexer_process(settings) as process:
        assert await process.wait() == 2
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()
        assert "error: the database holds an index of another chain 31337" in said
        assert "--reset" in said
    async with indexer_process(settings, "run", "--reset"):
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)


async def test_a_chain_that_was_reset_is_refused(settings: dict[str, str]) -> None:
    other = SimulatedNode(seed=9)
    other.head.hash = b"\x98" * 32
    other.open()
    async with other.serve() as url, indexer_process({**settings, "FILECOIN_RPC": url}) as process:
        assert await process.wait() == 2
        assert process.stdout is not None
        assert "the chain was reset" in (await process.stdout.read()).decode()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATABASE_URL", "mysql://x", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://127.0.0.1:1/x", "DATABASE_URL: the database failed"),
        ("FILECOIN_RPC", "http://a,ftp://b", "FILECOIN_RPC"),
        ("INDEXER_PORT", "70000", "INDEXER_PORT"),
        ("FILECOIN_CHAIN_ID", "77", "no deployment for chain 77"),
    ],
)
async def test_a_wrong_setting_is_named(
    settings: dict[str, str], variable: str, value: str, message: str
) -> None:
    async with indexer_process({**settings, variable: value}) as process:
        assert await process.wait() != 0
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()
        assert message in said
        assert "Traceback" not in said


async def test_a_second_writer_that_passed_the_lock_changes_nothing(rig: Rig) -> None:
    rig.node.grow(5)
    async with rig.follower() as first, rig.follower() as second:
        cursor = await second.store.cursor()
        branch, ancestor = await second._branch(await second.chain.head(), cursor)
        logs = await second._logs(branch)
        tip = branch[-1]
        advance = Advance(phase="live", head_number=tip.number, indexed=tip, finalized_number=0)
        await first.step()
        written = await nonce_of(rig.database_url, rig.schema)
        with pytest.raises(LostLock):
            await second._commit(cursor, branch, ancestor, logs, advance)
        assert await nonce_of(rig.database_url, rig.schema) == written


async def test_a_database_that_takes_no_writes_for_a_while_is_waited_for(
    rig: Rig, settings: dict[str, str]
) -> None:
    """As when a replica is about to take over, or a host guards against a full disk."""
    rig.node.grow(10)
    name = urlsplit(rig.database_url).path.strip("/")
    operator = await asyncpg.connect(rig.database_url)
    try:
        async with indexer_process(settings) as process:
            await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
            await operator.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
            await operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = $1 AND pid <> pg_backend_pid()",
                name,
            )
            rig.node.grow(5)
            assert "read-only" in await line_with(process, "read-only")
            await operator.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    finally:
        await operator.close()
    await assert_equal_to_fresh_fold(rig)


async def test_a_database_that_goes_away_is_waited_for(rig: Rig, settings: dict[str, str]) -> None:
    rig.node.grow(10)
    database, elsewhere = urlsplit(rig.database_url), urlsplit(rig.database_url)._replace(path="/postgres")
    name = database.path.strip("/")
    async with indexer_process(settings) as process:
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        operator = await asyncpg.connect(elsewhere.geturl())
        try:
            await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            await line_with(process, "database-lost")
            rig.node.grow(5)
        finally:
            await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await operator.close()
        await line_with(process, "database-back")
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    await assert_equal_to_fresh_fold(rig)
