"""Between a runner and its engine: passes calls on, and fails the next ones as it is told. It makes up no answer."""

import json
from collections import deque

from aiohttp import web

from tests.runner.proxy import Proxy

BUSY = "busy"
BREAK_OFF = "break off"
NO_JSON = "no json"
NO_COUNTS = "no counts"
TOO_MANY_TOKENS = "too many tokens"
NOT_AN_ANSWER = "not an answer"


class FaultyEngine(Proxy):
    """`faults` are played one a generation, then the real engine answers."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.faults: deque[str] = deque()
        self.generations = 0
        self.most_at_a_time = 0
        self._at_a_time = 0

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/generate":
            self.generations += 1
            return await self._generation(request)
        return await super().pass_on(request)

    async def _generation(self, request: web.Request) -> web.StreamResponse:
        self._at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self._at_a_time)
        try:
            if self.faults:
                return await self._fail(request, self.faults.popleft())
            return await super().pass_on(request)
        finally:
            self._at_a_time -= 1

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
