"""Following the head: whatever the chain does, the rows are those of a fresh fold of the chain that is left."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.verify import compare_with_fresh_fold
from tests.indexer.conftest import Rig, rig_on
from tests.indexer.contract_events import NODES
from tests.indexer.simulated_node import SimulatedNode


async def assert_equal_to_fresh_fold(rig: Rig) -> None:
    found = await compare_with_fresh_fold(rig.database_url, rig.chain, rig.deployment, schema=rig.schema)
    assert found == []
    assert {row["number"] for row in await rig.fetch("SELECT DISTINCT block_number AS number FROM logs")} == {
        block.number for block in rig.node.chain() if any(events for _tx, events in block.txs)
    }


async def assert_equal_to_world(rig: Rig) -> None:
    world = rig.node.head.world
    ours = {
        row["account"]: (row["free"], row["escrowed"], row["bonded"], row["locked"], row["unbonding"])
        for row in await rig.fetch("SELECT * FROM balances")
    }
    theirs = {
        who: (row.free, row.escrowed, row.bonded, row.locked, row.unbonding)
        for who, row in world.ledger.items()
    }
    assert {who: row for who, row in ours.items() if any(row)} == {
        who: row for who, row in theirs.items() if any(row)
    }
    channels = await rig.fetch(
        "SELECT channel_id, payer, node, deposited, redeemed, returned, status FROM channels"
    )
    assert {row["channel_id"]: tuple(row)[1:] for row in channels} == {
        channel_id: (
            row.payer,
            NODES[row.index],
            row.deposited,
            row.redeemed,
            row.deposited - row.redeemed if row.closed else 0,
            "closed" if row.closed else "closing" if row.asked else "open",
        )
        for channel_id, row in world.channels.items()
    }
    vouchers = await rig.fetch(
        "SELECT channel_id, sum(amount) AS paid, max(cumulative) AS said FROM vouchers GROUP BY channel_id"
    )
    assert {row["channel_id"]: (row["paid"], row["said"]) for row in vouchers} == {
        channel_id: (row.redeemed, row.redeemed) for channel_id, row in world.channels.items() if row.redeemed
    }
    votes = await rig.fetch("SELECT proposal_id, voter, support, weight FROM proposal_votes")
    assert {(row["proposal_id"], row["voter"]): tuple(row)[2:] for row in votes} == {
        (proposal, voter): vote for proposal, cast in world.votes.items() for voter, vote in cast.items()
    }
    records = await rig.fetch('SELECT node, "right", wrong, missed, wrong_streak FROM runner_reputation')
    assert {row["node"]: list(row)[1:] for row in records} == {
        node: record[:4] for node, record in world.records.items()
    }


async def test_new_blocks_are_appended(rig: Rig) -> None:
    rig.node.grow(40)
    async with rig.follower() as follower:
        assert await follower.step()
        assert not await follower.step()
    await assert_equal_to_fresh_fold(rig)
    await assert_equal_to_world(rig)


async def test_a_reorganisation_is_undone_and_the_new_branch_applied(rig: Rig) -> None:
    async with rig.follower() as follower:
        rig.node.grow(30)
        await follower.step()
        rig.node.drop(12)
        rig.node.grow(15)
        await follower.step()
        cursor = await follower.store.cursor()
        assert (cursor.reorgs, cursor.indexed_hash) == (1, rig.node.head.hash)
    await assert_equal_to_fresh_fold(rig)
    await assert_equal_to_world(rig)


async def test_a_branch_that_is_lower_than_the_old_one_is_followed(rig: Rig) -> None:
    async with rig.follower() as follower:
        rig.node.grow(30)
        await follower.step()
        rig.node.drop(12)
        rig.node.grow(2, nulls=0)
        await follower.step()
    await assert_equal_to_fresh_fold(rig)
    await assert_equal_to_world(rig)


async def test_the_same_transaction_in_another_block_is_folded_once(rig: Rig) -> None:
    async with rig.follower() as follower:
        rig.node.grow(6, nulls=0)
        await follower.step()
        before = await rig.fetch("SELECT count(*) FROM logs")
        moved = [block.txs for block in rig.node.chain()[-4:]]
        rig.node.drop(4)
        rig.node.mine([])
        for txs in moved:
            rig.node.mine([tx for tx, _events in txs])
        await follower.step()
        assert await rig.fetch("SELECT count(*) FROM logs") == before
    await assert_equal_to_fresh_fold(rig)


async def test_a_node_that_lags_is_no_reorganisation(rig: Rig) -> None:
    async with rig.follower() as follower:
        rig.node.grow(20)
        await follower.step()
        head = rig.node.head
        rig.node.head = rig.node.chain()[-5]
        assert not await follower.step()
        rig.node.head = head
        rig.node.grow(3)
        await follower.step()
        assert (await follower.store.cursor()).reorgs == 0
    await assert_equal_to_fresh_fold(rig)


async def test_a_restart_in_the_window_undoes_what_the_chain_dropped_meanwhile(rig: Rig) -> None:
    async with rig.follower() as follower:
        rig.node.grow(30)
        await follower.step()
    rig.node.drop(20)
    rig.node.grow(22)
    async with rig.follower() as follower:
        await follower.step()
    await assert_equal_to_fresh_fold(rig)


async def test_a_reorganisation_down_to_a_final_height_without_a_block_is_undone(rig: Rig) -> None:
    rig.node.grow(8, nulls=0)
    base = rig.node.head
    rig.node.mine([], skip=4)
    rig.node.grow(3, nulls=0)
    async with rig.follower(finality_blocks=5) as follower:
        await follower.step()
        assert (await follower.store.cursor()).finalized_number == base.number, "a null round is not final"
    rig.node.drop(4)
    assert rig.node.head is base
    rig.node.mine([], skip=4)
    rig.node.grow(4)
    async with rig.follower(finality_blocks=5) as follower:
        await follower.step()
    await assert_equal_to_fresh_fold(rig)


async def test_undo_data_is_dropped_at_finality(rig: Rig) -> None:
    async with rig.follower(finality_blocks=5) as follower:
        rig.node.grow(40, nulls=0)
        await follower.step()
        cursor = await follower.store.cursor()
        assert cursor.finalized_number == rig.node.head.number - 5
    rows = await rig.fetch("SELECT min(block_number) AS lowest FROM undo")
    assert rows[0]["lowest"] is None or rows[0]["lowest"] > cursor.finalized_number


async def test_a_block_in_the_place_of_a_null_round_at_the_finalised_height_is_no_deep_reorganisation(
    rig: Rig,
) -> None:
    async with rig.follower(finality_blocks=5) as follower:
        rig.node.grow(20, nulls=0)
        last_final = rig.node.head.number
        rig.node.mine([], skip=1)
        rig.node.grow(4, nulls=0)
        await follower.step()
        assert rig.node.head.number - 5 == last_final + 1, "the finalised height is the null round"
        assert (await follower.store.cursor()).finalized_number == last_final

        rig.node.drop(5)
        rig.node.grow(3, nulls=0)
        await follower.step()
        rig.node.drop(3)
        rig.node.grow(9, nulls=0)
        await follower.step()
    await assert_equal_to_fresh_fold(rig)


async def test_a_finalised_tag_newer_than_the_depth_is_used(rig: Rig) -> None:
    rig.node.faults.finalized_depth = 3
    async with rig.follower(finality_blocks=64) as follower:
        rig.node.grow(30, nulls=0)
        await follower.step()
        assert (await follower.store.cursor()).finalized_number == rig.node.head.number - 3


@pytest.mark.parametrize("seed", range(3))
async def test_random_histories_with_random_reorganisations(seed: int, postgres_url: str) -> None:
    await live_a_random_history(seed, postgres_url, steps=12)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(min_value=0, max_value=2**32))
async def test_any_history_with_any_reorganisation(seed: int, postgres_url: str) -> None:
    await live_a_random_history(seed, postgres_url, steps=20)


async def live_a_random_history(seed: int, postgres_url: str, *, steps: int) -> None:
    rng = random.Random(seed)
    node = SimulatedNode(seed=seed)
    node.open()
    node.faults.null_dialect = rng.choice(["error", "null", "previous"])
    node.faults.log_timestamps = rng.random() < 0.5
    async with rig_on(node, postgres_url) as rig:
        node.grow(5)
        for _restart in range(2):
            async with rig.follower(finality_blocks=64) as follower:
                for _ in range(steps):
                    if rng.random() < 0.4:
                        cursor = await follower.store.cursor()
                        undoable = [block for block in node.chain() if block.number > cursor.finalized_number]
                        node.drop(min(len(undoable), rng.choice([1, 2, 5, 20, 64])))
                    node.grow(rng.choice([1, 1, 2, 8]), nulls=rng.choice([0, 0.3]))
                    await follower.step()
        await assert_equal_to_fresh_fold(rig)
        await assert_equal_to_world(rig)
