"""OpenAI's API on this machine, in front of the network: existing tools use it by changing a base URL.

The key that pays is in this process, so it listens on loopback and asks for a token of its own.
"""

import hmac
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from client.gateway.events import Chunk, StreamBroken
from client.gateway.line import RunnerRefused
from client.gateway.lines import Lines
from protocol.attendance import NobodyWaits, while_waited_for
from protocol.errors import InputError, InsufficientFunds, ParityError

MAX_BODY_BYTES = 1_048_576

log = structlog.get_logger()


class Gateway:
    """The routes. Whoever asks must send `token` as OpenAI's clients send their API key."""

    def __init__(self, lines: Lines, *, token: str) -> None:
        self._lines = lines
        self._token = token

    def starlette(self) -> Starlette:
        """Build the ASGI application."""
        routes = [
            Route("/health", self.health),
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.completions, methods=["POST"]),
        ]
        handlers: dict[Any, Any] = {
            ParityError: _refused,
            StreamBroken: _broken,
            NobodyWaits: _left_alone,
        }
        return Starlette(routes=routes, exception_handlers=handlers)

    async def health(self, _request: Request) -> Response:
        """Answer that the process is alive."""
        return JSONResponse({"status": "ok"})

    async def models(self, request: Request) -> Response:
        """List the models that can be asked here."""
        self._authorise(request)
        market = await self._lines.market()
        names = sorted(
            {name for offer in market.offers if offer.url for name in (offer.name, offer.reference)}
        )
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "parity"} for name in names]
        return JSONResponse({"object": "list", "data": rows})

    async def completions(self, request: Request) -> Response:
        """Answer a conversation, as it comes or whole."""
        self._authorise(request)
        body = await _read(request)
        turns = _turns(body)
        # Nobody pays for an answer that nobody waits for.
        return await while_waited_for(request.receive, self._answer(body, turns))

    async def _answer(self, body: dict[str, Any], turns: list[dict[str, str]]) -> Response:
        chunks = self._lines.ask(body, turns)
        first = await anext(chunks, None)
        if first is None:
            raise StreamBroken("it answered nothing at all")
        if body.get("stream"):
            return StreamingResponse(
                _events(first, chunks), media_type="text/event-stream", headers={"cache-control": "no-store"}
            )
        return JSONResponse(await _whole(first, chunks, model=str(body["model"])))

    def _authorise(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise RunnerRefused(
                "the API key is not the one that this gateway printed when it started",
                status=401,
                code="invalid_api_key",
            )


async def _events(first: Chunk, rest: AsyncGenerator[Chunk, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield _event(first)
        try:
            async for chunk in rest:
                yield _event(chunk)
        except (StreamBroken, ParityError) as error:
            log.warning("answer_broken", error=str(error))
            yield (
                b"data: " + json.dumps(_error(str(error), code="stream_broken", hint=None)).encode() + b"\n\n"
            )
            return
    yield b"data: [DONE]\n\n"


def _event(chunk: Chunk) -> bytes:
    text = json.dumps(chunk.document, separators=(",", ":"), ensure_ascii=False)
    return b"data: " + text.encode("utf-8", "replace") + b"\n\n"


async def _whole(first: Chunk, rest: AsyncGenerator[Chunk, None], *, model: str) -> dict[str, Any]:
    texts, tokens, reason, usage = [first.text], first.tokens, "stop", None
    async with aclosing(rest):
        async for chunk in rest:
            texts.append(chunk.text)
            tokens += chunk.tokens
            usage = chunk.document.get("usage") or usage
            choices = chunk.document.get("choices") or [{}]
            reason = choices[0].get("finish_reason") or reason
    message = {"role": "assistant", "content": "".join(texts)}
    return {
        "id": first.document.get("id", f"chatcmpl-{uuid.uuid4().hex}"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": first.document.get("model", model),
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": usage or {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens},
    }


async def _read(request: Request) -> dict[str, Any]:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > MAX_BODY_BYTES:
            raise RunnerRefused(
                f"body: more than {MAX_BODY_BYTES:,} bytes", status=413, code="body_too_large"
            )
    try:
        body = json.loads(bytes(raw), parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except (ValueError, RecursionError) as error:
        raise RunnerRefused(f"body: not JSON ({error})", status=400, code="invalid_request") from error
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise RunnerRefused("model: missing", status=400, code="invalid_request")
    return {**body, "stream_options": {"include_usage": True}} if not body.get("stream") else body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _turns(body: dict[str, Any]) -> list[dict[str, str]]:
    """Return the turns as the runner's receipt names them, parts of text put together."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(turn, dict) for turn in messages):
        raise RunnerRefused("messages: expected a list of turns", status=400, code="invalid_request")
    return [{"role": _role(turn), "content": _text(turn.get("content"))} for turn in messages]


def _role(turn: dict[str, Any]) -> str:
    return "system" if turn.get("role") == "developer" else str(turn.get("role"))


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _error(message: str, *, code: str, hint: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "parity_error", "code": code, "param": None, "hint": hint}}


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ParityError)
    status, code = 500, "failed"
    if isinstance(error, RunnerRefused):
        status, code = error.status or 502, error.code
    elif isinstance(error, InsufficientFunds):
        status, code = 402, "insufficient_funds"
    elif isinstance(error, InputError):
        status, code = (404, "model_not_found") if error.field == "model" else (400, "invalid_request")
    return JSONResponse(_error(str(error), code=code, hint=error.hint), status_code=status)


async def _broken(_request: Request, error: Exception) -> Response:
    return JSONResponse(
        _error(f"the runner: {error}", code="stream_broken", hint="Ask again."), status_code=502
    )


async def _left_alone(_request: Request, _error: NobodyWaits) -> Response:
    return Response(status_code=499)  # what proxies log for it; nobody reads it
