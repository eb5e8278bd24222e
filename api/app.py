"""The ASGI application: every part put together, started and stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from eth_account.signers.local import LocalAccount
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute

from api.chain_link import ChainLink
from api.database import Database
from api.feed import BlockFeed
from api.graphql.endpoint import GraphqlEndpoint
from api.metrics import REGISTRY
from api.middleware import CappedBody, Observed
from api.relay import Budget, Relay
from api.responses import on_http_error, on_parity_error
from api.rest.openapi import openapi
from api.rest.reference import reference_page
from api.rest.routes import rest_routes
from api.services import Services
from api.settings import ServerSettings
from api.site import Site
from protocol.deployment import Deployment
from protocol.errors import ParityError


def build_app(settings: ServerSettings, deployment: Deployment, relayer: LocalAccount | None) -> Starlette:
    """Put the application together; it connects to nothing until it is started."""
    graphql = GraphqlEndpoint()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _services(settings, deployment, relayer) as services:
            app.state.services = services
            yield

    return Starlette(
        routes=[
            *rest_routes(),
            Route("/openapi.json", _openapi),
            Route("/docs", _docs),
            Route("/metrics", _metrics),
            Route("/graphql", graphql, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", graphql),
            *Site().routes(),
        ],
        middleware=[Middleware(Observed), Middleware(CappedBody)],
        exception_handlers={ParityError: on_parity_error, HTTPException: on_http_error},
        lifespan=lifespan,
    )


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
    budget = Budget(orders=settings.relayer_budget, window_s=settings.relayer_budget_window_s)
    relay = Relay(link, relayer, budget)
    async with database, link, relay, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(feed.run())
        try:
            yield Services(settings=settings, database=database, feed=feed, link=link, relay=relay)
        finally:
            listening.cancel()


async def _openapi(_request: Request) -> Response:
    return Response(msgspec.json.encode(openapi()), media_type="application/json")


async def _docs(_request: Request) -> Response:
    return HTMLResponse(reference_page())


async def _metrics(_request: Request) -> Response:
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
