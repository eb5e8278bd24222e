"""Uvicorn's settings, with limits on what slow and silent clients can hold."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.settings import ServerSettings

MAX_FRAME_BYTES = 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
"""After so many a request's line and headers have to be whole."""
DRAIN_S = 10
"""Seconds that open requests and websockets get when the server stops."""


def server_config(app: ASGIApp, settings: ServerSettings, **more: Any) -> uvicorn.Config:
    """Return uvicorn's settings for the application; `more` are such as host and port."""
    guard = Guard(
        receive_timeout_s=settings.receive_timeout_s,
        send_timeout_s=settings.send_timeout_s,
        per_address=settings.connections_per_address,
        trusted=frozenset(one.strip() for one in settings.trusted_proxies.split(",")),
    )
    return GuardedConfig(
        app,
        guard=guard,
        log_config=None,
        access_log=False,
        http=GuardedHttp,
        ws=GuardedWebSocket,
        ws_max_size=MAX_FRAME_BYTES,
        timeout_graceful_shutdown=DRAIN_S,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        **more,
    )


@dataclass(slots=True, kw_only=True)
class Guard:
    """What one connection may take in time, and one address in connections; `trusted` proxies bring many callers."""

    receive_timeout_s: float
    send_timeout_s: float
    per_address: int
    trusted: frozenset[str]
    open: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> bool:
        """Count a connection; False if it is one too many."""
        self.open[address] += 1
        free = not self.per_address or address in self.trusted or "*" in self.trusted
        return free or self.open[address] <= self.per_address

    def leave(self, address: str) -> None:
        """Count a connection out."""
        self.open[address] -= 1
        if not self.open[address]:
            del self.open[address]


class GuardedConfig(uvicorn.Config):
    """uvicorn's settings, and the guard that all connections share."""

    def __init__(self, app: ASGIApp, *, guard: Guard, **more: Any) -> None:
        super().__init__(app, **more)
        self.guard = guard


class _Held:
    """A connection that its guard counts and times."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._address: str | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def enter(self, client: tuple[str, int] | None) -> bool:
        self._address = client[0] if client else "unknown"
        return self.guard.enter(self._address)

    def leave(self) -> None:
        self.flows()
        if self._address is not None:
            self.guard.leave(self._address)
            self._address = None

    def stalls(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        """Note that the client does not read; it is cut off if that lasts. A close would wait for it for ever."""
        if self._stalled is None:
            self._stalled = loop.call_later(self.guard.send_timeout_s, transport.abort)

    def flows(self) -> None:
        """Note that the client reads."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class GuardedHttp(HttpToolsProtocol):
    """Cuts off who does not finish a request's head, or does not read the answer; bodies are `CappedBody`'s."""

    def __init__(self, config: GuardedConfig, *arguments: Any, **more: Any) -> None:
        super().__init__(config, *arguments, **more)
        self._held = _Held(config.guard)
        self._head_due: asyncio.TimerHandle | None = None
        self._head_begun = False
        self._head_bytes = 0
        self._handed_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Count the connection, and wait for its first request."""
        super().connection_made(transport)
        if self._held.enter(self.client):
            self._expect_head()
        else:
            transport.write(_CROWDED)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection out."""
        self._head_came()
        self._held.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that has begun has to be whole in time, and within `MAX_HEAD_BYTES`."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._handed_over:
            return
        if self._answering():
            self._head_came()
            return
        self._expect_head()
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:  # the parser itself would keep a head of any length
            self.transport.write(_LONG)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._head_begun, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head is whole, and answer."""
        self._head_begun, self._head_bytes = False, 0
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, which counts itself anew."""
        self._handed_over = True
        self._head_came()
        self._held.leave()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Be ready for the next request, which may have begun to come."""
        super().on_response_complete()
        if self._head_begun and not self._answering():
            self._expect_head()

    def pause_writing(self) -> None:
        """Stop writing until the client reads."""
        super().pause_writing()
        self._held.stalls(self.loop, self.transport)

    def resume_writing(self) -> None:
        """Write on."""
        self._held.flows()
        super().resume_writing()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.call_later(self._held.guard.receive_timeout_s, self._too_slow)

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _too_slow(self) -> None:
        self._head_due = None
        if self._head_begun:  # Browsers open connections ahead of need: those are only closed.
            self.transport.write(_SLOW)
        self.transport.close()


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """Cuts off who does not read, and answers no pings meanwhile: pongs alone would fill the memory."""

    def __init__(self, config: GuardedConfig, *arguments: Any, **more: Any) -> None:
        super().__init__(config, *arguments, **more)
        self._held = _Held(config.guard)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection: as HTTP's it was let in."""
        super().connection_made(transport)
        self._held.enter(self.client)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection out."""
        self._held.leave()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Stop writing until the client reads."""
        super().pause_writing()
        self._held.stalls(self.loop, self.transport)

    def resume_writing(self) -> None:
        """Write on."""
        self._held.flows()
        super().resume_writing()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; what comes after a refused frame closed the websocket is for nobody."""
        if self.close_sent and message["type"] == "websocket.send":
            raise ClientDisconnected
        await super().send(message)

    def handle_ping(self) -> None:
        """Answer, unless the client reads no answers."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def keepalive_timeout(self) -> None:
        """Close on a client that is gone, and do not wait for it to read the farewell."""
        super().keepalive_timeout()
        self.loop.call_later(self.close_timeout, self.transport.abort)


def _bare(status: str, *, slug: str, detail: str, hint: str) -> bytes:
    """Write an answer to a request that was never read."""
    title = status.partition(" ")[2]
    problem = {"type": slug, "title": title, "status": int(status[:3]), "detail": detail, "hint": hint}
    body = msgspec.json.encode(problem)
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body


_CROWDED = _bare(
    "429 Too Many Requests",
    slug="too-many-connections",
    detail="too many connections are open from this address",
    hint="Close some, or send more requests over each.",
)
_SLOW = _bare(
    "408 Request Timeout",
    slug="request-too-slow",
    detail="the request's headers did not come in time",
    hint="Send the request at once.",
)
_LONG = _bare(
    "431 Request Header Fields Too Large",
    slug="head-too-large",
    detail=f"a request's line and headers may have {MAX_HEAD_BYTES} bytes",
    hint="Send documents in the body, and identifiers only in the address.",
)
