"""How runners ask an engine, against answers of the shapes that Ollama 0.32.15 gave."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from protocol.documents import LlmOptions, LlmResult, LlmSpec, parse_document
from runner.engine import Engine
from runner.errors import EngineUnavailable
from runner.executors.llm import LlmExecutor
from runner.streaming.engine import ChatEngine
from runner.streaming.errors import StreamRefused
from runner.verification.asking import Asker
from runner.verification.places import Place
from tests.loopback import serve
from tests.runner.conftest import TASK

DIGEST = "ab" * 32
WHOLE = {"truncate": False, "shift": False, "think": False}
SPEC = LlmSpec(model=f"m:1b@sha256:{DIGEST}", prompt="Go on.", options=LlmOptions(num_predict=4))
MODEL_GONE: dict[str, object] = {"error": "an error was encountered while running the model: unexpected EOF"}
PROMPT = "<|im_start|>user\nGo on.<|im_end|>\n<|im_start|>assistant\n"


class Recorded:
    """Gives the lines that it was told to give, and keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[dict[str, object]] = []
        self.further: list[dict[str, object]] = []
        self.tells_prompts = True
        self.counts_raw = 20

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/api/tags":
            listed = {"name": "m:1b", "model": "m:1b", "digest": DIGEST, "size": 1}
            return web.json_response({"models": [listed]})
        body = await request.json()
        if request.path == "/api/show":
            return web.json_response({"model_info": {"llama.context_length": 512}, "capabilities": []})
        self.asked.append((request.path, body))
        if body.get("_debug_render_only") and self.tells_prompts:
            shown = {"model": "m:1b", "response": "", "done": False}
            return web.json_response({**shown, "_debug_info": {"rendered_template": PROMPT}})
        if body["stream"]:
            lines = self.further if body.get("raw") else self.lines
            return web.Response(body=b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        said = {"done": True, "done_reason": "length", "eval_count": 1}
        count = self.counts_raw if body.get("raw") else 20
        framed = (
            {"message": {"role": "assistant", "content": " x"}} if "messages" in body else {"response": " x"}
        )
        return web.json_response({"model": "m:1b", **framed, **said, "prompt_eval_count": count})


@pytest.fixture
async def engine() -> AsyncIterator[Recorded]:
    recorded = Recorded()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", recorded.answer)
    async with serve(app) as recorded.url:
        yield recorded


async def test_no_prompt_may_be_cut_no_answer_slide_and_nothing_be_thought_unseen(engine: Recorded) -> None:
    client = Engine(engine.url)
    await client.generate("m:1b", "x")
    await client.chat("m:1b", [{"role": "user", "content": "x"}])
    await client.rendered("m:1b", "x", system=None, options={})
    assert all(body.items() >= WHOLE.items() for _, body in engine.asked)
    assert [path for path, _ in engine.asked] == ["/api/generate", "/api/chat", "/api/generate"]


async def test_a_prompt_is_told_as_the_template_writes_it(engine: Recorded) -> None:
    assert await Engine(engine.url).rendered("m:1b", "Go on.", system=None, options={}) == PROMPT
    engine.tells_prompts = False
    assert await Engine(engine.url).rendered("m:1b", "Go on.", system=None, options={}) is None


async def test_what_comes_next_is_asked_behind_the_prompt_whatever_the_template_does_with_a_turn(
    engine: Recorded,
) -> None:
    asker = await Asker.of(Engine(engine.url), SPEC)
    said = await asker.next(Place(position=1, begun="On and"))
    assert said is not None
    assert said.text == " x"
    path, body = engine.asked[-1]
    assert (path, body["raw"], body["prompt"]) == ("/api/generate", True, PROMPT + "On and")


@pytest.mark.parametrize(("tells", "counts"), [(False, 20), (True, 21)])
async def test_an_engine_that_does_not_tell_its_prompt_as_it_counts_it_is_asked_to_go_on_with_a_turn(
    engine: Recorded, tells: bool, counts: int
) -> None:
    engine.tells_prompts, engine.counts_raw = tells, counts
    asker = await Asker.of(Engine(engine.url), SPEC)
    await asker.next(Place(position=1, begun="On and"))
    path, body = engine.asked[-1]
    assert path == "/api/chat"
    assert body["messages"] == [
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": "On and"},
    ]


async def test_a_model_that_died_in_the_middle_of_an_answer_may_be_asked_again(engine: Recorded) -> None:
    engine.lines = [{"response": "On", "done": False}, MODEL_GONE]
    with pytest.raises(EngineUnavailable, match="unexpected EOF"):
        await LlmExecutor(engine.url, slots=1, attempts=2, pause_s=0).execute(SPEC, TASK)
    assert len(engine.asked) == 2


async def test_a_model_that_died_in_the_middle_of_a_chat_is_not_the_clients_fault(engine: Recorded) -> None:
    engine.lines = [{"message": {"role": "assistant", "content": "On"}, "done": False}, MODEL_GONE]
    chat = ChatEngine(engine.url).chat("m:1b", [{"role": "user", "content": "Go on."}], {})
    with pytest.raises(StreamRefused) as refused:
        _ = [piece async for piece in chat]
    assert (refused.value.status, refused.value.code) == (503, "engine_busy")


async def test_an_answer_that_the_engine_left_because_it_repeats_itself_is_brought_to_its_end(
    engine: Recorded,
) -> None:
    """It sends no last word then, and the stream ends as any other."""
    again = {"response": " ha", "done": False}
    engine.lines = [again] * 31
    closing = {"done": True, "done_reason": "length", "prompt_eval_count": 51, "eval_count": 9}
    engine.further = [*[again] * 9, {"response": "", **closing}]
    spec = SPEC.model_copy(update={"options": LlmOptions(num_predict=40)})
    execution = await LlmExecutor(engine.url, slots=1, attempts=1).execute(spec, TASK)
    result = parse_document(execution.result)
    assert isinstance(result, LlmResult)
    assert (result.output, result.done_reason) == (" ha" * 40, "length")
    assert (execution.input_tokens, execution.output_tokens) == (20, 40)
    body = engine.asked[-1][1]
    assert body["prompt"] == PROMPT + " ha" * 31
    assert body["options"]["num_predict"] == 9


async def test_an_answer_that_ends_without_a_last_word_is_no_answer(engine: Recorded) -> None:
    engine.lines = [{"response": " on", "done": False}, {"response": " and", "done": False}] * 20
    with pytest.raises(EngineUnavailable, match="broke off"):
        await LlmExecutor(engine.url, slots=1, attempts=1).execute(SPEC, TASK)
