"""One GGUF model, loaded by llama.cpp, which serves it on a private loopback port of this process."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import httpx
import xllamacpp

from devnet.engine.requests import Message, Options

# A queue of long answers may take long; whoever waits decides when it has been too long.
_PATIENCE: Final = httpx.Timeout(None)
# llama.cpp's server closes idle and much used connections without notice, in the middle of the next request.
_ONE_USE: Final = httpx.Limits(max_keepalive_connections=0)
_FINISH: Final = {"eos": "stop", "word": "stop", "limit": "length"}


class EngineError(Exception):
    """A request the model cannot serve. `status` is HTTP's."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model as it lies on disk, and what it is served with, as a Modelfile would say.

    `system` is the message before a conversation that brings none, `parameters` are options that a request leaves out.
    """

    name: str
    path: Path
    system: str
    parameters: Mapping[str, float]
    family: str
    parameter_size: str
    quantization: str
    license: str

    def digest(self) -> str:
        """Return the SHA-256 of the file, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, tz=UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer: some text, and the log probability of each of its tokens when they were asked for."""

    text: str
    logprobs: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended, and what it took. Durations are nanoseconds, as Ollama counts them."""

    reason: str
    input_tokens: int
    output_tokens: int
    prompt_ns: int
    eval_ns: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the loaded model says of itself."""

    context_length: int
    template: str
    embedding_length: int
    parameters: int


def engine_settings(file: ModelFile, *, threads: int) -> Any:
    """Return llama.cpp's settings for serving `file` to one request after another."""
    params = xllamacpp.CommonParams()
    params.model.path = str(file.path)
    params.n_ctx = 0  # as long as the model was trained for
    params.n_parallel = 1  # computing requests together would change the last bits of their logits
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.port = 0
    params.endpoint_props = True
    params.ui = False
    params.verbosity = -1
    return params


class Model:
    """A loaded model. `complete` streams an answer; leaving the stream early stops the computation."""

    def __init__(self, file: ModelFile, server: Any, http: httpx.AsyncClient, facts: Facts) -> None:
        self.file = file
        self.digest = file.digest()
        self.facts = facts
        # Only held: llama.cpp serves as long as this object lives.
        self._server = server
        self._http = http

    @classmethod
    def load(cls, file: ModelFile, *, threads: int) -> Self:
        """Load `file`, in about half a second for the model that is packaged."""
        return cls.serve(file, engine_settings(file, threads=threads))

    @classmethod
    def serve(cls, file: ModelFile, params: Any) -> Self:
        """Load `file` with llama.cpp's own settings, as `engine_settings` gives them."""
        server = xllamacpp.Server(params)
        address = server.listening_address
        with httpx.Client(base_url=address, timeout=30) as client:
            properties = client.get("/props").json()
            meta = client.get("/v1/models").json()["data"][0]["meta"]
        facts = Facts(
            context_length=properties["default_generation_settings"]["n_ctx"],
            template=properties["chat_template"],
            embedding_length=meta["n_embd"],
            parameters=meta["n_params"],
        )
        return cls(
            file, server, httpx.AsyncClient(base_url=address, timeout=_PATIENCE, limits=_ONE_USE), facts
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def apply_template(self, messages: Sequence[Message]) -> str:
        """Return the prompt that the model's own chat template makes of a conversation."""
        turns = [message.model_dump() for message in messages]
        if not turns or turns[0]["role"] != "system":
            turns.insert(0, {"role": "system", "content": self.file.system})
        answer = await self._http.post("/apply-template", json={"messages": turns})
        if answer.is_error:
            raise EngineError(f"the chat template refuses these messages: {answer.text}")
        prompt: str = answer.json()["prompt"]
        return prompt

    async def complete(
        self, prompt: str, options: Options, *, top_logprobs: int | None
    ) -> AsyncIterator[Piece | Ending]:
        """Stream the continuation of `prompt`, its Ending last.

        `top_logprobs` None leaves log probabilities out; a number adds that many alternatives to each token.
        Raises EngineError when the prompt does not fit `num_ctx`.
        """
        options = Options.model_validate({**self.file.parameters, **options.model_dump(exclude_unset=True)})
        context = min(options.num_ctx, self.facts.context_length)
        used = await self._count_tokens(prompt)
        if used >= context:
            raise EngineError(f"the prompt has {used} tokens, which does not fit num_ctx {context}")
        limit = context - used
        body = {
            **_sampling(options),
            "prompt": prompt,
            "n_predict": limit if options.num_predict < 0 else min(options.num_predict, limit),
            "n_probs": 0 if top_logprobs is None else max(1, top_logprobs),
            # An auditor's probes are one token each and share their beginning. Answers are computed whole: a reused
            # beginning is computed in other batches, which on some processors gives other last bits.
            "cache_prompt": options.num_predict == 1,
            "stream": True,
        }
        async with self._http.stream("POST", "/completion", json=body) as answer:
            if answer.is_error:
                await answer.aread()
                raise EngineError(answer.json()["error"]["message"], status=answer.status_code)
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield _read(json.loads(line.removeprefix("data: ")), top_logprobs)

    async def _count_tokens(self, prompt: str) -> int:
        answer = await self._http.post("/tokenize", json={"content": prompt, "add_special": True})
        return len(answer.json()["tokens"])


def _sampling(options: Options) -> dict[str, Any]:
    chosen = options.model_dump(exclude={"num_ctx", "num_predict", "stop"})
    return {**chosen, "stop": list(options.stop)}


def _read(event: dict[str, Any], top_logprobs: int | None) -> Piece | Ending:
    if "error" in event:
        raise EngineError(event["error"]["message"], status=500)
    if event["stop"]:
        timings = event["timings"]
        return Ending(
            reason=_FINISH.get(event["stop_type"], "stop"),
            input_tokens=event["tokens_evaluated"],
            output_tokens=event["tokens_predicted"],
            prompt_ns=int(timings["prompt_ms"] * 1_000_000),
            eval_ns=int(timings["predicted_ms"] * 1_000_000),
        )
    tokens = event.get("completion_probabilities", ()) if top_logprobs is not None else ()
    return Piece(event["content"], [_token(token, top_logprobs or 0) for token in tokens])


def _token(token: dict[str, Any], alternatives: int) -> dict[str, Any]:
    shown = {"token": token["token"], "bytes": token["bytes"], "logprob": token["logprob"]}
    if alternatives:
        shown["top_logprobs"] = [
            {"token": other["token"], "bytes": other["bytes"], "logprob": other["logprob"]}
            for other in token["top_logprobs"][:alternatives]
        ]
    return shown
