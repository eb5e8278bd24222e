"""What the outside may know of a running indexer: `/health`, `/ready`, `/status`, `/metrics`."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from indexer.errors import IndexerError
from indexer.progress import Progress

log = structlog.get_logger()


@dataclass(slots=True)
class Status:
    """The state that probes show. Heights are blocks; `ready_lag_blocks` and `stale_after_s` bound readiness."""

    ready_lag_blocks: int
    stale_after_s: float
    progress: Progress
    phase: str = "starting"
    schema: str = ""
    head_number: int = -1
    indexed_number: int = -1
    finalized_number: int = -1
    reorgs: int = 0
    last_reorg_depth: int | None = None
    range_blocks: int = 0
    rpc_requests: dict[tuple[str, str], int] = field(default_factory=dict)
    problem: str | None = None
    seen_at: float = 0.0

    @property
    def lag_blocks(self) -> int:
        """Blocks between the chain's head and the index."""
        return max(0, self.head_number - self.indexed_number)

    def not_ready(self) -> str | None:
        """Return why the index must not be read from, or None."""
        if self.phase != "live":
            return f"phase is {self.phase}"
        if self.lag_blocks > self.ready_lag_blocks:
            return f"{self.lag_blocks} blocks behind"
        if time.monotonic() - self.seen_at > self.stale_after_s:
            return self.problem or "the chain's head was not seen lately"
        return None

    def report(self) -> dict[str, object]:
        """Return `/status`."""
        return {
            "phase": self.phase,
            "schema": self.schema,
            "head": self.head_number,
            "indexed": self.indexed_number,
            "finalized": self.finalized_number,
            "lagBlocks": self.lag_blocks,
            "events": self.progress.events,
            "eventsPerSecond": round(self.progress.events_per_s(), 1),
            "remainingSeconds": round(self.progress.remaining_s(), 1) if self.phase == "backfill" else None,
            "reorgs": self.reorgs,
            "lastReorgDepth": self.last_reorg_depth,
            "undoBlocks": max(0, self.indexed_number - self.finalized_number),
            "rangeBlocks": self.range_blocks,
            "problem": self.problem,
        }


def metrics(status: Status) -> bytes:
    """Return `/metrics` in Prometheus' text format."""
    # Loaded when somebody asks for metrics, not while the index is waited for.
    from prometheus_client import CollectorRegistry, Gauge, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry()
    values = {
        "head_block": (status.head_number, "newest block of the chain"),
        "indexed_block": (status.indexed_number, "newest indexed block"),
        "finalized_block": (status.finalized_number, "newest block taken as final"),
        "lag_blocks": (status.lag_blocks, "blocks behind the head"),
        "events_total": (status.progress.events, "events folded by this process"),
        "reorgs_total": (status.reorgs, "reorganisations undone"),
        "deepest_reorg_blocks": (status.progress.deepest_reorg, "deepest one that this process undid"),
        "failures_total": (status.progress.failures, "steps that failed and were tried again"),
        "range_blocks": (status.range_blocks, "blocks per log query"),
        "ready": (int(status.not_ready() is None), "1 when /ready answers 200"),
    }
    for name, (value, about) in values.items():
        Gauge(f"indexer_{name}", about, registry=registry).set(value)
    requests = Gauge(
        "indexer_rpc_requests_total", "batches sent to nodes", ["method", "outcome"], registry=registry
    )
    for (method, outcome), count in status.rpc_requests.items():
        requests.labels(method, outcome).set(count)
    return generate_latest(registry)


def _application(status: Status) -> web.Application:
    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_request: web.Request) -> web.Response:
        why = status.not_ready()
        return web.json_response({"ready": why is None, "why": why}, status=200 if why is None else 503)

    async def status_page(_request: web.Request) -> web.Response:
        return web.json_response(status.report())

    async def metrics_page(_request: web.Request) -> web.Response:
        return web.Response(
            body=metrics(status), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    application = web.Application()
    application.add_routes(
        [
            web.get("/health", health),
            web.get("/ready", ready),
            web.get("/status", status_page),
            web.get("/metrics", metrics_page),
        ]
    )
    return application


@asynccontextmanager
async def serve(status: Status, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve the probes; gives the port, which differs from `port` when that is 0."""
    runner = web.AppRunner(_application(status), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise IndexerError(
                f"INDEXER_HOST, INDEXER_PORT: {host}:{port} cannot be used ({error.strerror})",
                hint="Set them to an address of this machine and a free port, or stop what uses this one.",
            ) from error
        bound: int = runner.addresses[0][1]
        log.info("serving", url=f"http://{host}:{bound}")
        yield bound
    finally:
        await runner.cleanup()
