"""A cable between a process and something it depends on, which can be cut: a proxy of bytes on loopback or a Unix socket."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Final, Self

from devnet.ports import LOOPBACK, free_port

_CHUNK: Final = 65_536
_AT_ONCE: Final = struct.pack("ii", 1, 0)
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Cut(Enum):
    """How a cable is cut; the value is the word for it."""

    REFUSED = "refused"
    """As when the far end is gone: connections break, and new ones break at once."""
    SILENT = "silent"
    """As when packets are swallowed: connections stay, and nothing arrives until the cable is mended."""


class Cable:
    """Passes connections on to the far end. Use `async with Cable.tcp(...)` or `Cable.unix(...)`."""

    def __init__(self, reach: Callable[[], Awaitable[Stream]]) -> None:
        self._reach = reach
        self._cut: Cut | None = None
        self._whole = asyncio.Event()
        self._whole.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def tcp(cls, port: int) -> AsyncIterator[tuple[Self, int]]:
        """Lay a cable to a loopback port until the block is left; give it, and the port of its near end."""
        cable, near = cls(lambda: asyncio.open_connection(LOOPBACK, port)), free_port()
        server = await asyncio.start_server(cable._serve, LOOPBACK, near)
        async with cable._closing(server):
            yield cable, near

    @classmethod
    @asynccontextmanager
    async def unix(cls, far: Path, near: Path) -> AsyncIterator[Self]:
        """Lay a cable from a Unix socket, made at `near`, to the one at `far` until the block is left."""
        near.parent.mkdir(parents=True, exist_ok=True)
        cable = cls(lambda: asyncio.open_unix_connection(far))
        async with cable._closing(await asyncio.start_unix_server(cable._serve, near)):
            yield cable

    def cut(self, how: Cut) -> None:
        """Cut the cable until it is mended."""
        self._cut = how
        self._whole.clear()
        if how is Cut.REFUSED:
            self._break_all()

    def mend(self) -> None:
        """Let everything pass again, first what has been held up meanwhile."""
        self._cut = None
        self._whole.set()

    @asynccontextmanager
    async def _closing(self, server: asyncio.Server) -> AsyncIterator[None]:
        try:
            yield
        finally:
            server.close()
            self._break_all()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio serves each connection in a task"
        self._serving.add(task)
        self._writers.add(writer)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the far end is gone, or the cable is taken away: the near end learns it by its connection's end
        finally:
            _break(writer)
            self._writers.discard(writer)
            self._serving.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut is Cut.REFUSED:
            return
        await self._whole.wait()
        far_reader, far_writer = await self._reach()
        self._writers.add(far_writer)
        ways = [
            asyncio.ensure_future(self._pump(reader, far_writer)),
            asyncio.ensure_future(self._pump(far_reader, writer)),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            _break(far_writer)
            self._writers.discard(far_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._whole.wait()
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    def _break_all(self) -> None:
        for writer in list(self._writers):
            _break(writer)


def _break(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crash does: with a reset where there is such a thing."""
    if (sock := writer.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
