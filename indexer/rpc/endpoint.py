"""One node's endpoint: sends batches, knows how it fared."""

import random
import time
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
import msgspec

from indexer.rpc.classify import RpcError
from indexer.rpc.rate import RequestRate
from indexer.rpc.wire import Call, Reply
from protocol.errors import RpcUnavailable

_replies = msgspec.json.Decoder(list[Reply])
_reply = msgspec.json.Decoder(Reply)
_encode = msgspec.json.Encoder().encode

_LIMIT = -32005

PARK_AFTER = 3
"""Failures in a row after which an endpoint is set aside for a while."""
PARK_S = 60.0
MAX_RESPONSE_BYTES = 128 * 2**20
"""More than all logs of the fullest block come to. What a node sends beyond it is not read."""


class Endpoint:
    """One URL. `failures` counts failures in a row; a parked one is used only when nothing else is left."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        *,
        timeout_s: float,
        requests_per_s: float | None = None,
    ) -> None:
        self.url = url
        self.failures = 0
        self.parked_until = 0.0
        self.rate = RequestRate(requests_per_s)
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @property
    def name(self) -> str:
        """Name the endpoint without the keys that URLs carry in path and query."""
        return self.url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]

    def is_parked(self, now: float) -> bool:
        """Return whether others should be preferred at the monotonic time `now`."""
        return now < self.parked_until

    def succeeded(self) -> None:
        """Forget earlier failures."""
        self.failures = 0
        self.parked_until = 0.0
        self.rate.succeeded()

    def failed(self, *, retry_after_s: float | None = None) -> None:
        """Count a failure; park after a few, or for as long as the node asked."""
        self.failures += 1
        if retry_after_s is not None:
            self.parked_until = time.monotonic() + retry_after_s
        elif self.failures >= PARK_AFTER:
            self.parked_until = time.monotonic() + PARK_S * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)

    async def send(self, calls: Sequence[Call]) -> list[Reply]:
        """Send a batch; replies come in the order of the calls. `RpcUnavailable` when the node did not answer it."""
        await self.rate.wait(len(calls))
        body = [
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": call.params}
            for number, call in enumerate(calls)
        ]
        try:
            content = await self._post(_encode(body if len(body) > 1 else body[0]))
        except _TooLarge as error:
            if any(call.method == "eth_getLogs" for call in calls):
                raise RpcError(_LIMIT, str(error), method="eth_getLogs") from error
            raise unavailable(self.name, str(error)) from error
        return _in_order(content, calls, self.name)

    async def _post(self, body: bytes) -> bytes:
        try:
            async with self._session.post(
                self.url, data=body, headers={"Content-Type": "application/json"}, timeout=self._timeout
            ) as response:
                content = await _body(response)
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    self.rate.refused()
                    raise RateLimited(self.name, response.headers.get("Retry-After"))
                if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not content:
                    raise unavailable(self.name, f"HTTP status {response.status}")
                return content
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unavailable(self.name, str(error) or type(error).__name__) from error


class _TooLarge(Exception):
    """The answer does not end."""


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read what was answered, unpacked; a few bytes of a compressed answer may stand for any number."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_RESPONSE_BYTES:
            raise _TooLarge(f"response too large: more than {MAX_RESPONSE_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


class RateLimited(RpcUnavailable):
    """The node wants fewer requests. `retry_after_s` is what it asked for, in seconds."""

    def __init__(self, name: str, retry_after: str | None) -> None:
        super().__init__(
            f"{name}: too many requests", hint="Use an endpoint with a larger quota in FILECOIN_RPC."
        )
        self.retry_after_s = float(retry_after) if retry_after and retry_after.isdecimal() else None


def unavailable(name: str, why: str) -> RpcUnavailable:
    """Make the error of an endpoint that did not answer."""
    return RpcUnavailable(f"{name}: {why}", hint="Check that the node runs and that FILECOIN_RPC names it.")


def _in_order(content: bytes, calls: Sequence[Call], name: str) -> list[Reply]:
    try:
        replies = _replies.decode(content) if content[:1] == b"[" else [_reply.decode(content)]
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise unavailable(name, f"answered no JSON-RPC ({error})") from error
    if len(calls) > 1 and len(replies) == 1 and replies[0].error is not None:
        # The whole batch was refused by one error object.
        raise RpcError(replies[0].error.code, replies[0].error.message, method="batch")
    by_id = {reply.id: reply for reply in replies}
    try:
        return [by_id[number] for number in range(len(calls))]
    except KeyError as error:
        raise unavailable(name, "did not answer the whole batch") from error
