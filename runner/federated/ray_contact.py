"""The daemon's contact with its driver, the process that has joined the Ray cluster: asks, is told, and starts and ends it."""

import asyncio
import contextlib
import itertools
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

import msgspec
import structlog

from runner.errors import ClusterAway, EngineUnavailable
from runner.federated.ray_messages import Away, Did, Drop, Hand, Joined, Lost, News, Order, Queued
from runner.federated.workshop import LENGTH

REMEDY = "Start it with `ray start --head`, and set RUNNER_RAY_ADDRESS to what it prints (host:6379 or ray://host:10001)."
ROOM = "Look at `ray status`, and free processors of the cluster or add nodes with `ray start --address=<host:port>`."
_SETTINGS = {"RAY_gcs_rpc_server_reconnect_timeout_s": "10"}
"""Ray's settings for a driver unless its owner sets others: for how long a cluster may be gone."""
_FIND_S = 10.0
_JOIN_S = 90.0
_STOP_S = 8.0

log = structlog.get_logger()


class Contact:
    """A driver that has joined the cluster. Use `async with Contact.made(address)`, and have `listen` run beside."""

    def __init__(self, address: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._address = address
        self._process, self._to, self._from = process, process.stdin, process.stdout
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._lost: ClusterAway | None = None
        self.queued = 0
        """Pieces of work that have waited for a processor of the cluster for a while."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(News)

    @classmethod
    @asynccontextmanager
    async def made(cls, address: str) -> AsyncIterator[Self]:
        """Start a driver and wait until it has joined. `ClusterAway` if it does not."""
        await _find(address)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "runner.federated.ray_driver", address),
            env=environment(os.environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        contact = cls(address, process)
        try:
            await contact._join()
            try:
                yield contact
            finally:
                await contact._let_go()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _join(self) -> None:
        try:
            async with asyncio.timeout(_JOIN_S):
                news = await self._read()
        except TimeoutError:
            raise _away(self._address, f"no answer in {_JOIN_S:.0f} s") from None
        assert isinstance(news, Joined)

    async def ask(self, request: bytes) -> bytes:
        """Have the cluster do a piece of work. Whoever no longer waits for it ends it.

        `EngineUnavailable` when what did it died, `ClusterAway` when the cluster is lost.
        """
        if self._lost is not None:
            raise ClusterAway(str(self._lost), hint=self._lost.hint)
        number = next(self._numbers)
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._write(Hand(number=number, request=request))
            with contextlib.suppress(ConnectionError):  # the driver is gone, as `listen` tells all who wait
                await self._to.drain()
            return await waiting
        except asyncio.CancelledError:
            self._write(Drop(number=number))
            raise
        finally:
            del self._waiting[number]

    async def listen(self) -> ClusterAway:
        """Give everybody the answers they wait for, until the cluster is lost: return how."""
        try:
            while True:
                self._tell(await self._read())
        except ClusterAway as error:
            return self._lose(error)
        except asyncio.CancelledError:
            self._lose(_away(self._address, "the runner lets go of it"))
            raise

    def _lose(self, error: ClusterAway) -> ClusterAway:
        self._lost = error
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
        return error

    def _tell(self, news: News) -> None:
        if isinstance(news, Queued):
            self._queue(news.pieces)
            return
        assert isinstance(news, Did | Lost)
        waiting = self._waiting.get(news.number)
        if waiting is None or waiting.done():
            return
        if isinstance(news, Did):
            waiting.set_result(news.answer)
        elif news.of_the_work:
            waiting.set_exception(
                EngineUnavailable(
                    f"the Ray cluster did not do it ({news.reason})",
                    hint="Look at `ray status` and for a lack of memory; the work is tried again.",
                )
            )
        else:
            waiting.set_exception(
                ClusterAway(
                    f"the Ray cluster did not do it ({news.reason})",
                    hint="Look at `ray status`, and install 'parity[ray,learning]' on its nodes; the work is tried again.",
                )
            )

    def _queue(self, pieces: int) -> None:
        if pieces and not self.queued:
            log.warning("ray_full", pieces=pieces, hint=ROOM)
        elif self.queued and not pieces:
            log.info("ray_has_room")
        self.queued = pieces

    def _write(self, order: Order) -> None:
        content = self._encoder.encode(order)
        self._to.write(LENGTH.pack(len(content)) + content)

    async def _read(self) -> News:
        try:
            (size,) = LENGTH.unpack(await self._from.readexactly(LENGTH.size))
            news: News = self._decoder.decode(await self._from.readexactly(size))
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError):
            raise _away(self._address, "the process that had joined it has ended") from None
        if isinstance(news, Away):
            raise _away(self._address, news.reason)
        return news

    async def _let_go(self) -> None:
        """Have the driver leave the cluster in order, so that no node works on for nobody."""
        self._to.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _STOP_S)


def environment(whole: Mapping[str, str]) -> dict[str, str]:
    """Return what a driver may see of the daemon's environment: where Ray looks for its own settings, and those."""
    kept = {name: value for name, value in whole.items() if name == "HOME" or name.startswith("RAY_")}
    return {**_SETTINGS, **kept}


async def _find(address: str) -> None:
    """See that somebody listens where the cluster should be, which Ray itself takes minutes to say. `ClusterAway`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # Ray knows other ways to name a cluster
    try:
        async with asyncio.timeout(_FIND_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, OverflowError) as error:
        raise _away(address, f"nothing answers there: {type(error).__name__}") from None
    writer.close()


def _away(address: str, reason: str) -> ClusterAway:
    return ClusterAway(f"the Ray cluster at {address} is away ({reason})", hint=REMEDY)
