"""Either end that fails, lies or stalls: what it costs the other is one chunk, and what it breaks is its own answer."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from client.gateway.book import Book
from client.gateway.channels import Channels
from client.gateway.events import StreamBroken
from client.gateway.line import Line, RunnerRefused
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.streaming import CHUNK_TOKENS, Tariff, prompt_tokens
from runner.streaming.tabs import Tabs
from tests.streaming.counter import PAYER, TURNS, Shop, served

SHORT = [{"role": "user", "content": "What is the capital of France?"}]


def event(text: str) -> bytes:
    delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return f"data: {json.dumps({**delta, 'parity_tokens': 1}, ensure_ascii=False)}\n\n".encode()


@asynccontextmanager
async def stand_in(both: Shop, answer: Response) -> AsyncIterator[Line]:
    """A line to a runner that answers every prompt so, in place of the real one."""

    async def given(_request: Request) -> Response:
        return answer

    async with served(Starlette(routes=[Route("/v1/chat/completions", given, methods=["POST"])])) as url:
        yield await both.line(offer=at(both, url))


def at(both: Shop, url: str) -> object:
    known = {name: getattr(both.offer, name) for name in both.offer.__slots__}
    return type(both.offer)(**{**known, "url": url})


def price(both: Shop, turns: list[dict[str, str]] = TURNS, tokens: int = 0) -> int:
    return Tariff(both.offer.input_price, both.offer.output_price).cost(prompt_tokens(turns), tokens)


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_a_runner_that_refuses_again_and_again_is_promised_one_prompt_and_no_more(both: Shop) -> None:
    refusal = JSONResponse({"error": {"message": "busy", "code": "busy"}}, status_code=503)
    async with stand_in(both, refusal) as line:
        for _ in range(4):
            with pytest.raises(RunnerRefused, match="busy"):
                await both.answer(line)
        assert line.entry.promised == price(both)
        assert line.entry.spent == 0


async def test_arrears_that_a_runner_makes_up_and_then_refuses_are_not_granted_twice(both: Shop) -> None:
    due = price(both) + Tariff(both.offer.input_price, both.offer.output_price).cost(0, CHUNK_TOKENS)
    refusal = JSONResponse({"error": {"message": "more", "code": "low"}, "due": str(due)}, status_code=402)
    async with stand_in(both, refusal) as line:
        for _ in range(4):
            with pytest.raises(RunnerRefused, match="more"):
                await both.answer(line)
        assert line.entry.promised == due


async def test_a_prompt_that_the_engine_refuses_costs_nothing(both: Shop) -> None:
    line = await both.line()
    long = [{"role": "user", "content": "word " * 20_000}]
    for _ in range(2):
        with pytest.raises(RunnerRefused, match="engine refused"):
            await both.answer(line, long)
    tab = both.tabs.tab(line.entry.channel_id)
    assert tab is not None
    assert tab.earned == line.entry.spent == 0
    assert tab.promised == line.entry.promised == price(both, long)
    await both.answer(line, SHORT, max_tokens=8)
    tab = both.tabs.tab(line.entry.channel_id)
    assert tab is not None
    assert tab.earned == line.entry.spent <= price(both, SHORT, 8)
    assert line.entry.promised == price(both, long), "what was promised for nothing is credit"


@asynccontextmanager
async def killed(*pieces: bytes) -> AsyncIterator[str]:
    """A runner that dies in the middle of its answer, as by kill -9: its connection ends inside the body."""

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for piece in pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(die, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_a_runner_that_is_killed_in_the_middle_breaks_its_answer_and_nothing_else(both: Shop) -> None:
    async with killed(event("Paris"), event(" is")) as url:
        line = await both.line(offer=at(both, url))  # type: ignore[arg-type]
        with pytest.raises(StreamBroken, match="broke off"):
            await both.answer(line)
    assert line.entry.spent == price(both, TURNS, 2)
    assert line.entry.promised == price(both)


@pytest.mark.parametrize("text", ["one\u2028two", "one\x85two", "one\x0ctwo"])
async def test_an_answer_may_have_any_character(both: Shop, text: str) -> None:
    """Some of them end a line, for some readers of lines."""
    whole = StreamingResponse(stream(event(text), b"data: [DONE]\n\n"))
    async with stand_in(both, whole) as line:
        assert await both.answer(line) == text


@pytest.mark.parametrize(
    "said",
    [
        b'data: {"choices": [], "parity_tokens": Infinity}\n\n',
        b'data: {"choices": [{"delta": {"content": "\\ud800"}}]}\n\n',
        b": parity-due 1 2\n\n",
        b": parity-receipt []\n\n",
        b"data: " + b"x" * 1_100_000,
    ],
    ids=["no number", "half a character", "too few figures", "no receipt", "no end"],
)
async def test_what_cannot_be_read_breaks_the_answer(both: Shop, said: bytes) -> None:
    async with stand_in(both, StreamingResponse(stream(said))) as line:
        with pytest.raises(StreamBroken):
            await both.answer(line)


async def test_a_receipt_that_nobody_signed_spoils_no_answer(both: Shop) -> None:
    word = "0x" + "00" * 32
    names = ("channel_id", "prompt", "answer", "model", "fingerprint")
    receipt = {**dict.fromkeys(names, word), "input_tokens": -1, "output_tokens": 2**40, "cumulative": "1"}
    said = f": parity-receipt {json.dumps({**receipt, 'signature': '0x01'})}\n\n".encode()
    async with stand_in(both, StreamingResponse(stream(event("Paris"), said, b"data: [DONE]\n\n"))) as line:
        assert await both.answer(line) == "Paris"


async def test_a_channel_that_a_reorganisation_undid_does_not_keep_others_money(
    both: Shop, anvil: Anvil
) -> None:
    before = await anvil.rpc("evm_snapshot")
    undone = await both.line(deposit=USDFC // 2)
    await both.answer(undone, SHORT, max_tokens=8)
    await both.delivered(undone)
    await anvil.rpc("evm_revert", before)
    line = await both.line(deposit=USDFC // 3)
    await both.answer(line, SHORT, max_tokens=8)
    await both.delivered(line)
    for identity in (undone.entry.channel_id, line.entry.channel_id):
        both.till.forget_funds(identity)
    assert await both.redeemer().redeem(everything=True) == line.entry.promised > 0


async def test_the_runner_takes_what_openais_clients_send_as_null(both: Shop) -> None:
    line = await both.line()
    nulls = dict.fromkeys(("n", "stop", "seed", "stream_options", "tools", "response_format", "top_p"))
    assert await both.answer(line, SHORT, max_tokens=8, **nulls)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"n": 2}, "n"),
        ({"seed": 10**30}, "seed"),
    ],
)
async def test_what_would_be_answered_otherwise_than_asked_is_refused(
    both: Shop, changes: dict[str, object], word: str
) -> None:
    line = await both.line()
    with pytest.raises(RunnerRefused, match=word) as refused:
        await both.answer(line, SHORT, **changes)
    assert refused.value.status == httpx.codes.BAD_REQUEST
    assert line.entry.spent == 0


async def test_a_full_disk_stops_what_comes_meanwhile_and_nothing_afterwards(both: Shop) -> None:
    """A prompt that came then must not hold the engine's place for ever."""
    line = await both.line()
    await both.answer(line, SHORT, max_tokens=4)
    chunks = line.ask({"messages": SHORT, "max_tokens": 8, "temperature": 0}, SHORT)
    await anext(chunks)
    both.tabs._database.execute("PRAGMA query_only = 1")  # as on a full disk, every write fails
    await chunks.aclose()
    with pytest.raises(RunnerRefused, match="cannot keep vouchers") as refused:
        await both.answer(line, TURNS)
    assert refused.value.may_try_another
    both.tabs._database.execute("PRAGMA query_only = 0")
    async with asyncio.timeout(30):
        assert await both.answer(line, SHORT, max_tokens=4)


