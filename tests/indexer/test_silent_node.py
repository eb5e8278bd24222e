"""A node that leaves out logs is found out before a block without them counts as final."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from client.money import faucet
from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from indexer.chain import ChainReader
from indexer.errors import FoldError, InconsistentChain
from indexer.events import EventBook
from indexer.settings import IndexerSettings
from protocol.chain import Chain
from protocol.deployment import Deployment, save_deployment
from protocol.sender import Sender
from tests.indexer.conftest import Rig, rig_on
from tests.indexer.simulated_node import SimulatedNode
from tests.indexer.test_follow import assert_equal_to_fresh_fold
from tests.indexer.test_on_anvil import assert_verified, fetch, indexer
from tests.loopback import serve


class SilentNode:
    """Passes everything on to a real node, but says `[]` to who asks for logs of certain addresses, while `silent`.

    As a node whose index of logs has a hole does: the blocks themselves are there. `blind` has it say so of whole blocks too.
    """

    def __init__(self, upstream: str) -> None:
        self.silent, self.blind, self.silenced, self.url = True, False, 0, ""
        self._upstream = upstream

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["SilentNode"]:
        application = web.Application()
        application.router.add_post("/", self._answer)
        async with ClientSession() as self._session, serve(application) as self.url:
            yield self

    async def _answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        async with self._session.post(self._upstream, json=asked) as response:
            answers = await response.json()
        calls, replies = (asked, answers) if isinstance(asked, list) else ([asked], [answers])
        for call, reply in zip(calls, replies, strict=True):
            if self._is_silent_about(call) and reply.get("result"):
                reply["result"] = []
                self.silenced += 1
        return web.Response(text=json.dumps(answers), content_type="application/json")

    def _is_silent_about(self, call: dict[str, Any]) -> bool:
        is_for_logs = call["method"] == "eth_getLogs"
        return self.silent and is_for_logs and (self.blind or "address" in call["params"][0])


def settings_of(
    deployment: Deployment, urls: list[str], *, database_url: str, folder: Path
) -> IndexerSettings:
    save_deployment(deployment, folder=folder)
    return IndexerSettings(
        database_url=database_url,
        filecoin_rpc=",".join(urls),
        filecoin_chain_id=deployment.chain_id,
        deployments_dir=folder,
        indexer_port=0,
        ipfs_api="/ip4/127.0.0.1/tcp/1/http",
    )


async def let_money_flow(anvil: Anvil, deployment: Deployment, *, times: int) -> None:
    async with Chain.connect(anvil.url, deployment) as chain:
        for _ in range(times):
            sender = Sender(chain, LOCAL.payer)
            await sender.send(chain.escrow.functions.revokeAll(), label="revoke")
            await faucet(chain, amount=1, sender=Sender(chain, LOCAL.outsider))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 (the node tells nobody)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("blind", [False, True], ids=["of our contracts", "of whole blocks"])
async def test_a_node_that_leaves_out_logs_is_left_for_one_that_does_not(
    anvil: Anvil, deployment: Deployment, postgres_url: str, tmp_path: Path, blind: bool
) -> None:
    await let_money_flow(anvil, deployment, times=2)
    await anvil.mine(80)  # so that there is something final, and the first answers are the backfill's
    async with SilentNode(anvil.url).serving() as node:
        node.blind = blind
        settings = settings_of(deployment, [node.url, anvil.url], database_url=postgres_url, folder=tmp_path)
        async with indexer(settings):
            await let_money_flow(anvil, deployment, times=3)
            honest = settings.model_copy(update={"filecoin_rpc": anvil.url})
            await assert_verified(honest, anvil)
        assert node.silenced > 0


async def test_no_block_is_indexed_without_the_logs_that_its_header_names(
    anvil: Anvil, deployment: Deployment, postgres_url: str, tmp_path: Path
) -> None:
    await anvil.mine(80)
    async with SilentNode(anvil.url).serving() as node:
        node.silent = False
        settings = settings_of(deployment, [node.url], database_url=postgres_url, folder=tmp_path)
        async with indexer(settings):
            await assert_verified(settings, anvil)
            node.silent = True
            before = await anvil.block_number()
            await let_money_flow(anvil, deployment, times=2)
            await until(lambda: node.silenced >= 3)
            state = await fetch(settings, "SELECT indexed_number, finalized_number FROM public.sync_state")
            assert state["finalized_number"] <= state["indexed_number"] <= before
            node.silent = False
            await assert_verified(settings, anvil)


async def test_a_few_headers_find_out_a_node_that_bears_few_questions(
    anvil: Anvil, deployment: Deployment
) -> None:
    await let_money_flow(anvil, deployment, times=1)
    spoken = await anvil.block_number()
    addresses = EventBook.of(deployment).addresses
    async with (
        SilentNode(anvil.url).serving() as node,
        ChainReader.connect(
            [node.url], addresses, timeout_s=5, max_log_blocks=100, requests_per_s=1000
        ) as chain,
    ):
        with pytest.raises(InconsistentChain, match="the node gave 0"):
            await chain.final_logs_between(spoken - 3, spoken)
        await anvil.mine(100)
        asked = chain.pool.requests["eth_getBlockByNumber", "ok"]
        assert not (await chain.final_logs_between(spoken + 1, spoken + 100)).logs
        assert chain.pool.requests["eth_getBlockByNumber", "ok"] - asked <= 1


@asynccontextmanager
async def reader_without_blooms(rig: Rig) -> AsyncIterator[ChainReader]:
    """Read as on Filecoin, from two endpoints."""
    addresses = EventBook.of(rig.deployment).addresses
    async with ChainReader.connect(
        [rig.url, rig.url + "?second"], addresses, timeout_s=5, max_log_blocks=100, blooms=False
    ) as chain:
        yield chain


async def test_without_filters_a_second_reading_finds_what_was_missed_before_it_is_final(rig: Rig) -> None:
    async with reader_without_blooms(rig) as rig.chain, rig.follower(finality_blocks=20) as follower:
        rig.node.grow(5, nulls=0)
        await follower.step()
        rig.node.faults.lies = {"eth_getLogs": [[]]}
        missed = rig.node.head.number + 1
        while not any(events for _tx, events in rig.node.head.txs) or rig.node.head.number < missed:
            rig.node.grow(1, nulls=0)
        # One block at a time: what is folded of the others must not contradict what was missed.
        silent = rig.node.head.number
        await follower.step()
        for _ in range(40):
            rig.node.mine([])
            await follower.step()
        assert (await follower.store.cursor()).finalized_number >= silent
        await assert_equal_to_fresh_fold(rig)


@pytest.mark.parametrize("seed", range(3))
async def test_an_event_that_follows_from_a_missed_one_has_the_missed_one_found(
    postgres_url: str, seed: int
) -> None:
    node = SimulatedNode(seed=seed)
    node.open()
    contradictions = 0
    async with (
        rig_on(node, postgres_url) as rig,
        reader_without_blooms(rig) as rig.chain,
        rig.follower() as follower,
    ):
        await follower.step()
        node.faults.lies = {"eth_getLogs": [[]] * 6}
        for _ in range(40):
            node.grow(1, nulls=0, per_block=12)
            try:
                await follower.step()
            except FoldError:
                contradictions += 1
        for _ in range(3):
            await follower.step()
        assert contradictions > 0
        assert (await follower.store.cursor()).indexed_number == node.head.number
        await assert_equal_to_fresh_fold(rig)


async def test_what_the_second_reading_lacks_was_seen_all_the_same(rig: Rig) -> None:
    async with reader_without_blooms(rig) as rig.chain, rig.follower(finality_blocks=5) as follower:
        rig.node.grow(20, nulls=0)
        await follower.step()
        rig.node.mine([])
        rig.node.faults.lies = {"eth_getLogs": [[], []]}
        for _ in range(20):
            rig.node.mine([])
            await follower.step()
        cursor = await follower.store.cursor()
        assert cursor.reorgs == 0
        assert cursor.finalized_number > 10
        await assert_equal_to_fresh_fold(rig)


async def test_without_filters_a_range_without_logs_is_asked_of_a_second_endpoint(rig: Rig) -> None:
    rig.node.grow(20, nulls=0)
    async with reader_without_blooms(rig) as chain:
        honest = (await chain.logs_between(1, 20)).logs
        rig.node.faults.lies = {"eth_getLogs": [[]]}
        assert (await chain.final_logs_between(1, 20)).logs == honest
