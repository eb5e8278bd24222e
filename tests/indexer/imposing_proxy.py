"""A gateway before a real node that imposes on its users what Filecoin's public ones do.

Only the last blocks are served, log queries are capped in width and in results, some heights have no block (null
rounds), logs carry no time, and too many requests are refused.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.loopback import serve

Answer = dict[str, Any]


@dataclass
class Limits:
    """Blocks, results and requests; more calls a second than `per_s` are answered with HTTP status 429."""

    lookback: int | None = 2000
    width: int = 50
    results: int = 6
    per_s: float = 40
    null_rounds: bool = True


@dataclass
class ImposingProxy:
    """Serves a node's chain without the empty blocks at heights that end in 3 or 4."""

    upstream: str
    session: aiohttp.ClientSession
    limits: Limits = field(default_factory=Limits)
    requests: int = 0
    refused: list[str] = field(default_factory=list)
    widest: int = 0
    tokens: float = 0
    filled_at: float = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, upstream: str, limits: Limits) -> AsyncIterator[tuple["ImposingProxy", str]]:
        async with aiohttp.ClientSession() as session:
            proxy = cls(upstream, session, limits)
            application = web.Application(client_max_size=2**26)
            application.router.add_post("/", proxy._handle)
            async with serve(application) as url:
                yield proxy, f"{url}/"

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        body = await request.json()
        if not self._may(len(body) if isinstance(body, list) else 1):
            self.refused.append("too many requests")
            return web.Response(status=429, headers={"Retry-After": "0"})
        if isinstance(body, list):
            return web.json_response([await self._answer(entry) for entry in body])
        return web.json_response(await self._answer(body))

    def _may(self, calls: int) -> bool:
        now = time.monotonic()
        self.tokens = min(self.limits.per_s, self.tokens + (now - self.filled_at) * self.limits.per_s)
        self.filled_at = now
        if self.tokens <= 0:
            return False
        self.tokens -= calls
        return True

    async def _answer(self, entry: Answer) -> Answer:
        try:
            own = getattr(self, "_" + entry["method"], None)
            params = entry.get("params", [])
            result = await (own(*params) if own else self._ask(entry["method"], *params))
        except Refusal as refusal:
            self.refused.append(refusal.text)
            error = {"code": refusal.code, "message": refusal.text}
            return {"jsonrpc": "2.0", "id": entry["id"], "error": error}
        return {"jsonrpc": "2.0", "id": entry["id"], "result": result}

    async def _ask(self, method: str, *params: Any) -> Any:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self.session.post(self.upstream, json=call) as response:
            answer = await response.json()
        if "error" in answer:
            raise Refusal(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def _is_null(self, block: Answer) -> bool:
        height = int(block["number"], 16)
        return self.limits.null_rounds and height % 10 in (3, 4) and height > 9 and not block["transactions"]

    async def _below(self, block: Answer) -> Answer:
        """Return the block itself, or the last one below it that is there."""
        while self._is_null(block):
            block = await self._ask("eth_getBlockByHash", block["parentHash"], False)
        return block

    async def _seen(self, block: Answer) -> Answer:
        """Return a block as if the null rounds below it had never been: linked to the last block that is there."""
        if int(block["number"], 16) == 0:
            return block
        parent = await self._ask("eth_getBlockByHash", block["parentHash"], False)
        return {**block, "parentHash": (await self._below(parent))["hash"]}

    async def _head(self) -> int:
        latest = await self._ask("eth_getBlockByNumber", "latest", False)
        return int((await self._below(latest))["number"], 16)

    async def _eth_blockNumber(self) -> str:
        return hex(await self._head())

    async def _eth_getBlockByNumber(self, tag: str, full: bool) -> Answer | None:
        block = await self._ask("eth_getBlockByNumber", tag, full)
        if block is None:
            return None
        if not tag.startswith("0x"):
            return await self._seen(await self._below(block))
        if self._is_null(block):
            raise Refusal(12, f"requested epoch was a null round ({int(tag, 16)})")
        return await self._seen(block)

    async def _eth_getBlockByHash(self, block_hash: str, full: bool) -> Answer | None:
        block = await self._ask("eth_getBlockByHash", block_hash, full)
        return None if block is None or self._is_null(block) else await self._seen(block)

    async def _eth_getLogs(self, query: Answer) -> list[Answer]:
        if "blockHash" not in query:
            await self._check_range(int(query["fromBlock"], 16), int(query["toBlock"], 16))
        logs: list[Answer] = await self._ask("eth_getLogs", query)
        if len({log["blockNumber"] for log in logs}) > 1 and len(logs) > self.limits.results:
            raise Refusal(1, "filter matches too many events, try a more restricted filter")
        return [{name: value for name, value in log.items() if name != "blockTimestamp"} for log in logs]

    async def _check_range(self, first: int, last: int) -> None:
        head = await self._head()
        if last > head:
            raise Refusal(1, "events for the requested block are not yet available")
        if last - first > self.limits.width:
            raise Refusal(-32005, f"block range exceeds maximum of {self.limits.width} (got {last - first})")
        if self.limits.lookback is not None and first < head - self.limits.lookback:
            raise Refusal(1, "bad tipset height: lookbacks of more than 16h40m0s are disallowed")
        self.widest = max(self.widest, last - first)


class Refusal(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
