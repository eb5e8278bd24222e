"""Answers of servers that may be hostile, read over real connections."""

import httpx
import pytest
from aiohttp import web

from protocol.http_answers import ask
from tests.endless_answers import drip, flood
from tests.loopback import serve


async def test_an_answer_comes_whole_with_its_status() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"a": [1]}, status=422)

    application = web.Application()
    application.router.add_post("/", answer)
    async with serve(application) as url, httpx.AsyncClient(base_url=url) as http:
        got = await ask(http, "POST", "/", most_bytes=100, within_s=5, json={})
    assert (got.status_code, got.json(), got.reason_phrase) == (422, {"a": [1]}, "Unprocessable Entity")
    assert str(got.request.url) == f"{url}/"


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_without_end_is_not_read_on(compressed: bool) -> None:
    async with (
        flood(compressed=compressed).serving() as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        with pytest.raises(httpx.DecodingError, match="more than 100,000 bytes"):
            await ask(http, "GET", "/", most_bytes=100_000, within_s=20)
    assert compressed or server.sent < 2**25


async def test_an_answer_that_drips_is_not_waited_for() -> None:
    async with drip().serving() as server, httpx.AsyncClient(base_url=server.url, timeout=5) as http:
        with pytest.raises(httpx.ReadTimeout, match=r"no whole answer within 0\.4 s"):
            await ask(http, "GET", "/", most_bytes=100_000, within_s=0.4)
