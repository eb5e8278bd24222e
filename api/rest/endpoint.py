"""One REST endpoint: what it takes and gives, and how a request becomes a call and an answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.services import Services
from protocol.errors import InputError

M = TypeVar("M", bound=BaseModel)
Handler = Callable[[Services, Any, Any], Awaitable[BaseModel]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A route. `handle` gets the services, the parameters of path and query, and the body."""

    method: str
    path: str
    summary: str
    handle: Handler
    answer: type[BaseModel]
    parameters: type[BaseModel]
    body: type[BaseModel] | None = None
    status: int = 200
    problems: tuple[int, ...] = ()

    async def respond(self, request: Request) -> Response:
        """Answer a request; errors are left to the application's one handler."""
        parameters = _checked(self.parameters, {**_query(request), **request.path_params}, place=None)
        body = _checked(self.body, await _json(request), place="body") if self.body else None
        answer = await self.handle(request.app.state.services, parameters, body)
        status = answer.http_status if isinstance(answer, Graded) else self.status
        return Response(answer.model_dump_json(), status_code=status, media_type="application/json")


class Graded(BaseModel):
    """An answer that chooses its own status."""

    @property
    def http_status(self) -> int:
        """Give the HTTP status."""
        raise NotImplementedError


def _query(request: Request) -> dict[str, str]:
    seen: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in seen:
            raise InputError(f"{name}: given twice", field=name, hint="Give it once.")
        seen[name] = value
    return seen


async def _json(request: Request) -> object:
    try:
        document: object = msgspec.json.decode(await request.body())
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"body: not JSON ({error})",
            field="body",
            hint="Send a JSON object, Content-Type: application/json.",
        ) from error
    return document


def _checked(model: type[M], document: object, *, place: str | None) -> M:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or place or "request"
        message = first["msg"].removeprefix("Value error, ")
        hint = (
            "Remove it." if first["type"] == "extra_forbidden" else "See /openapi.json for what is expected."
        )
        raise InputError(f"{name}: {message}", field=name, hint=hint) from None
