"""`/graphql`: queries and mutations over HTTP, subscriptions over graphql-transport-ws."""

import dataclasses
import json
from datetime import timedelta
from http import HTTPStatus

import msgspec
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from api.graphql.persisted import PersistedQueries
from api.graphql.preparing import PreparedQueries
from api.graphql.quick import QuickQueries
from api.graphql.schema import LIMITS, MAX_TOKENS, build_schema
from api.graphql.socket import SocketHandler
from api.json_text import NotReadable, read_json
from api.middleware import replayed
from api.problems import Problem
from api.responses import problem_response, send_json
from api.services import Services

MAX_SUBSCRIPTIONS = 20
"""Operations that one websocket may have open."""


class GraphqlEndpoint(GraphQL[Services, None]):
    """Strawberry's endpoint, with our services as context and problem documents for malformed requests."""

    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, *, init_timeout_s: float) -> None:
        schema = build_schema()
        super().__init__(
            schema,
            graphql_ide=None,  # they all load scripts from other hosts
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=init_timeout_s),
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS,
        )
        self._persisted = PersistedQueries()
        prepared = PreparedQueries(schema._schema, rules=LIMITS, max_tokens=MAX_TOKENS)  # noqa: SLF001  # strawberry has no public name for graphql-core's
        self._quick = QuickQueries(prepared, self._persisted)

    async def execute_single(  # noqa: PLR0917  # strawberry's own signature
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Services,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Execute one operation; a persisted one is looked up first."""
        try:
            query = await self._persisted.resolve(context.shared, request_data.query, request_data.extensions)
        except GraphQLError as error:
            return ExecutionResult(data=None, errors=[error])
        return await super().execute_single(
            request,
            request_adapter,
            sub_response,
            context,
            root_value,
            dataclasses.replace(request_data, query=query),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if scope["method"] == "POST" and "application/json" in Headers(scope=scope).get("content-type", ""):
            request = await receive()  # the whole body: `CappedBody` has joined it
            answer = await self._quick.answer(request["body"], scope["app"].state.services)
            if answer is not None:
                await send_json(answer, send)
                return
            receive = replayed(request["body"], receive)
        try:
            response: Response = await self.run(Request(scope, receive))
        except HTTPException as error:
            response = problem_response(_problem(error))
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Services:  # noqa: ARG002  # strawberry calls it by name
        """Return the services; each operation gets a context of its own from them."""
        services: Services = request.app.state.services
        return services

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Read a request; strawberry itself expects no JSON but objects and arrays."""
        if request.method == "POST" and "application/json" in (request.content_type or ""):
            document = self.parse_json(await request.get_body())
            if not isinstance(document, dict | list):
                raise HTTPException(400, "Expected a JSON object")
        return await super().parse_http_body(request)

    def parse_json(self, data: str | bytes) -> object:
        """Read JSON of a request; what is wrong with it is said."""
        try:
            return read_json(data)
        except NotReadable as error:
            raise HTTPException(400, f"The request is not readable: {error}") from None

    def decode_json(self, data: str | bytes) -> object:
        """Read a websocket's message."""
        try:
            return read_json(data)
        except NotReadable as error:
            raise json.JSONDecodeError(str(error), "", 0) from None

    def encode_json(self, data: object) -> str:
        """Write JSON."""
        return msgspec.json.encode(data).decode()


def _problem(error: HTTPException) -> Problem:
    if str(error.reason).startswith("subscriptions"):
        return Problem(
            type="bad-request",
            title="Request not understood",
            status=HTTPStatus.BAD_REQUEST,
            detail="A subscription is not answered over HTTP",
            hint=f"Open a websocket here with the subprotocol {GRAPHQL_TRANSPORT_WS_PROTOCOL}.",
        )
    # Strawberry answers 404 where it would show an explorer, to a browser that comes without a query.
    absent = error.status_code == HTTPStatus.NOT_FOUND
    return Problem(
        type="bad-request",
        title="Request not understood",
        status=HTTPStatus.BAD_REQUEST if absent else error.status_code,
        detail="No GraphQL query found in the request" if absent else str(error.reason),
        hint='POST {"query": "…", "variables": {…}} as application/json.',
    )
