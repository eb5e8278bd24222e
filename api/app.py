"""The ASGI application: every part put together, started and stopped."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from eth_account.signers.local import LocalAccount
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute

from api.chain_link import ChainLink
from api.database import Database
from api.feed import BlockFeed
from api.graphql.endpoint import GraphqlEndpoint
from api.hints import Hints
from api.limits import Limited, RateLimit
from api.metrics import REGISTRY
from api.middleware import CappedBody, Observed, Timed
from api.relay import Budget, Relay
from api.responses import on_http_error, on_parity_error
from api.rest.openapi import openapi
from api.rest.reference import reference_page
from api.rest.routes import rest_routes
from api.services import Services
from api.settings import ServerSettings
from api.shared import idempotency
from api.shared.state import SharedState
from api.site import Site
from protocol.deployment import Deployment
from protocol.errors import ParityError

_CANCEL_AGAIN_S = 1.0


def build_app(settings: ServerSettings, deployment: Deployment, relayer: LocalAccount | None) -> Starlette:
    """Put the application together; it connects to nothing until it is started."""
    graphql = GraphqlEndpoint(init_timeout_s=settings.receive_timeout_s)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _services(settings, deployment, relayer) as services:
            app.state.services = services
            if settings.rate_limit:
                app.state.rate_limit = RateLimit(
                    services.shared, requests=settings.rate_limit, window_s=settings.rate_limit_window_s
                )
            yield

    return Starlette(
        routes=[
            # First, since they are tried in turn.
            Route("/graphql", graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", graphql),
            *rest_routes(),
            Route("/openapi.json", _openapi),
            Route("/docs", _docs),
            Route("/metrics", _metrics),
            *Site().routes(),
        ],
        middleware=[
            Middleware(Observed),
            *_cors(settings),
            Middleware(Limited),
            Middleware(Timed, timeout_s=settings.request_timeout_s),
            Middleware(CappedBody, timeout_s=settings.receive_timeout_s),
        ],
        exception_handlers={ParityError: on_parity_error, HTTPException: on_http_error},
        lifespan=lifespan,
    )


def _cors(settings: ServerSettings) -> list[Middleware]:
    """Let other sites' pages ask, if the operator wants it; no credentials go along, since none are in cookies."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", idempotency.HEADER, "X-Request-Id"],
            expose_headers=[
                "X-Request-Id",
                "Retry-After",
                "RateLimit-Limit",
                "RateLimit-Remaining",
                "RateLimit-Reset",
                idempotency.REPLAYED,
            ],
            max_age=600,
        )
    ]


@asynccontextmanager
async def _services(
    settings: ServerSettings, deployment: Deployment, relayer: LocalAccount | None
) -> AsyncIterator[Services]:
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool,
        statement_timeout_s=settings.statement_timeout_s,
    )
    feed = BlockFeed(settings.database_url)
    link = ChainLink(settings.filecoin_rpc, deployment)
    shared = SharedState(settings.database_url)
    budget = Budget(shared, intents=settings.relayer_budget, window_s=settings.relayer_budget_window_s)
    relay = Relay(link, relayer, state=shared, budget=budget)
    hints = Hints(shared, feed, allow_private=settings.webhook_allow_private)
    async with database, shared, link, relay, asyncio.TaskGroup() as tasks:
        jobs = [tasks.create_task(work()) for work in (feed.run, shared.keep_house, hints.run)]
        try:
            yield Services(
                settings=settings, database=database, feed=feed, link=link, relay=relay, shared=shared
            )
        finally:
            await _end(jobs)


async def _end(jobs: Sequence[asyncio.Task[None]]) -> None:
    """Cancel jobs until they have ended: one that is just connecting may take a cancellation for its own time-out's."""
    while running := [job for job in jobs if not job.done()]:
        for job in running:
            job.cancel()
        await asyncio.wait(running, timeout=_CANCEL_AGAIN_S)


async def _openapi(_request: Request) -> Response:
    return Response(msgspec.json.encode(openapi()), media_type="application/json")


async def _docs(_request: Request) -> Response:
    return HTMLResponse(reference_page())


async def _metrics(_request: Request) -> Response:
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
