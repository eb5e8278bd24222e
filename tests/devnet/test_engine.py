"""The engine, through the unmodified `ollama` client."""

import asyncio
import hashlib

import httpx
import ollama
import pytest

from devnet.engine.process import answers, is_ollama
from devnet.paths import MODEL

NAME = "smollm2:135m"
GREEDY = {"temperature": 0, "seed": 1, "num_predict": 24}


@pytest.fixture
def engine(engine_url):
    return ollama.AsyncClient(host=engine_url)


async def test_models_are_listed_with_the_sha256_of_their_file(engine):
    (listed,) = (await engine.list()).models
    assert listed.model == NAME
    assert listed.digest == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert listed.size == MODEL.stat().st_size
    assert listed.details.quantization_level == "Q4_1"


async def test_a_model_shows_its_template_and_context(engine):
    shown = await engine.show(NAME)
    assert "<|im_start|>" in shown.template
    assert shown.modelinfo["llama.context_length"] == 8192
    assert shown.capabilities == ["completion"]


async def test_the_loaded_model_is_among_the_running_ones(engine):
    (running,) = (await engine.ps()).models
    assert (running.model, running.context_length) == (NAME, 8192)


async def test_generate_answers_and_counts_its_tokens(engine):
    answer = await engine.generate(NAME, "What is the capital of France?", options=GREEDY)
    assert "Paris" in answer.response
    assert answer.done
    assert answer.done_reason == "stop"
    assert answer.prompt_eval_count > 10
    assert 0 < answer.eval_count < 24


async def test_chat_answers_as_the_assistant(engine):
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    answer = await engine.chat(NAME, messages, options=GREEDY)
    assert answer.message.role == "assistant"
    assert "Paris" in answer.message.content


async def test_generate_and_chat_make_the_same_prompt_of_the_same_words(engine):
    generated = await engine.generate(NAME, "Name a colour.", system="Be brief.", options=GREEDY)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour."}]
    chatted = await engine.chat(NAME, messages, options=GREEDY)
    assert chatted.message.content == generated.response
    assert chatted.prompt_eval_count == generated.prompt_eval_count


async def test_a_stream_adds_up_to_the_whole_answer(engine):
    whole = await engine.generate(NAME, "Count to five.", options=GREEDY)
    chunks = [
        part async for part in await engine.generate(NAME, "Count to five.", options=GREEDY, stream=True)
    ]
    assert "".join(part.response for part in chunks) == whole.response
    assert [part.done for part in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].eval_count == whole.eval_count
    assert chunks[-1].done_reason == whole.done_reason


async def test_a_chat_streams_message_by_message(engine):
    messages = [{"role": "user", "content": "Count to five."}]
    chunks = [part async for part in await engine.chat(NAME, messages, options=GREEDY, stream=True)]
    assert len(chunks) > 2
    assert all(part.message.role == "assistant" for part in chunks)


async def test_the_same_greedy_request_gives_the_same_answer_even_when_many_ask_at_once(engine):
    async def ask(prompt: str) -> str:
        return (await engine.generate(NAME, prompt, options=GREEDY)).response

    alone = await ask("Why is the sky blue?")
    together = await asyncio.gather(*(ask("Why is the sky blue?") for _ in range(3)), ask("Tell a story."))
    assert list(together[:3]) == [alone] * 3


async def test_a_seed_fixes_a_sampled_answer(engine):
    async def ask(seed: int) -> str:
        options = {"temperature": 1.5, "seed": seed, "num_predict": 20}
        return (await engine.generate(NAME, "Invent a word.", options=options)).response

    assert await ask(7) == await ask(7)
    assert len({await ask(seed) for seed in range(4)}) > 1


async def test_num_predict_bounds_the_answer(engine):
    answer = await engine.generate(NAME, "Tell a long story.", options={**GREEDY, "num_predict": 5})
    assert (answer.eval_count, answer.done_reason) == (5, "length")


async def test_an_answer_stops_before_a_stop_word(engine):
    options = {**GREEDY, "stop": ["Paris"]}
    answer = await engine.generate(NAME, "What is the capital of France?", options=options)
    assert "Paris" not in answer.response
    assert answer.response.startswith("The capital of France is")


