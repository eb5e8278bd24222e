"""Limits on what slow, silent and many clients can hold of an HTTP server under uvicorn: time and connections."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
"""After so many a request's line and headers have to be whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What is said to a request that was never read: an HTTP status such as "408 Request Timeout", and a body of JSON."""

    status: str
    body: bytes
    content_type: str = "application/json"

    def to_bytes(self) -> bytes:
        """Write the whole answer."""
        head = (
            f"HTTP/1.1 {self.status}\r\ncontent-type: {self.content_type}\r\ncontent-length: {len(self.body)}\r\n"
            "connection: close\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What a server says to one connection too many, to a head that does not end in time, and to one that is too long."""

    crowded: Refusal
    slow: Refusal
    long: Refusal


@dataclass(slots=True, kw_only=True)
class Guard:
    """What one connection may take in time, and one address and all together in connections; 0 is any number.

    `trusted` proxies bring many callers.
    """

    receive_timeout_s: float
    send_timeout_s: float
    per_address: int
    refusals: Refusals
    most: int = 0
    trusted: frozenset[str] = frozenset()
    open: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> bool:
        """Count a connection; False if it is one too many."""
        self.open[address] += 1
        if self.most and self.open.total() > self.most:
            return False
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


class Held:
    """A connection that its guard counts and times."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._address: str | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def enter(self, client: tuple[str, int] | None) -> bool:
        """Count the connection; False if it is one too many."""
        self._address = client[0] if client else "unknown"
        return self.guard.enter(self._address)

    def leave(self) -> None:
        """Count the connection out, once."""
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
    """Cuts off who does not finish a request's head, or does not read the answer; a body is its reader's."""

    def __init__(self, config: GuardedConfig, *arguments: Any, **more: Any) -> None:
        super().__init__(config, *arguments, **more)
        self._held = Held(config.guard)
        self._refusals = config.guard.refusals
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
            transport.write(self._refusals.crowded.to_bytes())
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
            self.transport.write(self._refusals.long.to_bytes())
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
            self.transport.write(self._refusals.slow.to_bytes())
        self.transport.close()
