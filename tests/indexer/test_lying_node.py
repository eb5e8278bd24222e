"""A node that lies costs a look at the chain, never the process: what it said is asked for again."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from indexer.chain import ChainReader
from indexer.errors import FoldError, InconsistentChain
from indexer.events import EventBook
from indexer.patience import TRIES, Patience
from indexer.rpc import endpoint
from indexer.rpc.classify import RpcError
from protocol.errors import RpcUnavailable
from tests.endless_answers import flood
from tests.indexer.conftest import Rig
from tests.indexer.processes import environment, indexer_process, wait_until_indexed
from tests.indexer.simulated_node import block_answer
from tests.indexer.test_follow import assert_equal_to_fresh_fold
from tests.loopback import serve

NONSENSE: list[Any] = [None, 7, "", "0x", "0xzz", "-0x1", "0x" + "f" * 3000, [], {}, {"number": "0x1"}]


def an_answer(rig: Rig, **changes: Any) -> dict[str, Any]:
    return block_answer(rig.node.head) | changes


def honest_logs(rig: Rig) -> list[dict[str, Any]]:
    addresses = ["0x" + address.hex() for address in EventBook.of(rig.deployment).addresses]
    logs = rig.node._eth_getLogs({"blockHash": "0x" + rig.node.head.hash.hex(), "address": addresses})
    assert logs
    return logs


@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
async def test_a_head_that_is_nonsense_is_asked_for_again(rig: Rig, nonsense: Any) -> None:
    rig.node.faults.lies = {"eth_getBlockByNumber": [nonsense]}
    assert (await rig.chain.head()).hash == rig.node.head.hash


@pytest.mark.parametrize("member", ["number", "hash", "parentHash", "timestamp"])
@pytest.mark.parametrize("nonsense", NONSENSE[:8], ids=repr)
async def test_a_head_with_a_member_that_is_nonsense_is_asked_for_again(
    rig: Rig, member: str, nonsense: Any
) -> None:
    rig.node.faults.lies = {"eth_getBlockByNumber": [an_answer(rig, **{member: nonsense})]}
    assert (await rig.chain.head()).hash == rig.node.head.hash


@pytest.mark.parametrize("nonsense", [value for value in NONSENSE if value is not None], ids=repr)
async def test_a_finalised_block_that_is_nonsense_is_asked_for_again(rig: Rig, nonsense: Any) -> None:
    rig.node.faults.finalized_depth = 0
    rig.node.faults.lies = {"eth_getBlockByNumber": [nonsense]}
    finalized = await rig.chain.finalized()
    assert finalized is not None
    assert finalized.hash == rig.node.head.hash


@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
async def test_a_chain_id_that_is_nonsense_is_asked_for_again(rig: Rig, nonsense: Any) -> None:
    rig.node.faults.lies = {"eth_chainId": [nonsense]}
    assert await rig.chain.chain_id() == 31337


async def test_another_block_than_the_one_asked_for_by_hash_is_nonsense(rig: Rig) -> None:
    first = rig.node.head
    rig.node.grow(3, nulls=0)
    rig.node.faults.lies = {"eth_getBlockByHash": [block_answer(rig.node.head)]}
    header = await rig.chain.header_of(first.hash)
    assert header is not None
    assert header.number == first.number


@pytest.mark.parametrize(
    "member",
    [
        "blockNumber",
        "blockHash",
        "transactionHash",
        "transactionIndex",
        "logIndex",
        "address",
        "topics",
        "data",
    ],
)
@pytest.mark.parametrize("nonsense", ["", "0xz", "0xzz", "0x" + "g" * 64, "-0x1", ["0x12"]], ids=repr)
async def test_logs_that_are_nonsense_are_refused_before_they_are_folded(
    rig: Rig, member: str, nonsense: Any
) -> None:
    logs = honest_logs(rig)
    rig.node.faults.lies = {"eth_getLogs": [[{**entry, member: nonsense} for entry in logs]]}
    header = await rig.chain.head()
    with suppress(InconsistentChain):
        await rig.chain.logs_of(header)
    assert not any(rig.node.faults.lies.values())
    assert len(await rig.chain.logs_of(header)) == len(logs)


async def test_a_node_that_answers_nonsense_is_left_for_the_next_one(rig: Rig) -> None:
    rig.node.faults.lies = {"eth_getBlockByNumber": ["0x"]}
    urls = [rig.url, rig.url]
    async with ChainReader.connect(
        urls, EventBook.of(rig.deployment).addresses, timeout_s=5, max_log_blocks=100
    ) as chain:
        assert (await chain.head()).hash == rig.node.head.hash
        assert [endpoint.failures for endpoint in chain.pool.endpoints] == [1, 0]


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_without_end_is_not_read_to_its_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, compressed: bool
) -> None:
    monkeypatch.setattr(endpoint, "MAX_RESPONSE_BYTES", 2**20)
    async with (
        flood(compressed=compressed).serving() as flooding,
        ChainReader.connect(
            [f"{flooding.url}/", rig.url], rig.chain._by_text.values(), timeout_s=5, max_log_blocks=1000
        ) as chain,
    ):
        assert (await chain.head()).hash == rig.node.head.hash
    assert flooding.sent < (2**30 if compressed else 2**25)


async def test_logs_of_too_many_bytes_are_asked_for_in_parts(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.node.grow(60)
    head = rig.node.head.number
    whole = (await rig.chain.logs_between(1, head)).logs
    monkeypatch.setattr(endpoint, "MAX_RESPONSE_BYTES", 20_000)
    assert (await rig.chain.logs_between(1, head)).logs == whole


async def test_an_answer_that_is_too_deep_to_read_is_asked_for_again(rig: Rig) -> None:
    deep = "[" * 100_000 + "]" * 100_000

    async def nested(request: web.Request) -> web.Response:
        asked = await request.json()
        return web.Response(text=f'{{"jsonrpc":"2.0","id":{asked["id"]},"result":{deep}}}')

    application = web.Application()
    application.router.add_post("/", nested)
    async with (
        serve(application) as bad,
        ChainReader.connect(
            [f"{bad}/", rig.url], rig.chain._by_text.values(), timeout_s=5, max_log_blocks=1000
        ) as chain,
    ):
        assert (await chain.head()).hash == rig.node.head.hash


async def test_a_head_that_does_not_exist_costs_one_step(rig: Rig) -> None:
    rig.node.grow(20)
    far = an_answer(rig, number=hex(2**50), hash="0x" + "ab" * 32, parentHash="0x" + "cd" * 32)
    async with rig.follower() as follower:
        rig.node.faults.lies = {"eth_getBlockByNumber": [far]}
        rig.node.requests.clear()
        with pytest.raises(InconsistentChain):
            await follower.step()
        assert len(rig.node.requests) < 100
        assert await follower.step()
        cursor = await follower.store.cursor()
        assert cursor.head_number == cursor.indexed_number == rig.node.head.number
    await assert_equal_to_fresh_fold(rig)


async def test_a_long_way_to_the_head_is_gone_in_parts(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.follow.BLOCKS_AT_ONCE", 20)
    rig.node.grow(30, nulls=0)
    rig.node.mine([], skip=50)
    rig.node.grow(30)
    async with rig.follower() as follower:
        steps = 0
        while await follower.step():
            steps += 1
            assert (await follower.store.cursor()).head_number == rig.node.head.number
        assert steps > 2
    await assert_equal_to_fresh_fold(rig)


async def test_a_finalised_block_that_is_not_ours_makes_nothing_final(rig: Rig) -> None:
    rig.node.grow(10)
    async with rig.follower() as follower:
        rig.node.faults.lies = {
            "eth_getBlockByNumber": [an_answer(rig), an_answer(rig, hash="0x" + "ab" * 32)]
        }
        rig.node.drop(8)
        rig.node.grow(12)
        with pytest.raises(InconsistentChain):
            await follower.step()
        await follower.step()
        assert (await follower.store.cursor()).finalized_number <= 1


async def test_an_event_that_cannot_be_folded_is_asked_for_again(rig: Rig, tmp_path: Path) -> None:
    settings = environment(
        database_url=rig.database_url, rpc_url=rig.url, deployment=rig.deployment, folder=tmp_path
    )
    unknown = [{**entry, "topics": ["0x" + "ee" * 32]} for entry in honest_logs(rig)]
    rig.node.faults.lies = {"eth_getLogs": [unknown, unknown]}
    async with indexer_process(settings):
        await wait_until_indexed(rig.database_url, rig.schema, block_hash=rig.node.head.hash)
    assert rig.node.faults.lies == {"eth_getLogs": []}
    await assert_equal_to_fresh_fold(rig)


REFUSED = RpcError(-32601, "the method does not exist", method="eth_getLogs")


@pytest.mark.parametrize("error", [FoldError("unknown event"), REFUSED], ids=repr)
def test_what_a_person_must_mend_is_told_after_a_few_tries_at_the_same_block(error: Exception) -> None:
    patience = Patience()
    for _ in range(TRIES - 1):
        assert patience.pause_s(error, indexed=5) > 0
    with pytest.raises(type(error)):
        patience.pause_s(error, indexed=5)


def test_progress_renews_patience() -> None:
    patience = Patience()
    for indexed in range(3 * TRIES):
        assert patience.pause_s(REFUSED, indexed=indexed) == patience.pause_s(REFUSED, indexed=indexed) / 2
        patience.succeeded()


def test_a_node_that_is_away_is_waited_for_without_end() -> None:
    patience = Patience()
    pauses = [patience.pause_s(RpcUnavailable("away"), indexed=5) for _ in range(50)]
    assert pauses[0] < pauses[3] < pauses[-1] == max(pauses)
