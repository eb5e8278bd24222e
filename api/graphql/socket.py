"""Messages of graphql-transport-ws, validated before they are used."""

from typing import Any

import msgspec
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from api.services import Services


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
            msgspec.convert(message, _SHAPES.get(kind, _Any))
        except msgspec.ValidationError as error:
            await self.handle_invalid_message(f"Failed to parse message: {error}"[:120])
            return
        await super().handle_message(message)
