"""What the outside may ask of a running daemon, and tell it: `/health`, `/metrics` and `/hints` on loopback.

A hint, which is a delivery of the API's webhooks, says no more than that it may be worth looking: the chain is asked, as it
would be a little later anyway. Whoever forges one makes the runner look earlier, and nothing else.
"""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from protocol.errors import ConfigError
from protocol.money import USDFC
from runner.parts import Parts

HOST = "127.0.0.1"
_SIGNED_WITHIN_S = 300
_MOST_BODY = 1 << 16

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What `/metrics` shows, as of one moment; amounts in base units, `jobs` by stage."""

    head_block: int = -1
    engine_ready: bool = False
    models: int = 0
    slots: int = 0
    slots_busy: int = 0
    draining: bool = False
    earned: int = 0
    slashed: int = 0
    jobs: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Parts) -> Self:
        """Read the daemon's parts."""
        situation, totals = parts.situation, parts.journal.totals()
        return cls(
            head_block=situation.head_block,
            engine_ready=situation.engine_fault is None,
            models=len(situation.offers),
            slots=parts.settings.runner_slots,
            slots_busy=parts.journal.slots_held(),
            draining=situation.draining,
            earned=totals.paid,
            slashed=totals.slashed,
            jobs=totals.stages,
        )


def metrics(reading: Reading) -> bytes:
    """Return `/metrics` in Prometheus' text format."""
    registry = CollectorRegistry()
    values = {
        "head_block": (reading.head_block, "newest block seen of the chain, -1 before the first"),
        "engine_ready": (int(reading.engine_ready), "1 while the model engine answers"),
        "models": (reading.models, "models offered"),
        "slots": (reading.slots, "tasks that are worked on at once"),
        "slots_busy": (reading.slots_busy, "slots taken"),
        "draining": (int(reading.draining), "1 while nothing new is claimed"),
        "earned_usdfc": (reading.earned / USDFC, "USDFC that settled tasks of this journal brought"),
        "slashed_usdfc": (reading.slashed / USDFC, "USDFC of stake that tasks of this journal cost"),
    }
    for name, (value, about) in values.items():
        Gauge(f"parity_runner_{name}", about, registry=registry).set(value)
    jobs = Gauge("parity_runner_jobs", "tasks in the journal, by stage", ["stage"], registry=registry)
    for stage, count in reading.jobs.items():
        jobs.labels(stage).set(count)
    return generate_latest(registry)


def is_signed(secret: bytes, header: str, body: bytes, *, now: float) -> bool:
    """Return whether a `Parity-Signature` (`t=<Unix time>,v1=<HMAC-SHA256 of time, full stop and body>`) is right and recent."""
    fields = dict(field.partition("=")[::2] for field in header.split(","))
    told = fields.get("t", "")
    if not (told.isascii() and told.isdigit() and len(told) < 16) or abs(now - int(told)) > _SIGNED_WITHIN_S:
        return False
    expected = hmac.new(secret, f"{told}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), fields.get("v1", "").encode())


def _application(parts: Parts, secret: bytes | None) -> web.Application:
    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def metrics_page(_request: web.Request) -> web.Response:
        return web.Response(
            body=metrics(Reading.of(parts)),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def hints(request: web.Request) -> web.Response:
        if secret is None:
            return web.json_response({"error": "WEBHOOK_SECRET_FILE is not set"}, status=403)
        body = await request.read()
        if not is_signed(secret, request.headers.get("Parity-Signature", ""), body, now=time.time()):
            return web.json_response(
                {"error": "Parity-Signature: not made with this webhook's secret, or too old"}, status=401
            )
        parts.situation.hint()
        return web.Response(status=204)

    application = web.Application(client_max_size=_MOST_BODY)
    application.add_routes(
        [web.get("/health", health), web.get("/metrics", metrics_page), web.post("/hints", hints)]
    )
    return application


@asynccontextmanager
async def open_window(parts: Parts, *, port: int, secret: bytes | None) -> AsyncIterator[int]:
    """Serve on loopback while the block runs; give the port. `ConfigError` if it cannot be had."""
    runner = web.AppRunner(_application(parts, secret), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise ConfigError(
                f"WEBHOOK_PORT: {HOST}:{port} cannot be listened on ({error.strerror})",
                hint="Choose a free port, or 0 to serve neither metrics nor hints.",
            ) from error
        bound: int = runner.addresses[0][1]
        log.info("window_open", url=f"http://{HOST}:{bound}", hints=secret is not None)
        yield bound
    finally:
        await runner.cleanup()