async def test_a_client_that_is_killed_in_the_middle_goes_on_where_its_disk_says(
    both: Shop, chain: Chain, tmp_path: Path
) -> None:
    """Its runner has earned far more than a chunk since the answer began."""
    line = await both.line()
    chunks = line.ask({"messages": TURNS, "max_tokens": 120, "temperature": 0}, TURNS)
    for _ in range(2 * CHUNK_TOKENS):
        await anext(chunks)
    await both.delivered(line)
    left = shutil.copytree(
        tmp_path, tmp_path / "left", ignore=shutil.ignore_patterns("tabs*", "left", "*.lock")
    )
    await chunks.aclose()
    with closing(Book.open(left / "book.sqlite")) as book:
        channels = Channels(chain, book, PAYER)
        entry = book.entry(line.entry.channel_id)
        again = Line(channels, entry, both.offer, http=both.http, deliveries=both.deliveries)
        assert await both.answer(again, SHORT, max_tokens=4)


@pytest.mark.parametrize("given", [1, CHUNK_TOKENS // 2, 2 * CHUNK_TOKENS])
async def test_what_a_killed_runner_had_earned_is_on_its_disk_but_for_one_chunk(
    both: Shop, tmp_path: Path, given: int
) -> None:
    line = await both.line()
    chunks = line.ask({"messages": TURNS, "max_tokens": 120, "temperature": 0}, TURNS)
    for _ in range(given):
        await anext(chunks)
    await both.delivered(line)
    await anext(chunks)  # what it gives first waits for no voucher, and is written down once it is sent
    left = shutil.copytree(tmp_path, tmp_path / "left", ignore=shutil.ignore_patterns("book*", "left"))
    await chunks.aclose()
    with closing(Tabs.open(left / "tabs.sqlite")) as tabs:
        tab = tabs.tab(line.entry.channel_id)
    assert tab is not None
    assert price(both, tokens=max(0, given - CHUNK_TOKENS)) <= tab.earned <= line.entry.spent


async def test_a_client_that_waits_no_longer_goes_on_with_the_next_prompt(both: Shop) -> None:
    """Its own prompt is not read for nobody, and holds no place: here the engine never gets to it."""
    line = await both.line()
    async with (
        both.till.turn(await both.till.open_tab(line.entry.channel)),
        httpx.AsyncClient(timeout=httpx.Timeout(60, read=0.2)) as hasty,
    ):
        line._http = hasty
        with pytest.raises(RunnerRefused, match="ReadTimeout"):
            await both.answer(line)
        while (await both.http.get(f"{both.url}/health")).json()["answering"]:  # noqa: ASYNC110 (another process's)
            await asyncio.sleep(0.02)
    line._http = both.http
    assert await both.answer(line, SHORT, max_tokens=4)
    tab = both.tabs.tab(line.entry.channel_id)
    assert tab is not None
    assert price(both, SHORT) // 2 < tab.earned <= line.entry.spent
