"""A server whose answers have no end: one that floods, or one that drips."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from tests.loopback import serve


@dataclass
class Endless:
    """The server; `sent` counts the bytes of its answers, before they are compressed."""

    piece: bytes
    pause_s: float = 0.0
    compressed: bool = False
    sent: int = 0
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Endless"]:
        """Answer every request on a free port."""
        application = web.Application()
        application.router.add_route("*", "/", self._answer)
        async with serve(application) as self.url:
            yield self

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if self.compressed:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        while True:
            await response.write(self.piece)
            self.sent += len(self.piece)
            if self.pause_s:
                await asyncio.sleep(self.pause_s)


def flood(*, compressed: bool) -> Endless:
    """Make one that sends as fast as it is read."""
    return Endless(bytes(2**16), compressed=compressed)


def drip() -> Endless:
    """Make one that sends a byte now and then."""
    return Endless(b" ", pause_s=0.05)
