"""One REST endpoint: its parameters, its body and its answer, and how a request becomes a call."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.fields import checked
from api.json_text import NotReadable, read_json
from api.limits import require_rate
from api.rejections import NotSignedIn
from api.shared import idempotency, sessions
from protocol.errors import InputError

_KEY = re.compile(rf"[!-~]{{1,{idempotency.MAX_KEY}}}")

Handler = Callable[..., Awaitable[BaseModel]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the host and scheme that it asked for, and the address of its session, if it has one that holds."""

    host: str
    scheme: str
    token: str | None
    address: bytes | None

    def signed_in(self) -> bytes:
        """Return the session's address; `NotSignedIn` if there is none."""
        if self.address is None:
            raise NotSignedIn(
                "this needs a session" if self.token is None else "the session has ended, or never was",
                field="Authorization",
                hint="Sign in: GET /api/v1/auth/message, sign it, POST /api/v1/auth/sessions;"
                " then send Authorization: Bearer <token>.",
            )
        return self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A route. `handle` gets the services, the parameters of path and query, and the body; and the caller, if wanted."""

    method: str
    path: str
    summary: str
    handle: Handler
    answer: type[BaseModel]
    parameters: type[BaseModel]
    body: type[BaseModel] | None = None
    status: int = 200
    problems: tuple[int, ...] = ()
    wants_caller: bool = False
    needs_session: bool = False
    keeps_answer: bool = True
    """Whether its answer is kept by `Idempotency-Key`; one with a secret that is kept nowhere else is not."""
    operation_id: str | None = None
    """Unique among all; the handler's name, if left out."""

    async def respond(self, request: Request) -> Response:
        """Answer a request; errors are left to the application's one handler."""
        key = request.headers.get(idempotency.HEADER) if self.body and self.keeps_answer else None
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
        more = [await self._caller(request)] if self.wants_caller or self.needs_session else []
        answer = await self.handle(request.app.state.services, parameters, body, *more)
        status = answer.http_status if isinstance(answer, Graded) else self.status
        return Response(answer.model_dump_json(), status_code=status, media_type="application/json")

    async def _caller(self, request: Request) -> Caller:
        token = _token(request)
        address = await sessions.address_of(request.app.state.services.shared, token) if token else None
        caller = Caller(
            host=request.headers.get("host", ""), scheme=request.url.scheme, token=token, address=address
        )
        if self.needs_session:
            await require_rate(request.app, f"address:{caller.signed_in().hex()}")
        return caller

    async def _answer_once(self, request: Request, key: str) -> Response:
        """Answer, or give the answer that the same request got before. A refusal frees the key: nothing was done."""
        shared = request.app.state.services.shared
        operation = f"{self.method} {self.path}"
        if self.needs_session:
            # What was answered to one account is no other's to ask for.
            operation += f" {(await self._caller(request)).signed_in().hex()}"
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
        """Return the HTTP status."""
        raise NotImplementedError


def _token(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def _query(request: Request) -> dict[str, str]:
    seen: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in seen:
            raise InputError(f"{name}: given twice", field=name, hint="Pass it only once.")
        if "\0" in value or "\0" in name:
            raise InputError(f"{name!r:.80}: text may not contain U+0000", field=name, hint="Remove it.")
        seen[name] = value
    return seen


async def _json(request: Request) -> object:
    try:
        return read_json(await request.body())
    except NotReadable as error:
        raise InputError(
            f"body: {error}",
            field="body",
            hint="Send a JSON object, Content-Type: application/json.",
        ) from error
