"""A new index fetches its first ranges while its tables are made, and is the same index."""

from itertools import pairwise

from indexer.backfill import backfill
from indexer.chain import LogRange
from indexer.events import EventBook
from indexer.head_start import HeadStart
from indexer.progress import Progress
from indexer.store import Store
from tests.indexer.conftest import Rig
from tests.indexer.test_follow import assert_equal_to_fresh_fold

FINALITY = 64


def start(rig: Rig, *, first: int = 1) -> HeadStart:
    return HeadStart(rig.chain, first=first, finality_blocks=FINALITY)


async def whole(head_start: HeadStart) -> list[LogRange]:
    """Let it fetch all that is final, then take it."""
    head_start.begin()
    assert head_start._fetching is not None
    await head_start._fetching
    return await head_start.take(first=1, last=10_000)


async def test_its_ranges_join_and_end_at_the_finalised_height(rig: Rig) -> None:
    rig.node.grow(200)
    async with start(rig) as head_start:
        ranges = await whole(head_start)
    assert ranges[0].first == 1
    assert all(after.first == before.last + 1 for before, after in pairwise(ranges))
    assert ranges[-1].last == rig.node.head.number - FINALITY


async def test_they_are_given_once(rig: Rig) -> None:
    rig.node.grow(200)
    async with start(rig) as head_start:
        assert await whole(head_start)
        assert await head_start.take(first=1, last=10_000) == []


async def test_an_index_that_goes_on_elsewhere_is_given_none(rig: Rig) -> None:
    rig.node.grow(200)
    async with start(rig) as head_start:
        head_start.begin()
        assert await head_start.take(first=2, last=10_000) == []


async def test_ranges_beyond_what_is_to_be_indexed_are_not_given(rig: Rig) -> None:
    rig.node.grow(200)
    async with start(rig) as head_start:
        head_start.begin()
        assert await head_start.take(first=1, last=5) == []


async def test_a_node_that_fails_costs_the_head_start_alone(rig: Rig) -> None:
    rig.node.grow(200)
    rig.node.faults.error_texts = ["the node is on fire"] * 50
    async with start(rig) as head_start:
        head_start.begin()
        assert await head_start.take(first=1, last=10_000) == []


async def test_what_nobody_takes_is_given_up(rig: Rig) -> None:
    rig.node.grow(200)
    async with start(rig) as head_start:
        head_start.begin()
        fetching = head_start._fetching
    assert fetching is not None
    assert fetching.done()


async def test_the_index_that_had_it_is_equal_to_a_fresh_fold(rig: Rig) -> None:
    rig.node.grow(300)
    final = rig.node.head.number - FINALITY
    async with start(rig) as head_start, Store.open(rig.database_url, rig.schema) as store:
        head_start.begin()
        await store.anchor(await rig.chain.last_until(0))
        await backfill(
            store,
            rig.chain,
            EventBook.of(rig.deployment),
            last_block=final,
            progress=Progress(),
            head_start=head_start,
        )
    async with rig.follower() as follower:
        await follower.step()
    await assert_equal_to_fresh_fold(rig)
