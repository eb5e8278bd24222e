"""Uvicorn's settings, with limits on what slow and silent clients can hold."""

import asyncio
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.settings import ServerSettings
from protocol.guarded_http import (
    MAX_HEAD_BYTES,
    Guard,
    GuardedConfig,
    GuardedHttp,
    Held,
    Refusal,
    Refusals,
)

MAX_FRAME_BYTES = 1024 * 1024
DRAIN_S = 10
"""Seconds that open requests and websockets get when the server stops."""


def server_config(app: ASGIApp, settings: ServerSettings, **more: Any) -> uvicorn.Config:
    """Return uvicorn's settings for the application; `more` are such as host and port."""
    guard = Guard(
        receive_timeout_s=settings.receive_timeout_s,
        send_timeout_s=settings.send_timeout_s,
        per_address=settings.connections_per_address,
        refusals=_REFUSALS,
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


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """Cuts off who does not read, and answers no pings meanwhile: pongs alone would fill the memory."""

    def __init__(self, config: GuardedConfig, *arguments: Any, **more: Any) -> None:
        super().__init__(config, *arguments, **more)
        self._held = Held(config.guard)

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


def _bare(status: str, *, slug: str, detail: str, hint: str) -> Refusal:
    title = status.partition(" ")[2]
    problem = {"type": slug, "title": title, "status": int(status[:3]), "detail": detail, "hint": hint}
    return Refusal(status=status, body=msgspec.json.encode(problem), content_type="application/problem+json")


_REFUSALS = Refusals(
    crowded=_bare(
        "429 Too Many Requests",
        slug="too-many-connections",
        detail="too many connections are open from this address",
        hint="Close some, or send more requests over each.",
    ),
    slow=_bare(
        "408 Request Timeout",
        slug="request-too-slow",
        detail="the request's headers did not come in time",
        hint="Send the request at once.",
    ),
    long=_bare(
        "431 Request Header Fields Too Large",
        slug="head-too-large",
        detail=f"a request's line and headers may have {MAX_HEAD_BYTES} bytes",
        hint="Send documents in the body, and identifiers only in the address.",
    ),
)