async def test_a_raw_prompt_goes_to_the_model_as_it_is(engine):
    options = {"temperature": 0, "num_predict": 1}
    answer = await engine.generate(NAME, "The capital of France is", raw=True, options=options)
    assert answer.response == " Paris"
    assert answer.prompt_eval_count == 5


async def test_log_probabilities_come_with_as_many_alternatives_as_asked(engine):
    answer = await engine.generate(
        NAME,
        "The capital of France is",
        raw=True,
        logprobs=True,
        top_logprobs=3,
        options={**GREEDY, "num_predict": 2},
    )
    assert len(answer.logprobs) == 2
    first = answer.logprobs[0]
    assert first.token == " Paris"
    assert len(first.top_logprobs) == 3
    assert first.top_logprobs[0].logprob == first.logprob <= 0


async def test_streamed_log_probabilities_are_those_of_the_whole_answer(engine):
    asked = {"model": NAME, "prompt": "Hello", "logprobs": True, "top_logprobs": 1, "options": GREEDY}
    whole = await engine.generate(**asked)
    parts = [part async for part in await engine.generate(**asked, stream=True)]
    streamed = [token for part in parts for token in part.logprobs or ()]
    assert [token.logprob for token in streamed] == [token.logprob for token in whole.logprobs]


async def test_without_being_asked_no_log_probabilities_are_sent(engine):
    assert (await engine.generate(NAME, "Hello", options=GREEDY)).logprobs is None


@pytest.mark.parametrize("stream", [False, True])
async def test_an_unknown_model_is_not_found(engine, stream):
    with pytest.raises(ollama.ResponseError, match="model 'llama9' not found") as caught:
        async for _ in _parts(await engine.generate("llama9", "Hello", stream=stream)):
            pass
    assert caught.value.status_code == 404


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_longer_than_the_context_is_refused_not_cut(engine, stream):
    with pytest.raises(ollama.ResponseError, match="does not fit num_ctx 64") as caught:
        async for _ in _parts(
            await engine.generate(NAME, "word " * 200, options={"num_ctx": 64}, stream=stream)
        ):
            pass
    assert caught.value.status_code == 400


async def test_an_answer_ends_where_the_context_is_full(engine):
    options = {"temperature": 0, "num_ctx": 40, "num_predict": -1}
    answer = await engine.generate(NAME, "Tell a long story.", options=options)
    assert answer.prompt_eval_count + answer.eval_count == 40
    assert answer.done_reason == "length"


async def test_an_empty_prompt_only_loads_the_model(engine):
    answer = await engine.generate(NAME, "")
    assert (answer.response, answer.done_reason) == ("", "load")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "model"),
        (b'{"model": "smollm2:135m", "prompt": "x", "options": {"temperature": -1}}', "options.temperature"),
        (b'{"model": "smollm2:135m", "prompt": "x", "logprobs": true, "top_logprobs": 21}', "top_logprobs"),
    ],
)
async def test_a_bad_request_names_its_field(engine_url, body, named):
    async with httpx.AsyncClient(base_url=engine_url) as client:
        answer = await client.post("/api/generate", content=body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_away_frees_the_model(engine_url, engine, stream):
    # Far more tokens than the model computes while this test waits, unless the disconnect stops it.
    endless = {"temperature": 0, "num_predict": 8000, "num_ctx": 8192}
    body = {"model": NAME, "prompt": "1 1 1 1 1 1", "raw": True, "stream": stream, "options": endless}
    async with httpx.AsyncClient(base_url=engine_url) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_read_all(client, body), timeout=1)
    async with asyncio.timeout(30):
        answer = await engine.generate(NAME, "What is the capital of France?", options=GREEDY)
    assert "Paris" in answer.response


async def _read_all(client: httpx.AsyncClient, body: dict) -> None:
    async with client.stream("POST", "/api/generate", json=body, timeout=60) as answer:
        async for _ in answer.aiter_bytes():
            pass


async def _parts(answer):
    if isinstance(answer, ollama.GenerateResponse):
        yield answer
        return
    async for part in answer:
        yield part


async def test_another_local_networks_engine_is_not_taken_for_an_ollama_server(engine_url):
    assert await answers(engine_url)
    assert not await is_ollama(engine_url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not a url", "http://"])
async def test_where_nothing_answers_there_is_no_engine(url):
    assert not await answers(url)
