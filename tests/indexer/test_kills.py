"""kill -9 at any instant, then start again: no gap, no double."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.indexer.conftest import Rig, rig_on
from tests.indexer.processes import environment, indexer_process, nonce_of, wait_until_indexed
from tests.indexer.simulated_node import SimulatedNode
from tests.indexer.test_follow import assert_equal_to_fresh_fold, assert_equal_to_world


async def kill_while(
    rig: Rig, settings: dict[str, str], rng: random.Random, *, kills: int, reorganise: bool
) -> None:
    for _ in range(kills):
        before = await nonce_of(rig.database_url, rig.schema)
        async with indexer_process(settings) as process:
            while await nonce_of(rig.database_url, rig.schema) == before and process.returncode is None:
                await asyncio.sleep(0.01)
                if reorganise:
                    rig.node.grow(1, nulls=0.2)
            for _moment in range(rng.randrange(6)):
                await asyncio.sleep(rng.random() * 0.03)
                if reorganise:
                    rig.node.drop(rng.choice([0, 0, 1, 3]))
                    rig.node.grow(1)
            process.kill()
            await process.wait()
        if not reorganise:
            rig.node.grow(20)


async def finish(rig: Rig, settings: dict[str, str]) -> None:
    async with indexer_process(settings):
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    await assert_equal_to_fresh_fold(rig)
    await assert_equal_to_world(rig)


async def survive(postgres_url: str, folder: Path, *, seed: int, kills: int, reorganise: bool) -> None:
    node = SimulatedNode(seed=seed)
    node.open()
    node.grow(20 if reorganise else 260)
    async with rig_on(node, postgres_url) as rig:
        settings = environment(
            database_url=postgres_url, rpc_url=rig.url, deployment=rig.deployment, folder=folder
        )
        await kill_while(rig, settings, random.Random(seed), kills=kills, reorganise=reorganise)
        await finish(rig, settings)


async def test_a_killed_backfill_goes_on_where_it_was(postgres_url: str, tmp_path: Path) -> None:
    await survive(postgres_url, tmp_path, seed=11, kills=4, reorganise=False)


async def test_a_killed_follower_goes_on_whatever_the_chain_did_meanwhile(
    postgres_url: str, tmp_path: Path
) -> None:
    await survive(postgres_url, tmp_path, seed=12, kills=4, reorganise=True)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("reorganise", [False, True])
async def test_a_hundred_kills(postgres_url: str, tmp_path: Path, seed: int, reorganise: bool) -> None:
    await survive(postgres_url, tmp_path, seed=100 + seed, kills=5, reorganise=reorganise)
