"""Two server processes over one database behave as one."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import TaskStatus

from .conftest import Index
from .orders import TASKS, Orders
from .processes import Server, server_process

Start = Callable[..., Any]


@pytest.fixture
async def start(
    tmp_path: Path, anvil: Anvil, deployment: Deployment, index: Index, accounts: LocalAccounts
) -> AsyncIterator[Start]:
    """Start two processes at once, with one relayer account."""
    async with AsyncExitStack() as stack:

        async def both(**settings: str) -> tuple[Server, Server]:
            shared = {
                "DATABASE_URL": index.url,
                "FILECOIN_RPC": anvil.url,
                "RELAYER_PRIVATE_KEY": accounts.relayer.key.hex(),
            } | settings
            first, second = await asyncio.gather(
                *(
                    stack.enter_async_context(server_process(tmp_path / name, deployment, **shared))
                    for name in ("first", "second")
                )
            )
            return first, second

        yield both


async def test_an_order_given_to_both_at_once_is_sent_once(
    start: Start, anvil: Anvil, orders: Orders, accounts: LocalAccounts
) -> None:
    servers = await start()
    await anvil.rpc("evm_setAutomine", False)
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    answers = await asyncio.gather(
        *(server.client.post(TASKS, json=body) for server in servers for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert int((await anvil.rpc("txpool_status"))["pending"], 16) == 1
    await anvil.mine()
    async with asyncio.timeout(20):
        for server in servers:
            while (again := await server.client.post(TASKS, json=body)).status_code == 202:  # noqa: ASYNC110  # as a client would
                await asyncio.sleep(0.1)
            assert (again.status_code, again.json()["type"]) == (409, "replayed")


async def test_orders_given_to_both_share_the_relayers_nonces(
    start: Start, chain: Chain, anvil: Anvil, orders: Orders, accounts: LocalAccounts
) -> None:
    servers = await start()
    bodies = [orders.body(orders.order(accounts.payer.address), accounts.payer) for _ in range(12)]
    await anvil.rpc("evm_setAutomine", False)
    answers = await asyncio.gather(
        *(servers[number % 2].client.post(TASKS, json=body) for number, body in enumerate(bodies))
    )
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    await anvil.mine()
    states = [
        (await chain.call(chain.escrow.functions.taskOf(answer.json()["taskId"])))[-1] for answer in answers
    ]
    assert states == [TaskStatus.OPEN] * 12


async def test_a_budget_is_used_up_at_both_together(
    start: Start, orders: Orders, accounts: LocalAccounts
) -> None:
    servers = await start(RELAYER_BUDGET="3")
    answers = []
    for number in range(5):
        body = orders.body(orders.order(accounts.payer.address), accounts.payer)
        answers.append(await servers[number % 2].client.post(TASKS, json=body))
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert answers[3].json()["type"] == "budget-exhausted"
    assert int(answers[3].headers["retry-after"]) > 0


async def test_an_idempotency_key_is_known_to_both(
    start: Start, orders: Orders, accounts: LocalAccounts
) -> None:
    first, second = await start()
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    sent = await first.client.post(TASKS, json=body, headers=key)
    again = await second.client.post(TASKS, json=body, headers=key)
    assert (sent.status_code, again.status_code) == (202, 202)
    assert again.content == sent.content
    assert ("idempotency-replayed" in sent.headers, again.headers["idempotency-replayed"]) == (False, "true")
    other = orders.body(orders.order(accounts.payer.address), accounts.payer)
    reused = await second.client.post(TASKS, json=other, headers=key)
    assert (reused.status_code, reused.json()["type"]) == (422, "idempotency-key-reused")


async def test_a_rate_holds_over_both_together(start: Start) -> None:
    servers = await start(RATE_LIMIT="40", RATE_LIMIT_WINDOW_S="3600")
    answers = [await servers[number % 2].client.get("/docs") for number in range(60)]
    granted = [answer for answer in answers if answer.status_code == 200]
    # Each process takes two at a time, so that at most one each may be left over.
    assert 38 <= len(granted) <= 40
    assert granted[0].headers["ratelimit-limit"] == "40"
    refused = answers[-1]
    assert (refused.status_code, refused.json()["type"]) == (429, "too-many-requests")
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["ratelimit-remaining"] == "0"
    assert (await servers[0].client.get("/health")).status_code == 200


async def test_subscribers_of_both_hear_of_the_same_block(start: Start, index: Index) -> None:
    servers = await start()
    await index.sync(indexed=1)
    async with AsyncExitStack() as stack:
        sockets = []
        for server in servers:
            await _live(server.client)
            url = str(server.client.base_url).replace("http", "ws") + "/graphql"
            socket = await stack.enter_async_context(connect(url, subprotocols=["graphql-transport-ws"]))
            await socket.send(json.dumps({"type": "connection_init"}))
            await socket.recv()
            query = {"query": "subscription { block { number } }"}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": query}))
            await _subscribed(server.client)
            sockets.append(socket)
        await index.sync(indexed=2)
        for socket in sockets:
            message = json.loads(await asyncio.wait_for(socket.recv(), 10))
            assert message["payload"]["data"] == {"block": {"number": 2}}


async def test_an_order_that_a_killed_process_had_sent_is_answered_by_the_other(
    start: Start, anvil: Anvil, orders: Orders, accounts: LocalAccounts, index: Index
) -> None:
    first, second = await start()
    await anvil.rpc("evm_setAutomine", False)
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    sent = await first.client.post(TASKS, json=body)
    assert sent.status_code == 202
    async with asyncio.timeout(10):
        while not await index.connection.fetchval("SELECT tx_hash FROM parity_api.relaying"):  # noqa: ASYNC110  # written a moment after the answer
            await asyncio.sleep(0.02)
    await first.kill()
    again = await second.client.post(TASKS, json=body)
    # It waits in the chain's pool, where a simulation sees it too.
    assert again.status_code in (202, 409), again.text
    assert again.status_code == 409 or again.json() == sent.json()
    assert int((await anvil.rpc("txpool_status"))["pending"], 16) == 1


async def _live(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while not (await client.get("/status")).json().get("live"):  # noqa: ASYNC110  # the server is asked, as any client would
            await asyncio.sleep(0.05)


async def _subscribed(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while "parity_api_subscribers 1.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)
