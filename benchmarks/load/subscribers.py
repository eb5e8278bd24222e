"""Many websocket subscribers of one API server: how long after a block is mined each of them has it.

The block goes the whole way: anvil, the indexer, Postgres and its notification, the server, the subscribers.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

from devnet.anvil import Anvil

BLOCKS: Final = 20
_PAUSE_S: Final = 0.3
_PATIENCE_S: Final = 60
_QUERY: Final = "subscription { block { number } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Delays in milliseconds over all subscribers and blocks; `missed` counts blocks that a subscriber was not told."""

    subscribers: int
    p50_ms: float
    p99_ms: float
    missed: int


async def measure(anvil: Anvil, server: str, subscribers: int, *, blocks: int = BLOCKS) -> Told:
    """Mine blocks with pauses, and time when each subscriber learns of each."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(_subscribed(server)) for _ in range(subscribers)]
        await _counted(server, subscribers)
        mined: dict[int, float] = {}
        last = await anvil.block_number() + blocks
        listening = [asyncio.create_task(_listen(socket, last)) for socket in sockets]
        for _ in range(blocks):
            await asyncio.sleep(_PAUSE_S)
            number = await anvil.block_number() + 1
            mined[number] = time.perf_counter()
            await anvil.mine()
        async with asyncio.timeout(_PATIENCE_S):
            heard = await asyncio.gather(*listening)
    delays = sorted(
        1000 * (at - mined[number]) for one in heard for number, at in one.items() if number in mined
    )
    return Told(
        subscribers=subscribers,
        p50_ms=delays[len(delays) // 2],
        p99_ms=delays[int(len(delays) * 0.99)],
        missed=subscribers * blocks - len(delays),
    )


@asynccontextmanager
async def _subscribed(server: str) -> AsyncIterator[ClientConnection]:
    url = server.replace("http", "ws", 1) + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"], open_timeout=_PATIENCE_S) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init"}))
        if json.loads(await socket.recv())["type"] != "connection_ack":
            raise RuntimeError(f"{url}: no acknowledgement")
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": _QUERY}}))
        yield socket


async def _listen(socket: ClientConnection, last: int) -> dict[int, float]:
    heard: dict[int, float] = {}
    while last not in heard:
        message = json.loads(await socket.recv())
        if message["type"] == "next":
            heard[message["payload"]["data"]["block"]["number"]] = time.perf_counter()
        elif message["type"] != "ping":
            raise RuntimeError(f"a subscription ended: {message}")
    return heard


async def _counted(server: str, subscribers: int) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(_PATIENCE_S):
        while True:
            async with session.get(f"{server}/metrics") as answer:
                if f"parity_api_subscribers {subscribers}.0" in await answer.text():
                    return
            await asyncio.sleep(0.05)
