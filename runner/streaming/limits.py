"""What clients of the streaming path may take: time to say what they want, time to read, and connections."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

from protocol.guarded_http import MAX_HEAD_BYTES, Guard, GuardedConfig, GuardedHttp, Refusal, Refusals
from runner.settings import RunnerSettings
from runner.streaming.errors import StreamRefused

WAITING_PER_SLOT = 8
"""Prompts that may wait for each of the engine's slots."""
_LEAST_CONNECTIONS = 256
_CONNECTIONS_PER_PROMPT = 2
"""The answer's and its vouchers'."""
_ON_THIS_MACHINE = frozenset({"127.0.0.1", "::1"})
"""Where the owner's TLS proxy or tunnel stands, which brings everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for a request to arrive and for an answer to be read on; open connections, 0 of one address for any number.

    A connection that is kept for a next request waits as long for it as a request may take to arrive.
    """

    receive_timeout_s: float
    send_timeout_s: float
    connections: int
    per_address: int

    @classmethod
    def of(cls, settings: RunnerSettings) -> "Limits":
        """Return what the owner has set; connections for all prompts that its slots and their queue may hold, if nothing."""
        prompts = settings.runner_slots * (1 + WAITING_PER_SLOT)
        return cls(
            receive_timeout_s=settings.runner_receive_timeout_s,
            send_timeout_s=settings.runner_send_timeout_s,
            connections=settings.runner_connections
            or max(_LEAST_CONNECTIONS, _CONNECTIONS_PER_PROMPT * prompts),
            per_address=settings.runner_connections_per_address,
        )

    def config(self, app: ASGIApp, **more: Any) -> GuardedConfig:
        """Return uvicorn's settings for the application; `more` are such as host and port."""
        guard = Guard(
            receive_timeout_s=self.receive_timeout_s,
            send_timeout_s=self.send_timeout_s,
            per_address=self.per_address,
            most=self.connections,
            trusted=_ON_THIS_MACHINE,
            refusals=_REFUSALS,
        )
        return GuardedConfig(
            app,
            guard=guard,
            http=GuardedHttp,
            ws="none",
            timeout_keep_alive=self.receive_timeout_s,
            access_log=False,
            server_header=False,
            **more,
        )


def _refusal(status: str, message: str, *, code: str, hint: str) -> Refusal:
    refused = StreamRefused(message, code=code, status=int(status[:3]), hint=hint)
    return Refusal(status=status, body=json.dumps(refused.to_json()).encode())


_REFUSALS = Refusals(
    crowded=_refusal(
        "503 Service Unavailable",
        "too many connections are open here",
        code="busy",
        hint="Close some, or try another runner.",
    ),
    slow=_refusal(
        "408 Request Timeout",
        "the request's headers did not come in time",
        code="too_slow",
        hint="Send the request at once.",
    ),
    long=_refusal(
        "431 Request Header Fields Too Large",
        f"a request's line and headers may have {MAX_HEAD_BYTES} bytes",
        code="head_too_large",
        hint="Send less in headers.",
    ),
)
