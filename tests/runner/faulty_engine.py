"""Between a runner and its engine: passes calls on, and fails the next ones as it is told. It makes up no answer."""

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

BUSY = "busy"
BREAK_OFF = "break off"
NO_JSON = "no json"
NO_COUNTS = "no counts"
TOO_MANY_TOKENS = "too many tokens"
NOT_AN_ANSWER = "not an answer"


class FaultyEngine:
    """A proxy; `faults` are played one a generation, then the real engine answers."""

    def __init__(self, upstream: str) -> None:
        self.faults: deque[str] = deque()
        self.generations = 0
        self.url = ""
        self._upstream = upstream

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/generate":
            self.generations += 1
            if self.faults:
                return await self._fail(request, self.faults.popleft())
        return await self._pass_on(request)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        async with (
            ClientSession() as session,
            session.request(
                request.method, self._upstream + request.path, data=await request.read()
            ) as upstream,
        ):
            return web.Response(status=upstream.status, body=await upstream.read())

    async def _fail(self, request: web.Request, fault: str) -> web.StreamResponse:
        if fault == BUSY:
            return web.json_response({"error": "server busy, please try again"}, status=503)
        if fault == NO_JSON:
            return web.Response(body=b"<html>gateway</html>\n")
        if fault == BREAK_OFF:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(json.dumps({"response": "The", "done": False}).encode() + b"\n")
            assert request.transport is not None
            request.transport.abort()
            return response
        closing = {
            NO_COUNTS: {"done_reason": "stop"},
            TOO_MANY_TOKENS: {"done_reason": "stop", "prompt_eval_count": 5, "eval_count": 10_000},
            NOT_AN_ANSWER: {"done_reason": "load", "prompt_eval_count": 5, "eval_count": 0},
        }[fault]
        return web.Response(body=json.dumps({"response": "x", "done": True, **closing}).encode() + b"\n")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FaultyEngine"]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()
