"""Reading a chain through nodes that have limits, quirks and bad days."""

import pytest

from indexer.chain import ChainReader
from indexer.errors import InconsistentChain
from indexer.events import EventBook
from indexer.rpc.classify import Meaning, RpcError, cap_of, meaning_of
from indexer.rpc.ranges import RangeSize
from protocol.errors import RpcUnavailable
from tests.indexer.conftest import Rig, rig_on
from tests.indexer.simulated_node import SimulatedNode

TEXTS = [
    (12, "requested epoch was a null round (1234)", Meaning.NULL_ROUND, None),
    (-32005, "block range exceeds maximum of 2880 (got 3000)", Meaning.TOO_WIDE, 2880),
    (1, "filter matches too many events, try a more restricted filter", Meaning.TOO_WIDE, None),
    (-32602, "eth_getLogs is limited to a 10,000 range, limited to 10,000 blocks", Meaning.TOO_WIDE, 10_000),
    (1, "events for the requested block are not yet available", Meaning.RETRY, None),
    (1, "requested a future epoch (beyond 'latest')", Meaning.RETRY, None),
    (-32000, "unknown block", Meaning.RETRY, None),
    (-32602, "BlockOutOfRangeError: block height is 124 but requested was 125", Meaning.RETRY, None),
    (1, "bad tipset height: lookbacks of more than 24h0m0s are disallowed", Meaning.NO_HISTORY, None),
    (-32005, "too many requests, slow down", Meaning.RETRY, None),
    (-32603, "boom", Meaning.RETRY, None),
    (-32601, "the method eth_getLogs does not exist", Meaning.REFUSED, None),
]


@pytest.mark.parametrize(("code", "text", "meaning", "cap"), TEXTS, ids=[text for _c, text, _m, _k in TEXTS])
def test_errors_of_nodes_are_understood(code: int, text: str, meaning: Meaning, cap: int | None) -> None:
    assert meaning_of(code, text) is meaning
    assert (cap_of(text) if meaning is Meaning.TOO_WIDE else None) == cap


def test_ranges_grow_while_answers_are_small_and_shrink_when_they_are_not() -> None:
    size = RangeSize(cap=4000)
    first = size.blocks
    size.answered(size_bytes=1_000_000, seconds=0.1, width=first)
    assert size.blocks == 2 * first
    size.answered(size_bytes=10_000_000, seconds=0.1, width=size.blocks)
    assert size.blocks == first
    size.answered(size_bytes=1000, seconds=0.1, width=first)
    assert size.blocks == 4 * first, "where little happens, many more blocks are still a small answer"
    for _ in range(10):
        size.answered(size_bytes=0, seconds=0, width=size.blocks)
    assert size.blocks == 4000


def test_a_limit_that_a_node_names_is_never_passed_again() -> None:
    size = RangeSize(cap=4000)
    size.refused(cap=100, width=500)
    for _ in range(10):
        size.answered(size_bytes=0, seconds=0, width=size.blocks)
    assert size.blocks == 100


async def all_logs(chain: ChainReader, node: SimulatedNode) -> list[tuple[int, int, int]]:
    return [log.position for log in (await chain.logs_between(1, node.head.number)).logs]


def positions(node: SimulatedNode) -> list[tuple[int, int, int]]:
    found = []
    for block in node.chain():
        index = 0
        for tx_index, (_tx, events) in enumerate(block.txs):
            for _event in events:
                found.append((block.number, tx_index, index))
                index += 1
    return found


@pytest.mark.parametrize("dialect", ["error", "null", "previous"])
async def test_null_rounds_are_no_blocks_in_any_dialect(rig: Rig, dialect: str) -> None:
    rig.node.faults.null_dialect = dialect
    rig.node.grow(20, nulls=0.5)
    present = {block.number for block in rig.node.chain()}
    headers = await rig.chain.headers(list(range(rig.node.head.number + 1)))
    assert {number for number, header in enumerate(headers) if header} == present


async def test_a_range_that_is_too_wide_is_asked_for_in_parts(rig: Rig) -> None:
    rig.node.grow(60)
    rig.node.faults.max_range = 7
    assert await all_logs(rig.chain, rig.node) == positions(rig.node)
    assert rig.chain.ranges.blocks <= 7


async def test_times_are_looked_up_where_logs_lack_them(rig: Rig) -> None:
    rig.node.grow(10)
    with_times = (await rig.chain.logs_between(1, rig.node.head.number)).logs
    rig.node.faults.log_timestamps = False
    assert (await rig.chain.logs_between(1, rig.node.head.number)).logs == with_times


async def test_a_node_behind_the_range_is_not_believed_to_know_it_is_empty(rig: Rig) -> None:
    with pytest.raises((InconsistentChain, RpcUnavailable)):
        await rig.chain.headers([rig.node.head.number + 5])


async def test_events_that_are_not_yet_available_are_waited_for(rig: Rig) -> None:
    rig.node.grow(5)
    rig.node.faults.error_texts = ["events for the requested block are not yet available"]
    assert await all_logs(rig.chain, rig.node) == positions(rig.node)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_bad_moment_of_a_node_is_survived(rig: Rig, status: int) -> None:
    rig.node.grow(5)
    rig.node.faults.failures = [status, status]
    assert await all_logs(rig.chain, rig.node) == positions(rig.node)


async def test_a_node_that_stays_down_is_named_without_the_key_in_its_address(rig: Rig) -> None:
    book = EventBook.of(rig.deployment)
    urls = ["http://user:pass@127.0.0.1:1/v2/secret-key"]
    async with ChainReader.connect(urls, book.addresses, timeout_s=1, max_log_blocks=10, tries=1) as chain:
        with pytest.raises(RpcUnavailable, match=r"127\.0\.0\.1:1") as raised:
            await chain.head()
    assert "secret" not in str(raised.value)
    assert raised.value.hint is not None


async def test_the_next_endpoint_takes_over_and_is_kept(rig: Rig) -> None:
    rig.node.grow(3)
    book = EventBook.of(rig.deployment)
    urls = ["http://127.0.0.1:1/", rig.url]
    async with ChainReader.connect(urls, book.addresses, timeout_s=1, max_log_blocks=100) as chain:
        assert (await chain.head()).hash == rig.node.head.hash
        assert (await chain.head()).hash == rig.node.head.hash
        assert [endpoint.failures for endpoint in chain.pool.endpoints] == [1, 0]


async def test_history_that_a_node_does_not_keep_is_an_error_and_not_an_empty_answer(rig: Rig) -> None:
    rig.node.faults.error_texts = ["bad tipset height: lookbacks of more than 24h0m0s are disallowed"]
    with pytest.raises(RpcError) as raised:
        await rig.chain.logs_between(1, 1)
    assert raised.value.hint == "Put an archive node first in FILECOIN_RPC for the backfill."


async def test_logs_of_a_dropped_block_are_not_taken(postgres_url: str) -> None:
    node = SimulatedNode(seed=5)
    node.open()
    async with rig_on(node, postgres_url) as rig:
        header = await rig.chain.head()
        node.drop(1)
        node.head = node.chain()[0]
        assert await rig.chain.logs_of(header) == []
