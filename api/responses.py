"""Problem documents as responses, and the handlers that turn every exception into one."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from api.problems import Problem, problem_of
from protocol.errors import ParityError

INTERNAL = Problem(
    type="internal",
    title="Server error",
    status=500,
    detail="The server failed.",
    hint="Its log says why, by request id.",
)

_TITLES = {404: ("not-found", "Not found"), 405: ("method-not-allowed", "Method not allowed")}


def problem_response(problem: Problem) -> Response:
    """Write a problem document."""
    retry_after = problem.more.get("retryAfter")
    return Response(
        msgspec.json.encode(problem.document()),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={"Retry-After": str(retry_after)} if retry_after else None,
    )


async def send_json(content: bytes, send: Send) -> None:
    """Send a document of JSON, with status 200."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def on_parity_error(_request: Request, error: Exception) -> Response:
    """Answer one of our own errors."""
    assert isinstance(error, ParityError)
    return problem_response(problem_of(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer Starlette's own refusals, such as an unknown path."""
    assert isinstance(error, HTTPException)
    slug, title = _TITLES.get(error.status_code, ("bad-request", "Request not understood"))
    response = problem_response(
        Problem(
            type=slug,
            title=title,
            status=error.status_code,
            detail=f"{request.method} {request.url.path}: {error.detail}",
            hint="See /openapi.json for what there is.",
        )
    )
    response.headers.update(error.headers or {})
    return response
