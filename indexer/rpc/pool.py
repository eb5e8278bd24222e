"""Several endpoints behind one call: retries with jitter, fails over, and sets aside those that fail."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import msgspec
import structlog

from indexer.rpc.classify import Meaning, RpcError
from indexer.rpc.endpoint import Endpoint, RateLimited, unavailable
from indexer.rpc.wire import Call, Reply
from protocol.errors import RpcUnavailable

log = structlog.get_logger()

T = TypeVar("T")

TRIES = 6
READ_AHEAD_BYTES = 4 * 2**20
"""As large as answers mostly are: with less, a connection is stopped and started again many times for each."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 8.0
LONGEST_OBEYED_S = 120.0
"""How long the only endpoint may keep us waiting by its Retry-After."""


class RpcPool:
    """Endpoints in order of preference. `requests` counts outcomes by method, for the metrics."""

    def __init__(self, endpoints: Sequence[Endpoint], *, tries: int = TRIES) -> None:
        self.endpoints = list(endpoints)
        self.requests: Counter[tuple[str, str]] = Counter()
        self._tries = tries

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        urls: Sequence[str],
        *,
        timeout_s: float,
        tries: int = TRIES,
        requests_per_s: float | None = None,
    ) -> AsyncIterator["RpcPool"]:
        """Open one HTTP session for all endpoints, and close it at the end."""
        connector = aiohttp.TCPConnector(limit_per_host=8)
        async with aiohttp.ClientSession(
            connector=connector, json_serialize=lambda _: "", read_bufsize=READ_AHEAD_BYTES
        ) as session:
            endpoints = [
                Endpoint(url, session, timeout_s=timeout_s, requests_per_s=requests_per_s) for url in urls
            ]
            yield cls(endpoints, tries=tries)

    async def ask(
        self, calls: Sequence[Call], read: Callable[[Sequence[Reply]], T], *, second: bool = False
    ) -> T:
        """Have one endpoint answer the whole batch, and give what `read` makes of its replies.

        `second`: not the one that is asked first, where there are more.

        An endpoint whose replies `read` finds to be malformed (msgspec's error, `ValueError`, `OverflowError`) has
        failed like one that does not answer. Replies may carry errors whose meaning the caller knows (null rounds, too
        wide ranges); those that a later try may cure are retried here. Raises `RpcUnavailable` after the last try.
        """
        failure: RpcUnavailable | RpcError | None = None
        lacking: list[Endpoint] = []
        for attempt in range(self._tries):
            endpoint = self._choose(lacking, second=second)
            try:
                replies = await endpoint.send(calls)
                failure = _curable(calls, replies, elsewhere=len(lacking) + 1 < len(self.endpoints))
                if failure is None:
                    answer = read(replies)
            except (RpcUnavailable, RpcError) as error:
                failure = error
            except (msgspec.DecodeError, ValueError, OverflowError) as error:
                failure = unavailable(endpoint.name, f"answered {calls[0].method} with nonsense ({error})")
            self.requests[calls[0].method, "failed" if failure else "ok"] += 1
            if failure is None:
                endpoint.succeeded()
                return answer
            if _is_no_history(failure) and len(lacking) + 1 < len(self.endpoints):
                # Another endpoint may be an archive; this one is as good as before for everything else.
                lacking.append(endpoint)
                continue
            if isinstance(failure, RpcError) and failure.meaning is not Meaning.RETRY:
                raise failure
            if isinstance(failure, RpcError) and failure.is_rate_limit:
                endpoint.rate.refused()
            endpoint.failed(retry_after_s=getattr(failure, "retry_after_s", None))
            if attempt + 1 < self._tries:
                await self._wait(attempt, endpoint, failure)
        raise RpcUnavailable(str(failure), hint=failure.hint if failure else None) from failure

    @property
    def is_limited(self) -> bool:
        """Return whether an endpoint bears only so many requests a second, as far as is known."""
        return any(endpoint.rate.per_s is not None for endpoint in self.endpoints)

    def doubt_first(self) -> None:
        """Have another endpoint asked first, where there is one: what this one told was found wrong later."""
        self._choose([], second=False).failed()

    def _choose(self, lacking: Sequence[Endpoint], *, second: bool) -> Endpoint:
        now = time.monotonic()
        able = [endpoint for endpoint in self.endpoints if endpoint not in lacking]
        able.sort(key=lambda endpoint: (endpoint.is_parked(now), endpoint.failures))
        return able[1 if second and len(able) > 1 else 0]

    async def _wait(self, attempt: int, endpoint: Endpoint, failure: Exception) -> None:
        ceiling = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
        wait_s = ceiling * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
        alone = len(self.endpoints) == 1
        if alone and isinstance(failure, RateLimited) and failure.retry_after_s is not None:
            wait_s = max(wait_s, min(failure.retry_after_s, LONGEST_OBEYED_S))
        await log.adebug(
            "rpc-retry", endpoint=endpoint.name, attempt=attempt, wait_s=round(wait_s, 2), why=str(failure)
        )
        await asyncio.sleep(wait_s)


def _curable(calls: Sequence[Call], replies: Sequence[Reply], *, elsewhere: bool) -> RpcError | None:
    """Return an error that a later try may cure, or one `elsewhere`: at another endpoint."""
    for call, reply in zip(calls, replies, strict=True):
        if reply.error is not None:
            error = RpcError(reply.error.code, reply.error.message, method=call.method)
            if error.meaning is Meaning.RETRY or (elsewhere and _is_no_history(error)):
                return error
    return None


def _is_no_history(error: Exception | None) -> bool:
    return isinstance(error, RpcError) and error.meaning is Meaning.NO_HISTORY
