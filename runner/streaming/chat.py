"""OpenAI's chat completions: what may be asked, and what is written back."""

import json
import time
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from runner.streaming.errors import StreamRefused

MAX_BODY_BYTES = 1_048_576
_TEXT_PARTS: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[dict[str, Any]])


class Turn(BaseModel):
    """One message. Content in parts is taken if all of them are text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: str = ""

    @field_validator("content", mode="before")
    @classmethod
    def _flattened(cls, value: Any) -> Any:
        if value is None:
            return ""
        if not isinstance(value, list):
            return value
        parts = _TEXT_PARTS.validate_python(value)
        if any(part.get("type") != "text" for part in parts):
            raise ValueError("only text parts are understood")
        return "".join(str(part.get("text", "")) for part in parts)


class StreamOptions(BaseModel):
    """What a stream says besides the answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    include_usage: bool = False


class ChatRequest(BaseModel):
    """`POST /v1/chat/completions`.

    What the engine has no use for is ignored. What would make an answer of another kind is refused: several answers at once, calls of
    tools, JSON by a schema, likelihoods.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: Annotated[str, Field(min_length=1, max_length=256)]
    messages: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=1_024)]
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    n: Literal[1] = 1
    max_tokens: Annotated[int, Field(ge=1, le=65_536)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=65_536)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: str | tuple[str, ...] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    tools: tuple[Any, ...] = ()
    tool_choice: Any = "auto"
    response_format: Any = None
    logprobs: Literal[False] = False

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, body: Any) -> Any:
        """OpenAI's API takes null for what is left out, and some clients send it."""
        return (
            {name: value for name, value in body.items() if value is not None}
            if isinstance(body, dict)
            else body
        )

    @field_validator("response_format")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("type") != "text":
            raise ValueError("only text is answered, by no schema")
        return value

    @model_validator(mode="after")
    def _calls_no_tools(self) -> Self:
        if self.tools and self.tool_choice != "none":
            raise ValueError("tools: runners call none; leave them out")
        return self

    @property
    def limit(self) -> int | None:
        """Return the most tokens that may be answered."""
        return self.max_completion_tokens or self.max_tokens

    def turns(self) -> list[dict[str, str]]:
        """Return the conversation as engines and receipts take it."""
        roles = {"developer": "system"}
        return [{"role": roles.get(turn.role, turn.role), "content": turn.content} for turn in self.messages]

    def options(self, *, context: int) -> dict[str, Any]:
        """Return the sampling options by Ollama's names."""
        stops = [self.stop] if isinstance(self.stop, str) else list(self.stop or ())
        named = {
            "num_ctx": context,
            "num_predict": self.limit,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "stop": stops or None,
            "presence_penalty": self.presence_penalty,
            "frequency_penalty": self.frequency_penalty,
        }
        return {name: value for name, value in named.items() if value is not None}


def read_request(body: bytes) -> ChatRequest:
    """Read a request's body; `StreamRefused` names the field that is wrong."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise StreamRefused(
            f"{field}: {first['msg']}", code="invalid_request", hint="Correct the field."
        ) from error


class Completion:
    """One answer in the making, in OpenAI's shapes."""

    def __init__(self, identity: str, model: str) -> None:
        self.identity = identity
        self.model = model
        self.created = int(time.time())

    def first(self) -> bytes:
        """Write the event that opens a stream."""
        return self._event({"role": "assistant", "content": ""}, None)

    def piece(self, text: str, tokens: int) -> bytes:
        """Write the event of a piece of text, with the number of tokens that it is billed for."""
        return self._event({"content": text}, None, tokens=tokens)

    def last(self, reason: str) -> bytes:
        """Write the event that ends the answer."""
        return self._event({}, reason)

    def usage(self, input_tokens: int, output_tokens: int) -> bytes:
        """Write the event that counts the tokens."""
        return sse(
            self._head("chat.completion.chunk") | {"choices": [], "usage": usage(input_tokens, output_tokens)}
        )

    def whole(self, text: str, reason: str, *, input_tokens: int, output_tokens: int) -> dict[str, Any]:
        """Write the answer in one piece."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": reason,
            "logprobs": None,
        }
        return self._head("chat.completion") | {
            "choices": [choice],
            "usage": usage(input_tokens, output_tokens),
        }

    def _event(self, delta: dict[str, str], reason: str | None, *, tokens: int = 0) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        billed = {"parity_tokens": tokens} if tokens else {}
        return sse(self._head("chat.completion.chunk") | {"choices": [choice]} | billed)

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.identity, "object": kind, "created": self.created, "model": self.model}


def usage(input_tokens: int, output_tokens: int) -> dict[str, int]:
    """Count tokens as OpenAI's API does."""
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }


def sse(document: dict[str, Any]) -> bytes:
    """Write one server-sent event."""
    return b"data: " + json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def comment(name: str, value: str) -> bytes:
    """Write a comment, which every reader of event streams skips but ours."""
    return f": {name} {value}\n\n".encode()


DONE = b"data: [DONE]\n\n"
