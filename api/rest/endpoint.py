"""One REST endpoint: what it takes and gives, and how a request becomes a call and an answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.services import Services
from api.shared import idempotency
from protocol.errors import InputError

M = TypeVar("M", bound=BaseModel)
_KEY = re.compile(rf"[!-~]{{1,{idempotency.MAX_KEY}}}")

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
    operation_id: str | None = None
    """Unique among all; the handler's name, if left out."""

    async def respond(self, request: Request) -> Response:
        """Answer a request; errors are left to the application's one handler."""
        key = request.headers.get(idempotency.HEADER) if self.body else None
        if key is None:
            return await self._answer(request)
        if not _KEY.fullmatch(key):
            raise InputError(
                f"{idempotency.HEADER}: expected 1 to {idempotency.MAX_KEY} printable characters",
                field=idempotency.HEADER,
                hint="Use a new UUID for each new request.",
            )
        return await self._answer_once(request, key)

    async def _answer(self, request: Request) -> Response:
        parameters = checked(self.parameters, {**_query(request), **request.path_params}, place=None)
        body = checked(self.body, await _json(request), place="body") if self.body else None
        answer = await self.handle(request.app.state.services, parameters, body)
        status = answer.http_status if isinstance(answer, Graded) else self.status
        return Response(answer.model_dump_json(), status_code=status, media_type="application/json")

    async def _answer_once(self, request: Request, key: str) -> Response:
        """Answer, or give the answer that the same request got before. A refusal frees the key: nothing was done."""
        shared = request.app.state.services.shared
        operation = f"{self.method} {self.path}"
        kept = await idempotency.begin(shared, operation, key, await request.body())
        if kept is not None:
            headers = {idempotency.REPLAYED: "true"}
            return Response(kept.answer, kept.status, headers=headers, media_type="application/json")
        try:
            response = await self._answer(request)
        except BaseException:
            await idempotency.release(shared, operation, key)
            raise
        kept = idempotency.Kept(response.status_code, bytes(response.body))
        await idempotency.keep(shared, operation, key, kept)
        return response


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


def checked(model: type[M], document: object, *, place: str | None) -> M:
    """Read a document into a model; `InputError` names the first field that is wrong."""
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
