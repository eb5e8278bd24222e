"""Ollama's HTTP API: the routes, and the shape of every answer."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import anyio
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from devnet.engine.model import Ending, EngineError, Model, Piece
from devnet.engine.requests import PACKAGED_MARK, ChatRequest, GenerateRequest, Message, ShowRequest

VERSION: Final = "0.12.6"  # the Ollama release whose API this is
_FAR: Final = timedelta(days=365)

Framing = Callable[[str], dict[str, Any]]
_T = TypeVar("_T")


class ClientGone(Exception):
    """Whoever asked has closed the connection, so nobody waits for the answer."""


class EngineApp:
    """The routes over the models this process has loaded."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._models = models

    def starlette(self) -> Starlette:
        """Build the ASGI application."""

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            yield
            for model in self._models.values():
                await model.close()

        routes = [
            Route("/", self.home, methods=["GET", "HEAD"]),
            Route("/api/version", self.version),
            Route("/api/tags", self.tags),
            Route("/api/ps", self.running),
            Route("/api/show", self.show, methods=["POST"]),
            Route("/api/generate", self.generate, methods=["POST"]),
            Route("/api/chat", self.chat, methods=["POST"]),
        ]
        handlers: dict[Any, Any] = {EngineError: _refused, ValidationError: _invalid, ClientGone: _gone}
        return Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)

    async def home(self, _request: Request) -> Response:
        return PlainTextResponse("Ollama is running")

    async def version(self, _request: Request) -> Response:
        return JSONResponse({"version": VERSION, PACKAGED_MARK: True})

    async def tags(self, _request: Request) -> Response:
        return JSONResponse({"models": [_listed(model) for model in self._models.values()]})

    async def running(self, _request: Request) -> Response:
        until = (datetime.now(UTC) + _FAR).isoformat()
        more = {"expires_at": until, "size_vram": 0}
        rows = [
            {**_listed(model), **more, "context_length": model.facts.context_length}
            for model in self._models.values()
        ]
        return JSONResponse({"models": rows})

    async def show(self, request: Request) -> Response:
        body = await _body(request)
        asked = ShowRequest.model_validate({"model": body.get("name"), **body})
        return JSONResponse(_shown(self._model(asked.model)))

    async def generate(self, request: Request) -> Response:
        asked = GenerateRequest.model_validate(await _body(request))
        model = self._model(asked.model)
        if not asked.prompt:  # Ollama's way to load a model ahead of time
            return JSONResponse({**_head(model), "response": "", "done": True, "done_reason": "load"})
        prompt = asked.prompt if asked.raw else await model.apply_template(_conversation(asked))
        if asked.only_rendered:
            shown = {"rendered_template": prompt}
            return JSONResponse({**_head(model), "response": "", "done": False, "_debug_info": shown})
        answer = Answer(model, prompt, asked, lambda text: {"response": text})
        return await answer.respond(request)

    async def chat(self, request: Request) -> Response:
        asked = ChatRequest.model_validate(await _body(request))
        model = self._model(asked.model)
        if not asked.messages:
            message = {"role": "assistant", "content": ""}
            return JSONResponse({**_head(model), "message": message, "done": True, "done_reason": "load"})
        prompt = await model.apply_template(asked.messages)
        answer = Answer(
            model, prompt, asked, lambda text: {"message": {"role": "assistant", "content": text}}
        )
        return await answer.respond(request)

    def _model(self, name: str) -> Model:
        model = self._models.get(name)
        if model is None:
            raise EngineError(f"model '{name}' not found", status=404)
        return model


