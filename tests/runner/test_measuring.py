"""`parity-runner bench`: what it measures, and the price that follows."""

import asyncio
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from runner.__main__ import app
from runner.executors.llm import LlmExecutor
from runner.measuring import Pace, lines_of, measure


async def test_a_model_is_measured_by_real_answers(engine_url: str) -> None:
    executor = LlmExecutor(engine_url, slots=1)
    (model,) = await executor.models()
    told = [pace async for pace in measure(executor, model, tokens=4, answers=2)]
    assert len(told) == 2
    assert told[-1].model == model.name
    assert 0 < told[-1].slowest_tokens_per_s <= told[-1].tokens_per_s


async def test_the_command_prints_one_document_of_all_offered_models(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_URL", engine_url)
    words = ["bench", "--tokens", "1", "--per-hour", "0.05", "--json"]
    ran = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert ran.exit_code == 0, ran.output
    (measured,) = json.loads(ran.stdout)
    assert measured["model"] == "smollm2:135m"
    assert Decimal(measured["output_price"]) > 0


@given(
    tokens_per_s=st.floats(0.1, 10_000),
    per_hour=st.decimals("0.001", 1_000, allow_nan=False, places=3),
)
def test_an_hour_at_the_price_brings_at_least_what_was_asked(tokens_per_s: float, per_hour: Decimal) -> None:
    pace = Pace(model="m", tokens_per_s=tokens_per_s, slowest_tokens_per_s=tokens_per_s)
    tokens = Decimal(tokens_per_s * 3_600)
    brought = pace.price_per_1k(per_hour) * tokens / 1_000
    assert per_hour <= brought <= per_hour + Decimal("0.000001") * tokens / 1_000


def test_the_settings_leave_room_for_a_busy_machine() -> None:
    pace = Pace(model="m", tokens_per_s=30.0, slowest_tokens_per_s=20.0)
    assert lines_of(pace, per_hour=Decimal("1.08")) == [
        "m  30.0 tokens/s (slowest 20.0)",
        "  RUNNER_TOKENS_PER_S=10.0",
        "  RUNNER_OUTPUT_PRICE=0.010000  brings 1.08 USDFC an hour",
    ]
