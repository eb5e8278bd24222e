"""Live updates over graphql-transport-ws, fed by the database's notifications."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from .conftest import GENESIS, Index, word


@asynccontextmanager
async def opened(client: httpx.AsyncClient) -> AsyncIterator[ClientConnection]:
    url = str(client.base_url).replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        yield socket


async def start(socket: ClientConnection, query: str, identity: str = "1") -> None:
    await socket.send(json.dumps({"id": identity, "type": "subscribe", "payload": {"query": query}}))


async def following(socket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        message = json.loads(await socket.recv())
    return message["payload"]["data"] if message["type"] == "next" else message["type"]


async def live(client: httpx.AsyncClient) -> None:
    """Wait until notifications reach the server."""
    async with asyncio.timeout(10):
        while not (await client.get("/status")).json().get("live"):  # noqa: ASYNC110  # the server is asked, as any client would
            await asyncio.sleep(0.02)


def progress(fields: str) -> str:
    return f'subscription {{ taskProgress(id: "0x{word(1).hex()}") {{ {fields} }} }}'


async def test_every_indexed_block_is_told_to_every_subscriber(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=1)
    await live(client)
    async with opened(client) as one, opened(client) as other:
        for socket in (one, other):
            await start(socket, "subscription { block { number hash } }")
        await subscribed(client, 2)
        for number in (2, 3):
            await index.sync(indexed=number)
        for socket in (one, other):
            for number in (2, 3):
                expected = {"number": number, "hash": "0x" + word(number).hex()}
                assert await following(socket) == {"block": expected}


async def subscribed(client: httpx.AsyncClient, count: int) -> None:
    async with asyncio.timeout(10):
        while f"parity_api_subscribers {count}.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110  # the server is asked, as any client would
            await asyncio.sleep(0.02)


async def test_a_tasks_progress_is_told_until_it_ends(index: Index, client: httpx.AsyncClient) -> None:
    await index.sync(indexed=1)
    await live(client)
    query = progress("status seats { seat }")
    async with opened(client) as socket:
        await start(socket, query)
        await subscribed(client, 1)
        await index.task(1)
        await index.sync(indexed=2)
        assert await following(socket) == {"taskProgress": {"status": "OPEN", "seats": []}}
        await index.sync(indexed=3)  # a block that does not change it tells nothing
        await index.seat(word(1), 0)
        await index.connection.execute("UPDATE tasks SET status = 'committing', updated_block = 4")
        await index.sync(indexed=4)
        assert await following(socket) == {"taskProgress": {"status": "COMMITTING", "seats": [{"seat": 0}]}}
        await index.connection.execute("UPDATE tasks SET status = 'final', updated_block = 5")
        await index.sync(indexed=5)
        assert await following(socket) == {"taskProgress": {"status": "FINAL", "seats": [{"seat": 0}]}}
        assert await following(socket) == "complete"
    await subscribed(client, 0)


async def test_a_subscriber_holds_no_database_connection_between_events(index: Index, serve: Any) -> None:
    await index.sync(indexed=1)
    await index.task(1)
    query = progress("status")
    async with serve(database_url=index.url, database_pool=1) as client, opened(client) as socket:
        for identity in ("1", "2", "3"):
            await start(socket, query, identity)
            await following(socket)
        assert (await client.get("/status")).status_code == 200


async def test_the_feed_comes_back_after_the_database_dropped_it(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=1)
    await live(client)
    async with opened(client) as socket:
        await start(socket, "subscription { block { number } }")
        await subscribed(client, 1)
        await index.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'parity-feed' AND datname = current_database()"
        )
        await index.sync(indexed=2)
        # Whether it was announced or caught up with after the reconnection, it arrives.
        while (await following(socket))["block"]["number"] != 2:
            pass


async def test_a_malformed_notification_does_no_harm(index: Index, client: httpx.AsyncClient) -> None:
    await index.sync(indexed=1)
    await live(client)
    async with opened(client) as socket:
        await start(socket, "subscription { block { number } }")
        await subscribed(client, 1)
        for payload in ("{", "[]", '{"number": "x"}', '{"number": 1, "hash": "0xzz"}'):
            await index.connection.execute("SELECT pg_notify('parity_block', $1)", payload)
        await index.sync(indexed=2)
        assert await following(socket) == {"block": {"number": 2}}


async def test_stopping_the_server_closes_websockets_in_time(index: Index, serve: Any) -> None:
    async with asyncio.timeout(10):
        async with serve(database_url=index.url) as client:
            url = str(client.base_url).replace("http", "ws") + "/graphql"
            socket = await connect(url, subprotocols=["graphql-transport-ws"])
            await socket.send(json.dumps({"type": "connection_init"}))
            await socket.recv()
            await start(socket, "subscription { block { number } }")
            await subscribed(client, 1)
        await socket.wait_closed()
        assert socket.close_code == 1012


async def test_operations_on_a_websocket_count_against_the_callers_rate(index: Index, serve: Any) -> None:
    await index.sync(indexed=1)
    async with (
        serve(database_url=index.url, rate_limit=10, rate_limit_window_s=3600) as client,
        opened(client) as socket,
    ):
        await start(socket, "subscription { block { number } }", "kept")
        answers = []
        for number in range(12):
            await start(socket, "{ status { indexedBlock } }", str(number))
            answer = json.loads(await socket.recv())
            answers.append(answer["type"])
            if answer["type"] == "next":
                assert json.loads(await socket.recv())["type"] == "complete"
        assert answers == ["next"] * 8 + ["error"] * 4, "opening the websocket and the subscription count too"
        (error,) = answer["payload"]
        assert (error["extensions"]["code"], error["extensions"]["status"]) == ("too-many-requests", 429)
        await index.sync(indexed=2)
        assert await following(socket) == {"block": {"number": 2}}


async def test_an_error_in_a_subscription_is_told_in_words(index: Index, client: httpx.AsyncClient) -> None:
    await index.connection.execute(
        "DROP VIEW task_results, prompt_requests, billing_metrics, model_capabilities"
    )
    await index.connection.execute("ALTER TABLE tasks RENAME TO gone")
    async with opened(client) as socket:
        await start(socket, progress("status"))
        message = json.loads(await asyncio.wait_for(socket.recv(), 10))
        assert message["payload"]["errors"][0]["extensions"]["code"] == "index-missing"


async def test_a_runners_changes_of_score_are_told_as_they_come(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=1)
    await live(client)
    node = await index.runner(0)
    async with opened(client) as socket:
        query = f'subscription {{ runnerEvents(node: "0x{node.hex()}") {{ score runner {{ name }} }} }}'
        await start(socket, query)
        await subscribed(client, 1)
        for block, who in ((2, node), (2, word(9)[12:]), (3, node)):
            place = {"block_number": block, "tx_index": 0, "log_index": 0, "tx_hash": word(1)}
            await index.insert(
                "reputation_events",
                node=who,
                ref=word(5),
                outcome="right",
                score=block,
                block_time=GENESIS,
                **place,
            )
        await asyncio.sleep(0.2)  # until it has read where it starts
        for block in (2, 3):
            await index.sync(indexed=block)
        for block in (2, 3):
            assert await following(socket) == {"runnerEvents": {"score": block, "runner": {"name": "box"}}}
