"""Folding stored logs anew: as a command, and when the chain leaves what was final."""

import pytest

from indexer.follow import DeepReorg
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
