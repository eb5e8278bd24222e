"""Between a runner and a service it depends on: passes calls on, until it is told to be down or to lie."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

from tests.loopback import serve


class Proxy:
    """An HTTP proxy on loopback. `down` breaks every connection; `change` may alter a path's answer."""

    def __init__(self, upstream: str) -> None:
        self.down = False
        self.change: Callable[[str, bytes], bytes] | None = None
        self.paths: list[str] = []
        self.url = ""
        self.port = 0
        self._upstream = upstream.rstrip("/")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=502)
        self.paths.append(request.path)
        return await self.pass_on(request)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        kept = {"Content-Type": request.headers["Content-Type"]} if "Content-Type" in request.headers else {}
        async with (
            ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                self._upstream + request.path_qs,
                data=await request.read(),
                headers=kept,
            ) as upstream,
        ):
            body = await upstream.read()
        if self.change is not None:
            body = self.change(request.path, body)
        return web.Response(
            status=upstream.status, body=body, headers={"Content-Type": upstream.headers["Content-Type"]}
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        async with serve(app) as self.url:
            self.port = int(self.url.rpartition(":")[2])
            yield self
