"""Rate limits by account and by IP address, counted over all processes together."""

import asyncio
import math
import time
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_of
from api.rejections import TooManyRequests
from api.responses import problem_response
from api.shared import buckets
from api.shared.state import SharedState
from protocol.errors import ParityError

_SHARES = 20
_MAX_KEYS = 50_000
_FREE = ("/health", "/ready", "/metrics", "/assets/", "/theme.js")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Share:
    """What this process may still grant to one key without asking, until when; times are of the monotonic clock."""

    left: int
    until: float
    refused_until: float = 0.0
    remaining: int = 0
    reset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key stands: `reset_s` seconds from now all of `limit` is there again."""

    granted: bool
    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Return the headers that say so."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class RateLimit:
    """Grants `requests` within `window_s` seconds to each key.

    Each process takes a twentieth at a time out of what all share, so that most requests cost no statement; all
    processes together never grant more. A key that is over its rate is refused without asking until it may again.
    """

    def __init__(self, state: SharedState, *, requests: int, window_s: float) -> None:
        self._state = state
        self._requests = requests
        self._window_s = window_s
        self._portion = max(requests // _SHARES, 1)
        self._shares: dict[str, _Share] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def take(self, key: str) -> Standing:
        """Count one request. While the database is away everyone is let through: then there is nothing to protect."""
        share = self._shares.get(key)
        if share is None or not self._grant(share):
            async with self._asking.setdefault(key, asyncio.Lock()):
                share = self._shares.get(key)
                if share is None or not self._grant(share):
                    share = await self._ask(key)
            self._asking.pop(key, None)
        now = time.monotonic()
        granted = share.refused_until <= now
        reset_s = share.reset_s if granted else share.refused_until - now
        return Standing(
            granted=granted,
            limit=self._requests,
            remaining=share.remaining + share.left if granted else 0,
            reset_s=max(math.ceil(reset_s), 1),
        )

    def _grant(self, share: _Share) -> bool:
        """Decide without asking: True if it is decided."""
        now = time.monotonic()
        if share.refused_until > now:
            return True
        if share.left > 0 and share.until > now:
            share.left -= 1
            return True
        return False

    async def _ask(self, key: str) -> _Share:
        taken, portion = await self._take(key, self._portion), self._portion
        if not taken.granted and portion > 1:
            taken, portion = await self._take(key, 1), 1
        now = time.monotonic()
        share = _Share(
            left=portion - 1 if taken.granted else 0,
            until=now + self._window_s,
            refused_until=0.0 if taken.granted else now + taken.wait_s,
            remaining=taken.remaining,
            reset_s=taken.wait_s,
        )
        if len(self._shares) >= _MAX_KEYS:
            self._shares.clear()
        self._shares[key] = share
        return share

    async def _take(self, key: str, amount: int) -> buckets.Taken:
        try:
            return await buckets.take(
                self._state, f"rate:{key}", amount=amount, limit=self._requests, window_s=self._window_s
            )
        except ParityError as error:
            log.warning("rate limit not checked", error=error.message)
            return buckets.Taken(granted=True, remaining=self._requests, wait_s=0.0)


class Limited:
    """Holds each IP address to its rate, and says in headers how much is left.

    A websocket counts when it opens, and once more for each operation that is started on it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit: RateLimit | None = getattr(scope["app"].state, "rate_limit", None) if "app" in scope else None
        if scope["type"] not in ("http", "websocket") or limit is None or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        standing = await limit.take(_caller(scope))
        if standing.granted:
            await self._app(scope, receive, _with_headers(scope, send, standing))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "too many requests"})
        else:
            response = problem_response(problem_of(_refusal(standing)))
            response.headers.update(standing.headers())
            await response(scope, receive, send)


async def require_rate(app: Starlette, key: str) -> None:
    """Count one request of a key besides its IP address's; `TooManyRequests` if that is one too many."""
    limit: RateLimit | None = getattr(app.state, "rate_limit", None)
    standing = await limit.take(key) if limit else None
    if standing is not None and not standing.granted:
        raise _refusal(standing)


async def require_callers_rate(scope: Scope) -> None:
    """Count one operation on a websocket, as if it were a request; `TooManyRequests` if that is one too many."""
    await require_rate(scope["app"], _caller(scope))


def _caller(scope: Scope) -> str:
    client = scope.get("client")
    return f"ip:{client[0]}" if client else "ip:unknown"


def _with_headers(scope: Scope, send: Send, standing: Standing) -> Send:
    if scope["type"] != "http":
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(standing.headers())
        await send(message)

    return sending


def _refusal(standing: Standing) -> TooManyRequests:
    return TooManyRequests(
        f"more than {standing.limit} requests within the window",
        hint=f"Try again in {standing.reset_s} s; ask for more in each request, or subscribe instead of polling.",
        more={"retryAfter": standing.reset_s},
    )
