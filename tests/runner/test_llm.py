import asyncio
from collections.abc import AsyncIterator

import pytest

from devnet.ports import free_port
from protocol.documents import LlmOptions, LlmResult, LlmSpec, parse_document
from runner.errors import EngineRefused, EngineUnavailable, ExecutionInvalid
from runner.executors.llm import LlmExecutor
from tests.runner import faulty_engine
from tests.runner.conftest import TASK
from tests.runner.faulty_engine import FaultyEngine


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[FaultyEngine]:
    engine = FaultyEngine(engine_url)
    async with engine.serving():
        yield engine


@pytest.fixture
def executor(engine: FaultyEngine) -> LlmExecutor:
    return LlmExecutor(engine.url, slots=1, attempts=3, pause_s=0.01)


@pytest.fixture
async def spec(executor: LlmExecutor) -> LlmSpec:
    (model,) = await executor.models()
    return LlmSpec(
        model=f"{model.name}@sha256:{model.digest}",
        prompt="What is the capital of France?",
        options=LlmOptions(num_predict=16),
    )


async def test_models_come_with_digest_and_context(executor: LlmExecutor) -> None:
    (model,) = await executor.models()
    assert model.name == "smollm2:135m"
    assert len(bytes.fromhex(model.digest)) == 32
    assert model.context == 8192


async def test_a_prompt_becomes_a_result_that_two_runners_would_agree_on(
    executor: LlmExecutor, engine_url: str, spec: LlmSpec
) -> None:
    mine = await executor.execute(spec, TASK)
    theirs = await LlmExecutor(engine_url, slots=1).execute(spec, TASK)
    assert mine == theirs
    result = parse_document(mine.result)
    assert isinstance(result, LlmResult)
    assert "Paris" in result.output
    assert result.task == "0x" + TASK.hex()
    assert result.model == spec.model
    assert (result.input_tokens, result.output_tokens) == (mine.input_tokens, mine.output_tokens)
    assert 0 < result.output_tokens <= 16


async def test_the_options_of_the_spec_reach_the_engine(executor: LlmExecutor, spec: LlmSpec) -> None:
    short = spec.model_copy(update={"options": LlmOptions(num_predict=2)})
    execution = await executor.execute(short, TASK)
    result = parse_document(execution.result)
    assert isinstance(result, LlmResult)
    assert (result.done_reason, execution.output_tokens) == ("length", 2)


@pytest.mark.parametrize("fault", [faulty_engine.BUSY, faulty_engine.BREAK_OFF])
async def test_a_busy_or_broken_off_answer_is_asked_for_again(
    executor: LlmExecutor, engine: FaultyEngine, spec: LlmSpec, fault: str
) -> None:
    engine.faults.extend([fault, fault])
    execution = await executor.execute(spec, TASK)
    assert b"Paris" in execution.result
    assert engine.generations == 3


async def test_an_engine_that_stays_busy_is_reported(
    executor: LlmExecutor, engine: FaultyEngine, spec: LlmSpec
) -> None:
    engine.faults.extend([faulty_engine.BUSY] * 3)
    with pytest.raises(EngineUnavailable, match="server busy"):
        await executor.execute(spec, TASK)
    assert engine.generations == 3


async def test_an_engine_that_is_away_is_named_with_a_remedy() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(EngineUnavailable, match=url) as caught:
        await LlmExecutor(url, slots=1).models()
    assert "OLLAMA_URL" in str(caught.value.hint)


@pytest.mark.parametrize(
    "fault",
    [
        faulty_engine.NO_JSON,
        faulty_engine.NO_COUNTS,
        faulty_engine.TOO_MANY_TOKENS,
        faulty_engine.NOT_AN_ANSWER,
    ],
)
async def test_garbage_from_an_engine_becomes_no_result(
    executor: LlmExecutor, engine: FaultyEngine, spec: LlmSpec, fault: str
) -> None:
    engine.faults.append(fault)
    with pytest.raises(ExecutionInvalid):
        await executor.execute(spec, TASK)


async def test_a_model_whose_digest_changed_since_the_claim_is_not_run(
    executor: LlmExecutor, engine: FaultyEngine, spec: LlmSpec
) -> None:
    other = spec.model_copy(update={"model": "smollm2:135m@sha256:" + "0" * 64})
    with pytest.raises(EngineRefused, match="is not on"):
        await executor.execute(other, TASK)
    assert engine.generations == 0


@pytest.mark.parametrize("slots", [1, 2])
async def test_no_more_prompts_than_slots_are_with_the_engine_at_a_time(
    engine: FaultyEngine, spec: LlmSpec, slots: int
) -> None:
    executor = LlmExecutor(engine.url, slots=slots)
    answers = await asyncio.gather(*[executor.execute(spec, TASK) for _ in range(4)])
    assert len(set(answers)) == 1
    assert engine.most_at_a_time == slots
