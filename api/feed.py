"""New blocks as the indexer announces them (`NOTIFY parity_block`), passed on to every listener in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import structlog

from api.connections import BROKEN
from api.metrics import SUBSCRIBERS
from api.rejections import TooManyRequests

CHANNEL = "parity_block"
HEARTBEAT_S = 15.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_BACKLOG = 256
MAX_LISTENERS = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BlockNotice:
    """A block whose events are in the index."""

    number: int
    hash: bytes


class BlockFeed:
    """One listening connection, kept up for ever by `run`.

    A listener that falls `_BACKLOG` blocks behind loses the oldest. After a lost connection the newest indexed block
    is announced again, so a listener that reads state on each notice misses nothing.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._listeners: set[asyncio.Queue[BlockNotice]] = set()
        self._newest: BlockNotice | None = None
        self._changed = asyncio.Condition()
        self.connected = False

    async def run(self) -> None:
        """Listen until cancelled, connecting again after each failure."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with _listening(self._url) as (connection, inbox):
                    await self._catch_up(connection)
                    pause_s, self.connected = _FIRST_PAUSE_S, True
                    while True:
                        await self._forward(await _next(connection, inbox))
            except (*BROKEN, TimeoutError, asyncpg.PostgresError) as error:
                log.warning("block feed interrupted", error=str(error), retry_in_s=pause_s)
            finally:
                self.connected = False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[asyncio.Queue[BlockNotice]]:
        """Listen for somebody outside, who is counted; `TooManyRequests` if there are too many already."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise TooManyRequests(
                f"{MAX_LISTENERS:,} subscriptions are open at this server",
                hint="Try again later, or ask another server.",
            )
        async with self.listen() as queue:
            SUBSCRIBERS.inc()
            try:
                yield queue
            finally:
                SUBSCRIBERS.dec()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[BlockNotice]]:
        """Yield a queue that receives every notice until the end of the block."""
        queue: asyncio.Queue[BlockNotice] = asyncio.Queue(_BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def wait_for(self, number: int, *, timeout_s: float) -> bool:
        """Wait until a block of at least this height was announced; False if it was not in time."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(
                    lambda: self._newest is not None and self._newest.number >= number
                )
        except TimeoutError:
            return False
        return True

    async def _catch_up(self, connection: Any) -> None:
        try:
            row = await connection.fetchrow("SELECT indexed_number, indexed_hash FROM sync_state")
        except asyncpg.UndefinedTableError:
            return
        if row is not None and row["indexed_hash"] is not None:
            await self._announce(BlockNotice(row["indexed_number"], row["indexed_hash"]))

    async def _forward(self, payload: str) -> None:
        try:
            document = msgspec.json.decode(payload)
            notice = BlockNotice(int(document["number"]), bytes.fromhex(document["hash"].removeprefix("0x")))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("block notice not understood", payload=payload[:200])
            return
        await self._announce(notice)

    async def _announce(self, notice: BlockNotice) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(notice)
        async with self._changed:
            self._newest = notice
            self._changed.notify_all()


@asynccontextmanager
async def _listening(url: str) -> AsyncIterator[tuple[Any, asyncio.Queue[str | None]]]:
    """Connect and listen; the queue gets each notice's payload, and None when the connection is lost."""
    connection = await asyncpg.connect(url, timeout=5.0, server_settings={"application_name": "parity-feed"})
    inbox: asyncio.Queue[str | None] = asyncio.Queue()
    connection.add_termination_listener(lambda _: inbox.put_nowait(None))
    try:
        await connection.add_listener(CHANNEL, lambda *notice: inbox.put_nowait(notice[3]))
        yield connection, inbox
    finally:
        connection.terminate()


async def _next(connection: Any, inbox: asyncio.Queue[str | None]) -> str:
    """Return the next payload; a connection that stays silent is asked whether it still lives."""
    while True:
        try:
            payload = await asyncio.wait_for(inbox.get(), HEARTBEAT_S)
        except TimeoutError:
            await connection.fetchval("SELECT 1", timeout=HEARTBEAT_S)
            continue
        if payload is None:
            raise ConnectionResetError("the database closed the connection")
        return payload
