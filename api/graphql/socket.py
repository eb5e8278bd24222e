"""Messages of graphql-transport-ws, validated before they are used."""

from typing import TYPE_CHECKING, Any, cast

import msgspec
from graphql import GraphQLError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from api.limits import require_callers_rate
from api.problems import problem_of
from api.rejections import TooManyRequests
from api.services import Services

if TYPE_CHECKING:
    from strawberry.asgi import ASGIWebSocketAdapter


class _Operation(msgspec.Struct, rename="camel"):
    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


class _Named(msgspec.Struct):
    id: str


class _Subscribe(_Named):
    payload: _Operation


class _Any(msgspec.Struct):
    type: str


_SHAPES: dict[str, type[msgspec.Struct]] = {"subscribe": _Subscribe, "complete": _Named}


class SocketHandler(BaseGraphQLTransportWSHandler[Services, None]):
    """Strawberry's handler, which takes for granted that messages have the protocol's types."""

    async def handle_message(self, message: Message) -> None:
        """Handle a message; one of another shape closes the websocket, as the protocol has it."""
        try:
            kind = msgspec.convert(message, _Any).type
            read = msgspec.convert(message, _SHAPES.get(kind, _Any))
        except msgspec.ValidationError as error:
            await self.handle_invalid_message(f"Failed to parse message: {error}"[:120])
            return
        if (
            isinstance(read, _Subscribe)
            and self.connection_acknowledged
            and not await self._may_start(read.id)
        ):
            return
        await super().handle_message(message)

    async def _may_start(self, identity: str) -> bool:
        """Count an operation to its caller; one that is over the rate is refused in words, and the others go on."""
        try:
            await require_callers_rate(cast("ASGIWebSocketAdapter", self.websocket).ws.scope)
        except TooManyRequests as error:
            problem = problem_of(error)
            refusal = GraphQLError(problem.detail, extensions=problem.extensions())
            await self.send_message({"id": identity, "type": "error", "payload": [refusal.formatted]})
            return False
        return True
