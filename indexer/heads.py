"""When to look for a new head: at once when the node announces one, and every few seconds in any case.

The announcement is only a wake-up call. Gateways drop subscriptions without a word, so polling stays the truth.
"""

import asyncio
import random

import aiohttp
import structlog

log = structlog.get_logger()

RECONNECT_S = 5.0
_SUBSCRIBE = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}


def websocket_url(http_url: str) -> str:
    """Return the WebSocket address of an HTTP endpoint."""
    return "ws" + http_url.removeprefix("http")


async def announce(url: str, wake: asyncio.Event) -> None:
    """Set `wake` for each new head that the node announces, for ever; reconnects after a pause."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(
                    websocket_url(url), heartbeat=30, timeout=aiohttp.ClientWSTimeout(ws_close=1)
                ) as socket:
                    await socket.send_json(_SUBSCRIBE)
                    async for _message in socket:
                        wake.set()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.debug("no-head-announcements", why=str(error))
            await asyncio.sleep(RECONNECT_S * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)


async def wait(wake: asyncio.Event, *, at_most_s: float) -> None:
    """Wait for an announcement, or for `at_most_s` seconds."""
    try:
        async with asyncio.timeout(at_most_s):
            await wake.wait()
    except TimeoutError:
        return
    finally:
        wake.clear()
