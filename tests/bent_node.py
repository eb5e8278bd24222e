"""A node between a process and a real chain whose answers are bent: cut short, of other types, too deep, missing, no JSON."""

import copy
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from tests.loopback import serve

NONSENSE: tuple[Any, ...] = (
    None, True, -1, 2**70, 1e300, "", "0x", "0xzz", "0x" + "f" * 3_000, "nonsense", [], {}, [[]], {"a": None},
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b"{}", b"<html>busy</html>", b"\xff\xfe\x00", b'"text"', b"[" * 50_000, b'{"jsonrpc":',
    b'{"jsonrpc":"2.0","id":1,"error":null}', b'{"jsonrpc":"2.0","id":1,"error":{"code":"x"}}',
    b'{"jsonrpc":"2.0","id":1,"error":"no"}', b"[null]", b'[{"id":0}]', b'{"id":1e400,"result":"0x1"}',
)  # fmt: skip


class BentNode:
    """Bends `share` of all answers, as the seed has it; `share` 0 passes everything on."""

    def __init__(self, upstream: str, *, seed: int, share: float) -> None:
        self.share, self.calls, self.bent, self.url = share, 0, 0, ""
        self._upstream, self._chance = upstream, random.Random(seed)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["BentNode"]:
        application = web.Application()
        application.router.add_post("/", self._answer)
        async with ClientSession() as self._session, serve(application) as self.url:
            yield self

    async def _answer(self, request: web.Request) -> web.Response:
        async with self._session.post(
            self._upstream, data=await request.read(), headers={"Content-Type": "application/json"}
        ) as response:
            body = await response.read()
        self.calls += 1
        if self._chance.random() < self.share:
            self.bent += 1
            body = self._bend(body)
        return web.Response(body=body, content_type="application/json")

    def _bend(self, body: bytes) -> bytes:
        way = self._chance.randrange(3)
        if way == 0:
            return self._chance.choice(BODIES)
        if way == 1:
            return body[: self._chance.randrange(len(body))]
        document = json.loads(body)
        entry = self._chance.choice(document) if isinstance(document, list) else document
        entry["result"] = self._bent(copy.deepcopy(entry.get("result")))
        return json.dumps(document).encode()

    def _bent(self, value: Any) -> Any:
        """Put nonsense in the place of a value, or of something in it; or leave something out."""
        inner = (
            list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
        )
        if not inner or self._chance.random() < 0.3:
            return self._chance.choice(NONSENSE)
        place = self._chance.choice(list(inner))
        if isinstance(value, dict) and self._chance.random() < 0.3:
            del value[place]
        else:
            value[place] = self._bent(value[place])
        return value