class Answer:
    """One answer in the making, framed as `generate` or `chat` frames its text."""

    def __init__(
        self, model: Model, prompt: str, asked: GenerateRequest | ChatRequest, frame: Framing
    ) -> None:
        self._model = model
        self._stream = asked.stream
        self._frame = frame
        self._started = time.perf_counter_ns()
        wanted = asked.top_logprobs if asked.logprobs else None
        self._parts = model.complete(prompt, asked.options, top_logprobs=wanted)

    async def respond(self, request: Request) -> Response:
        """Answer whole, or line by line. A client that goes away stops the computation either way."""
        if not self._stream:
            return JSONResponse(await _while_connected(request, self._whole))
        # The first part is awaited before the status is sent, so that a refusal is a 4xx and not a broken stream.
        first = await _while_connected(request, self._parts.__anext__)
        return StreamingResponse(self._lines(first), media_type="application/x-ndjson")

    async def _lines(self, first: Piece | Ending) -> AsyncIterator[bytes]:
        yield self._line(first)
        async for part in self._parts:
            yield self._line(part)

    def _line(self, part: Piece | Ending) -> bytes:
        if isinstance(part, Ending):
            line = {**_head(self._model), **self._frame(""), **self._closing(part)}
        else:
            line = {**_head(self._model), **self._frame(part.text), **_logprobs(part.logprobs), "done": False}
        return json.dumps(line).encode() + b"\n"

    async def _whole(self) -> dict[str, Any]:
        texts: list[str] = []
        logprobs: list[dict[str, Any]] = []
        closing: dict[str, Any] = {}
        async for part in self._parts:
            if isinstance(part, Ending):
                closing = self._closing(part)
            else:
                texts.append(part.text)
                logprobs.extend(part.logprobs)
        return {**_head(self._model), **self._frame("".join(texts)), **_logprobs(logprobs), **closing}

    def _closing(self, ending: Ending) -> dict[str, Any]:
        return {
            "done": True,
            "done_reason": ending.reason,
            "total_duration": time.perf_counter_ns() - self._started,
            "load_duration": 0,
            "prompt_eval_count": ending.input_tokens,
            "prompt_eval_duration": ending.prompt_ns,
            "eval_count": ending.output_tokens,
            "eval_duration": ending.eval_ns,
        }


async def _while_connected(request: Request, work: Callable[[], Awaitable[_T]]) -> _T:
    """Do `work`, or stop it and raise ClientGone as soon as the client closes the connection."""
    done: list[_T] = []
    refusal: EngineError | None = None
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            done.append(await work())
        except EngineError as error:  # kept, since a group would wrap it
            refusal = error
        group.cancel_scope.cancel()
    if refusal is not None:
        raise refusal
    if not done:
        raise ClientGone
    return done[0]


def _conversation(asked: GenerateRequest) -> list[Message]:
    # An empty one is as good as none to Ollama's `generate`, and is none of its `chat`.
    system = [Message(role="system", content=asked.system)] if asked.system else []
    return [*system, Message(role="user", content=asked.prompt)]


def _head(model: Model) -> dict[str, Any]:
    return {"model": model.file.name, "created_at": datetime.now(UTC).isoformat()}


def _logprobs(tokens: object) -> dict[str, Any]:
    return {"logprobs": tokens} if tokens else {}


def _details(model: Model) -> dict[str, Any]:
    file = model.file
    return {
        "parent_model": "",
        "format": "gguf",
        "family": file.family,
        "families": [file.family],
        "parameter_size": file.parameter_size,
        "quantization_level": file.quantization,
    }


def _listed(model: Model) -> dict[str, Any]:
    return {
        "name": model.file.name,
        "model": model.file.name,
        "modified_at": model.file.modified_at().isoformat(),
        "size": model.file.path.stat().st_size,
        "digest": model.digest,
        "details": _details(model),
    }


def _shown(model: Model) -> dict[str, Any]:
    file, facts = model.file, model.facts
    return {
        "modelfile": f'FROM {file.path.name}\nSYSTEM """{file.system}"""\n',
        "parameters": "\n".join(f"{name} {value:g}" for name, value in file.parameters.items()),
        "template": facts.template,
        "system": file.system,
        "license": file.license,
        "modified_at": file.modified_at().isoformat(),
        "details": _details(model),
        "capabilities": ["completion"],
        "model_info": {
            "general.architecture": file.family,
            "general.parameter_count": facts.parameters,
            f"{file.family}.context_length": facts.context_length,
            f"{file.family}.embedding_length": facts.embedding_length,
        },
    }


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise EngineError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise EngineError("the body is not a JSON object")
    return _without_nulls(body)


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what the `ollama` client sends as null, or an option that was left at none: it means the default."""
    kept = {key: value for key, value in body.items() if value is not None}
    if isinstance(kept.get("options"), Mapping):
        kept["options"] = _without_nulls(kept["options"])
    return kept


async def _refused(_request: Request, error: EngineError) -> Response:
    return JSONResponse({"error": str(error)}, status_code=error.status)


async def _invalid(_request: Request, error: ValidationError) -> Response:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": f"{field}: {first['msg']}"}, status_code=400)


async def _gone(_request: Request, _error: ClientGone) -> Response:
    return Response(status_code=499)  # what proxies log for it; nobody reads it
