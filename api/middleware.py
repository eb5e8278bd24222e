"""Middleware of every request: an id, a log line, metrics, a limit on the body, and security headers."""

import asyncio
import contextlib
import re
import secrets
import time

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import REQUEST_SECONDS, REQUESTS
from api.problems import Problem
from api.responses import INTERNAL, problem_response

MAX_BODY_BYTES = 1024 * 1024

_DIGITS = 12
_MOST_THROWN_AWAY = 16 * MAX_BODY_BYTES
_THROW_AWAY_S = 3.0

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
            b" font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
"""Of every answer; no part of the application sets them otherwise."""

log = structlog.get_logger("api.access")


class Observed:
    """Assigns each request an id (the caller's own, if it sent a decent one), logs and measures it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        started, status, started_sending = time.perf_counter(), 500, False

        async def observed_send(message: Message) -> None:
            nonlocal status, started_sending
            if message["type"] == "http.response.start":
                started_sending = True
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *_HEADERS]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, observed_send)
            except Exception as error:
                # The process's last boundary: whatever was not foreseen is logged in full and said in general.
                if scope["type"] != "http" or started_sending:
                    raise
                log.exception("request failed", method=scope["method"], path=scope["path"], exc_info=error)
                await problem_response(INTERNAL)(scope, receive, observed_send)
            finally:
                if scope["type"] == "http":
                    _measure(scope, status=status, took_s=time.perf_counter() - started)


class Timed:
    """Gives up on a request after so many seconds, unless its answer has begun."""

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._timeout_s) as clock:
                await self._app(scope, receive, noted_send)
        except TimeoutError:
            if begun or not clock.expired():
                raise
            await problem_response(_too_slow(self._timeout_s))(scope, receive, send)


class CappedBody:
    """Refuses a body above `MAX_BODY_BYTES`, whether or not its length was said before, and one that does not come."""

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or len(length) > _DIGITS or int(length) > MAX_BODY_BYTES:
            await _refuse(_TOO_LARGE, receive, send)
            return
        try:
            async with asyncio.timeout(self._timeout_s) as clock:
                body = await _whole(receive)
        except TimeoutError:
            if not clock.expired():
                raise
            await _refuse(_too_late(self._timeout_s), None, send)
            return
        except _TooLarge:
            await _refuse(_TOO_LARGE, receive, send)
            return
        if body is not None:
            await self._app(scope, replayed(body, receive), send)


class _TooLarge(Exception):
    """More has come than a body may have."""


async def _whole(receive: Receive) -> bytes | None:
    """Read a body; None if the caller went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _TooLarge
        if not message.get("more_body", False):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Replay a body that was read already."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


_TOO_LARGE = Problem(
    type="body-too-large",
    title="Body too large",
    status=413,
    detail=f"A body may have {MAX_BODY_BYTES} bytes.",
    hint="Put documents on IPFS and send their digests.",
)


def _too_late(timeout_s: float) -> Problem:
    return Problem(
        type="request-too-slow",
        title="Body too slow",
        status=408,
        detail=f"The body did not come within {timeout_s:g} s. Nothing was done.",
        hint="Send it at once.",
    )


async def _refuse(problem: Problem, receive: Receive | None, send: Send) -> None:
    """Answer before the body has come, and close the connection.

    The answer is whole at once; what the caller still sends is thrown away for a while first, since a caller that is cut
    off while it writes may not get to read.
    """
    response = problem_response(problem)
    response.headers["Connection"] = "close"
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    if receive is not None:
        await _throw_away(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_away(receive: Receive) -> None:
    left = _MOST_THROWN_AWAY
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_THROW_AWAY_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return


def _too_slow(timeout_s: float) -> Problem:
    return Problem(
        type="timeout",
        title="Took too long",
        status=504,
        detail=f"No answer within {timeout_s:g} s. What was begun may still happen.",
        hint="Ask for less at a time; before sending a POST again, look whether it has been done.",
    )


def _measure(scope: Scope, *, status: int, took_s: float) -> None:
    # The route's pattern, never the path itself: ids would make a series each.
    route = scope.get("route")
    pattern = getattr(route, "path", None) or "unmatched"
    REQUESTS.labels(scope["method"], pattern, str(status)).inc()
    REQUEST_SECONDS.labels(scope["method"], pattern).observe(took_s)
    log.info(
        "answered", method=scope["method"], path=scope["path"], status=status, took_ms=round(took_s * 1000, 1)
    )
