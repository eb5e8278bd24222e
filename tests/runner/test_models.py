"""`parity-runner models`: what the engine has, and fetching more, by what Ollama documents of `/api/pull`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from typer.testing import CliRunner

from runner.__main__ import app
from runner.errors import EngineRefused, EngineUnavailable
from runner.executors.llm import LlmExecutor
from runner.models import Pulling, lines_of, pull
from runner.settings import RunnerSettings
from tests.loopback import serve

DIGEST = "sha256:" + "ab" * 32
STEPS = [
    {"status": "pulling manifest"},
    {"status": "pulling abababababab", "digest": DIGEST, "total": 2_000},
    {"status": "pulling abababababab", "digest": DIGEST, "total": 2_000, "completed": 1_500},
    {"status": "verifying sha256 digest"},
    {"status": "success"},
]


@asynccontextmanager
async def ollama_that_says(*steps: dict[str, object]) -> AsyncIterator[str]:
    """Serve a pull as Ollama's API page has it: one JSON object a line."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert (await request.json())["model"] == "llama3.2:1b"
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for step in steps:
            await response.write(json.dumps(step).encode() + b"\n")
        return response

    app = web.Application()
    app.router.add_post("/api/pull", answer)
    async with serve(app) as url:
        yield url


async def test_a_pull_tells_how_far_each_layer_is() -> None:
    async with ollama_that_says(*STEPS) as url:
        told = [step async for step in pull(url, "llama3.2:1b")]
    assert told[2] == Pulling(status="pulling abababababab", digest=DIGEST, completed=1_500, total=2_000)
    assert told[-1].status == "success"


async def test_the_command_names_the_model_that_is_there_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ollama_that_says(*STEPS) as url:
        monkeypatch.setenv("OLLAMA_URL", url)
        words = ["models", "pull", "llama3.2:1b", "--json"]
        ran = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert json.loads(ran.stdout) == {"model": "llama3.2:1b"}, ran.output


async def test_a_pull_that_breaks_off_is_not_taken_for_a_model() -> None:
    async with ollama_that_says(*STEPS[:-1]) as url:
        with pytest.raises(EngineUnavailable, match=r"ended fetching llama3\.2:1b with 'verifying"):
            [step async for step in pull(url, "llama3.2:1b")]


async def test_a_model_that_nobody_knows_is_refused_with_the_engines_words() -> None:
    async with ollama_that_says({"error": "pull model manifest: file does not exist"}) as url:
        with pytest.raises(EngineRefused, match="file does not exist"):
            [step async for step in pull(url, "llama3.2:1b")]


async def test_an_engine_that_fetches_nothing_and_one_that_is_away_are_told_apart(engine_url: str) -> None:
    with pytest.raises(EngineRefused, match="does not fetch"):
        [step async for step in pull(engine_url, "llama3.2:1b")]
    with pytest.raises(EngineUnavailable):
        [step async for step in pull("http://127.0.0.1:1", "llama3.2:1b")]


async def test_the_list_says_which_models_are_offered(engine_url: str) -> None:
    models = await LlmExecutor(engine_url, slots=1).models()
    (line,) = lines_of(models, RunnerSettings(_env_file=None))
    assert line.startswith("offered")
    assert models[0].digest in line
    (line,) = lines_of(models, RunnerSettings(_env_file=None, runner_models=("other:1b",)))
    assert line.startswith("kept back")
