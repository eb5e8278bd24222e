"""What a running daemon shows and takes on its loopback port."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.hints import headers_of
from api.shared.webhooks import Delivery
from protocol.errors import ConfigError
from protocol.money import USDFC
from runner.settings import RunnerSettings
from runner.window import HOST, is_signed, open_window
from tests.runner.bench import Bench, Hand

SECRET = bytes(range(32))
BODY = b'{"event":"TaskSubmitted"}'


def signed(*, now: float, secret: bytes = SECRET) -> dict[str, str]:
    """The headers of a delivery, as an API server makes them."""
    delivery = Delivery(
        delivery_id=uuid.uuid4(),
        webhook_id=uuid.uuid4(),
        url="https://runner.example/hints",
        secret=secret,
        event="TaskSubmitted",
        body=BODY,
        attempts=0,
    )
    return headers_of(delivery, now=int(now))


@pytest.fixture
async def hand(bench: Bench) -> Hand:
    return await bench.hand(0)


@pytest.fixture
async def window(hand: Hand) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        open_window(hand.parts, port=0, secret=SECRET) as port,
        httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client,
    ):
        yield client


async def test_metrics_tell_what_settled_tasks_brought(
    bench: Bench, hand: Hand, window: httpx.AsyncClient
) -> None:
    task = await bench.submit()
    await bench.run(task, hand)
    lines = (await window.get("/metrics")).text.splitlines()
    assert 'parity_runner_jobs{stage="settled"} 1.0' in lines
    (shown,) = [line.split()[1] for line in lines if line.startswith("parity_runner_earned_usdfc ")]
    assert float(shown) == pytest.approx((hand.job(task).paid or 0) / USDFC)
    assert float(shown) > 0
    assert "parity_runner_slashed_usdfc 0.0" in lines
    assert "parity_runner_engine_ready 1.0" in lines


async def test_a_signed_hint_makes_the_watch_look_at_once(hand: Hand, window: httpx.AsyncClient) -> None:
    waiting = asyncio.ensure_future(hand.parts.situation.hinted(within_s=60))
    await asyncio.sleep(0)
    answer = await window.post("/hints", content=BODY, headers=signed(now=time.time()))
    assert answer.status_code == 204
    async with asyncio.timeout(30):
        await waiting


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Parity-Signature": "t=now,v1=00"},
        signed(now=time.time(), secret=b"another" * 5),
        signed(now=time.time() - 3_600),
    ],
    ids=["none", "nonsense", "another secret", "an hour old"],
)
async def test_a_hint_that_nobody_known_signed_is_refused(
    hand: Hand, window: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await window.post("/hints", content=BODY, headers=headers)).status_code == 401
    assert not hand.parts.situation._hinted.is_set()


def test_a_signature_is_of_this_body() -> None:
    header = signed(now=1_000)["Parity-Signature"]
    assert is_signed(SECRET, header, BODY, now=1_000)
    assert not is_signed(SECRET, header, BODY + b" ", now=1_000)


async def test_without_a_secret_hints_are_refused_and_metrics_are_served(hand: Hand) -> None:
    async with (
        open_window(hand.parts, port=0, secret=None) as port,
        httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client,
    ):
        assert (await client.post("/hints", content=BODY)).status_code == 403
        assert (await client.get("/health")).json() == {"status": "ok"}
        with pytest.raises(ConfigError, match=f"WEBHOOK_PORT: {HOST}:{port} cannot be listened on"):
            async with open_window(hand.parts, port=port, secret=None):
                pass


def test_a_secret_that_is_not_hex_is_named_and_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("not hex\n")
    settings = RunnerSettings(_env_file=None, webhook_secret_file=file)
    with pytest.raises(ConfigError, match="WEBHOOK_SECRET_FILE") as caught:
        settings.webhook_secret()
    assert "not hex\n" not in str(caught.value)
    file.write_text(SECRET.hex() + "\n")
    assert settings.webhook_secret() == SECRET
