"""What is final stays, unless the chain itself left it: then the index is folded anew, and nothing is undone by halves."""

import asyncio
from pathlib import Path

import pytest

from indexer import schema as versions
from indexer.follow import DeepReorg
from tests.indexer.conftest import Rig
from tests.indexer.processes import environment, indexer_process, wait_until_indexed
from tests.indexer.test_follow import assert_equal_to_fresh_fold, assert_equal_to_world
from tests.indexer.test_service import line_with


async def test_a_fork_below_a_final_block_whose_height_became_a_null_round_is_deep(rig: Rig) -> None:
    async with rig.follower(finality_blocks=5) as follower:
        rig.node.grow(30, nulls=0)
        await follower.step()
        finalized = (await follower.store.cursor()).finalized_number
        rig.node.drop(6)
        rig.node.mine([], skip=1)
        rig.node.grow(6, nulls=0)
        assert finalized not in {block.number for block in rig.node.chain()}
        with pytest.raises(DeepReorg, match=f"below the finalised block {finalized}"):
            await follower.step()


async def test_a_local_chain_that_is_reverted_below_what_is_final_is_deep(rig: Rig) -> None:
    async with rig.follower(finality_blocks=5) as follower:
        follower.is_local = True
        rig.node.grow(30, nulls=0)
        await follower.step()
        for block in rig.node.chain()[-8:]:
            del rig.node.by_hash[block.hash]
        rig.node.drop(8)
        with pytest.raises(DeepReorg):
            await follower.step()


async def test_a_node_that_lags_behind_what_is_final_is_no_reorganisation_after_a_restart(rig: Rig) -> None:
    async with rig.follower(finality_blocks=5) as follower:
        rig.node.grow(40)
        await follower.step()
    head, indexed = rig.node.head, await rig.fetch("SELECT indexed_hash FROM sync_state")
    lagging = rig.node.chain()[-20]
    for block in rig.node.chain()[-19:]:
        del rig.node.by_hash[block.hash]
    rig.node.head = lagging
    async with rig.follower(finality_blocks=5) as follower:
        assert not await follower.step()
        assert await rig.fetch("SELECT indexed_hash FROM sync_state") == indexed
        block = head
        while block is not lagging:
            rig.node.by_hash[block.hash] = block
            block = block.parent
        rig.node.head = head
        rig.node.grow(3)
        await follower.step()
        assert (await follower.store.cursor()).reorgs == 0
    await assert_equal_to_fresh_fold(rig)


async def test_a_node_that_goes_away_in_the_middle_of_a_deep_reorganisation_is_waited_for(
    rig: Rig, tmp_path: Path
) -> None:
    rig.node.grow(120, nulls=0)
    settings = environment(
        database_url=rig.database_url, rpc_url=rig.url, deployment=rig.deployment, folder=tmp_path
    )
    async with indexer_process(settings) as process:
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
        rig.node.drop(100)
        rig.node.grow(130, nulls=0)
        await line_with(process, "deep-reorg")
        rig.node.faults.failures = [503] * 14
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    await assert_equal_to_fresh_fold(rig)


async def test_a_chain_that_begins_anew_from_the_same_genesis_is_indexed_anew(
    rig: Rig, tmp_path: Path
) -> None:
    rig.node.drop(1)
    rig.node.head = rig.node.chain()[0]
    genesis = rig.node.head
    for _ in range(3):
        rig.node.mine([])
    deployment = rig.deployment.model_copy(update={"start_block": 4})
    schema = versions.version_of(deployment)
    settings = environment(
        database_url=rig.database_url, rpc_url=rig.url, deployment=deployment, folder=tmp_path
    )
    rig.node.open()
    rig.node.grow(90)
    async with indexer_process(settings):
        await wait_until_indexed(rig.database_url, schema, block_hash=rig.node.head.hash)
        rig.node.head, rig.node.by_hash = genesis, {genesis.hash: genesis}
        for _ in range(3):
            rig.node.mine([])
        rig.node.open()
        rig.node.grow(95)
        async with asyncio.timeout(20):
            await wait_until_indexed(rig.database_url, schema, block_hash=rig.node.head.hash)
    rig.deployment, rig.schema = deployment, schema
    await assert_equal_to_fresh_fold(rig)
    await assert_equal_to_world(rig)
