"""Clients that are slow, silent, endless or too many: each is cut off, and nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from protocol.deployment import Deployment

from .conftest import Index, Serve
from .processes import server_process
from .raw import Raw, frame, resident_mib

PING, TEXT = 0x9, 0x1
INIT = frame(TEXT, b'{"type":"connection_init"}')


@pytest.fixture
async def strict(index: Index, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """A server that waits for nobody."""
    await index.sync(indexed=1)
    limits = {"receive_timeout_s": 0.4, "send_timeout_s": 0.4, "connections_per_address": 8}
    async with serve(database_url=index.url, **limits) as client:
        yield client


async def test_a_body_that_drips_is_cut_off_and_others_are_answered_meanwhile(
    strict: httpx.AsyncClient,
) -> None:
    raw = await Raw.open(strict)
    await raw.send(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")

    async def drip() -> None:
        while True:
            await raw.send(b"{")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    for _ in range(5):
        assert (await strict.get("/status")).status_code == 200
    answer = await raw.rest()
    dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"type":"request-too-slow"' in answer


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_headers_that_do_not_end_are_cut_off(strict: httpx.AsyncClient, begun: bytes) -> None:
    raw = await Raw.open(strict)
    await raw.send(begun)
    for _ in range(3):
        await asyncio.sleep(0.05)
        await raw.send(b"a")
    assert (await raw.rest()).startswith(b"HTTP/1.1 408 ")


async def test_headers_of_a_second_request_must_end_too(strict: httpx.AsyncClient) -> None:
    raw = await Raw.open(strict)
    await raw.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await raw.reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
    await raw.send(b"GET /health HTTP/1.1\r\nHost")
    assert (await raw.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_says_nothing_is_closed_without_a_word(strict: httpx.AsyncClient) -> None:
    assert await (await Raw.open(strict)).rest() == b""


async def test_one_address_can_not_take_all_connections(strict: httpx.AsyncClient) -> None:
    held = []
    for _ in range(8):
        held.append(await Raw.open(strict))
        await held[-1].open_websocket()  # at once: a silent connection is cut off
    answer = await (await Raw.open(strict)).rest()
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "too-many-connections"
    for raw in held:
        raw.close()
    async with asyncio.timeout(10):
        while (await strict.get("/health")).status_code != 200:  # noqa: ASYNC110  # the server is asked, as any client would
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("lines", [20_000, 1])
async def test_a_flood_of_headers_is_refused(strict: httpx.AsyncClient, lines: int) -> None:
    raw = await Raw.open(strict)
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(lines)) + b"X-Long: " + b"z" * 200_000
    await raw.send(b"GET /status HTTP/1.1\r\nHost: x\r\n")
    assert await raw.cut_off(flood, most=1000)
    assert (await strict.get("/status")).status_code == 200


@pytest.mark.parametrize("told", [True, False], ids=["length said", "in chunks"])
async def test_a_large_body_is_refused_in_words_and_an_endless_one_cut_off(
    strict: httpx.AsyncClient, told: bool
) -> None:
    raw = await Raw.open(strict)
    head = b"Content-Length: 999999999" if told else b"Transfer-Encoding: chunked"
    await raw.send(b"POST /graphql HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")

    async def for_ever() -> None:
        while True:
            await raw.send(b"x" * 65536 if told else b"10000\r\n" + b"x" * 65536 + b"\r\n")

    endless = asyncio.create_task(for_ever())
    answer = await raw.reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"type":"body-too-large"' in answer
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(endless, 10)


async def test_a_websocket_that_never_says_who_it_is_is_closed(strict: httpx.AsyncClient) -> None:
    raw = await Raw.open(strict)
    await raw.open_websocket()
    assert await raw.close_code() == 4408
    raw.close()


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 2**40])
async def test_a_huge_frame_closes_the_websocket_before_it_has_come(
    strict: httpx.AsyncClient, size: int
) -> None:
    raw = await Raw.open(strict)
    await raw.open_websocket()
    await raw.send(b"\x81\xff" + size.to_bytes(8, "big") + bytes(4) + b"x")
    assert await raw.close_code() == 1009


MALFORMED = [
    b'"x"',
    b"[]",
    b"7",
    b"{}",
    b"{",
    b'{"type":5}',
    b'{"type":"complete","id":[]}',
    b'{"type":"subscribe","id":{},"payload":{"query":"{status{head}}"}}',
    b'{"type":"subscribe","id":"1","payload":"x"}',
    b'{"type":"subscribe","id":"1","payload":{"query":5}}',
    b'{"type":"subscribe","id":"1","payload":{"query":"{status{head}}","variables":[]}}',
    b'{"type":"subscribe","id":"1","payload":{"query":"{status{head}}","variables":{"a":"\\u0000"}}}',
    b'{"type":"subscribe","id":"1","payload":{"query":"","variables":' + b"[" * 9999 + b"]" * 9999 + b"}}",
]


@pytest.mark.parametrize("message", MALFORMED, ids=lambda message: repr(message[:50]))
async def test_a_malformed_message_closes_its_websocket_and_is_no_fault_of_ours(
    strict: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, message: bytes
) -> None:
    raw = await Raw.open(strict)
    await raw.open_websocket()
    await raw.send(INIT + frame(TEXT, message))
    assert await raw.close_code() == 4400
    raw.close()
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_websocket_may_have_so_many_operations_and_hears_that_it_has(
    strict: httpx.AsyncClient,
) -> None:
    raw = await Raw.open(strict)
    await raw.open_websocket()
    operation = '{"type":"subscribe","id":"%d","payload":{"query":"subscription{block{number}}"}}'
    await raw.send(INIT + b"".join(frame(TEXT, (operation % number).encode()) for number in range(21)))
    said = await asyncio.wait_for(raw.reader.readuntil(b"Subscription limit reached"), 10)
    assert said.count(b'"error"') == 1
    raw.close()


async def test_memory_stays_bounded_whatever_clients_send_or_leave_unread(
    tmp_path: Path, index: Index, nowhere: Deployment
) -> None:
    await index.sync(indexed=1)
    settings = {
        "DATABASE_URL": index.url,
        "FILECOIN_RPC": "http://127.0.0.1:9",
        "SEND_TIMEOUT_S": "1",
        "RATE_LIMIT": "0",
    }
    async with server_process(tmp_path / "server", nowhere, **settings) as server:
        client, pid = server.client, server.process.pid
        await client.get("/openapi.json")
        await client.post("/graphql", content=b"x" * 1024 * 1024)
        before = resident_mib(pid)
        large = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" + b"x" * 1_000_000
        bodies = [await Raw.open(client) for _ in range(10)]
        await asyncio.gather(*(raw.send(large) for raw in bodies))
        reading = await Raw.open(client)
        asking = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        assert await reading.cut_off(asking * 20, most=50)
        pinging = await Raw.open(client)
        await pinging.open_websocket()
        await pinging.send(INIT)
        # Pongs that nobody reads, and operations whose answers nobody reads.
        assert await pinging.cut_off(frame(PING, b"p" * 125) * 500, most=400)
        schema = b'{"query":"{__schema{types{name description fields{name description}}}}"}'
        asked = b'{"type":"subscribe","id":"%d","payload":' + schema + b"}"
        unread = await Raw.open(client)
        await unread.open_websocket()
        await unread.send(INIT)
        assert await unread.cut_off(b"".join(frame(TEXT, asked % n) for n in range(20)), most=200)
        assert (await client.get("/status")).status_code == 200
        assert resident_mib(pid) - before < 30  # of them 10 are bodies; 25 MB of pongs were due
        for raw in bodies:
            raw.close()
