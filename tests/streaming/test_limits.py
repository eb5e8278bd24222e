"""Clients of a runner that are slow, silent or too many: each is cut off, and whoever keeps to the limits never notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from protocol.chain import Chain
from runner.settings import RunnerSettings
from runner.streaming.limits import Limits
from runner.streaming.server import AnswerResponse
from tests.api.raw import Raw
from tests.streaming.counter import LIMITS, Shop, served, shop

STRICT = replace(LIMITS, receive_timeout_s=0.4, send_timeout_s=0.4, connections=8, per_address=3)


@pytest.fixture
async def strict(chain: Chain, engine_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """A runner that waits for nobody."""
    async with shop(chain, engine_url, tmp_path, limits=STRICT) as opened:
        yield opened


def asked(answer: bytes, *, status: int) -> str:
    """Check the status of a refusal, and give its code."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    return str(json.loads(body)["error"]["code"])


async def test_slow_requests_are_cut_off_and_others_are_answered_meanwhile(strict: Shop) -> None:
    async with httpx.AsyncClient(base_url=strict.url) as client:
        head, body, silent = [await Raw.open(client) for _ in range(3)]
        await head.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        await body.send(b"POST /v1/parity/vouchers HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert await strict.answer(await strict.line(), max_tokens=4)
        assert asked(await head.rest(), status=408) == "too_slow"
        assert asked(await body.rest(), status=408) == "too_slow"
        assert await silent.rest() == b""


async def test_a_connection_kept_for_a_next_request_is_closed_when_none_comes(strict: Shop) -> None:
    async with httpx.AsyncClient(base_url=strict.url) as client:
        raw = await Raw.open(client)
        await raw.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await raw.rest()).endswith(b'"answering":0}')


async def test_a_body_that_never_ends_is_cut_off(strict: Shop) -> None:
    async with httpx.AsyncClient(base_url=strict.url) as client:
        raw = await Raw.open(client)
        await raw.send(b"POST /v1/parity/vouchers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert await raw.cut_off(b"10000\r\n" + b"x" * 65536 + b"\r\n", most=100)


async def _full(client: httpx.AsyncClient, *, address: str, most: int) -> list[Raw]:
    """Open connections until one is refused."""
    held: list[Raw] = []
    async with asyncio.timeout(20):
        while True:
            raw = Raw(
                *await asyncio.open_connection(
                    client.base_url.host, client.base_url.port, local_addr=(address, 0)
                )
            )
            await raw.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            if b" 200 " not in await raw.reader.readuntil(b"\r\n"):
                assert b"too many connections" in await raw.rest()
                assert len(held) <= most
                return held
            held.append(raw)


@pytest.mark.parametrize(("address", "most"), [("127.0.0.1", 8), ("127.0.0.2", 3)])
async def test_connections_are_limited_in_all_and_those_of_another_machine_by_its_address(
    address: str, most: int
) -> None:
    patient = replace(STRICT, receive_timeout_s=30.0)
    health = Starlette(routes=[Route("/health", lambda _request: Response())])
    async with served(health, limits=patient) as url, httpx.AsyncClient(base_url=url) as client:
        held = await _full(client, address=address, most=most)
        assert len(held) == most
        for raw in held:
            raw.close()
        again = await _full(client, address=address, most=most)
        for raw in again:
            raw.close()


class Endless:
    """Stands in for an answer that is longer than what the kernel keeps for a reader that stopped."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def events(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async def close(self) -> None:
        self.closed.set()


async def test_an_answer_that_nobody_reads_on_is_closed_and_its_place_is_free() -> None:
    answer, left = Endless(), asyncio.Event()

    async def give(_request: Request) -> Response:
        return AnswerResponse(answer, left.set, reading_s=0.3)  # type: ignore[arg-type]

    patient = replace(LIMITS, send_timeout_s=60.0)  # so that it is the answer's own limit that is seen
    async with (
        served(Starlette(routes=[Route("/answer", give)]), limits=patient) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        raw = await Raw.open(client)
        await raw.send(b"GET /answer HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(20):
            await answer.closed.wait()
            await left.wait()
        raw.close()


@pytest.mark.parametrize(("slots", "expected"), [(1, 256), (64, 1_152)])
def test_without_a_setting_all_prompts_that_may_wait_have_connections(slots: int, expected: int) -> None:
    assert Limits.of(RunnerSettings(_env_file=None, runner_slots=slots)).connections == expected
    assert (
        Limits.of(RunnerSettings(_env_file=None, runner_slots=slots, runner_connections=9)).connections == 9
    )
