"""The dashboard's files as the server hands them out."""

import json
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from api.site import SOURCE, Site

from .conftest import Index, word

PAGES: dict[str, str] = json.loads((SOURCE / "routes.json").read_text())


def address_of(pattern: str) -> str:
    return re.sub(r"\{\w+\}", "0x" + "ab" * 20, pattern)


@pytest.mark.parametrize("path", map(address_of, PAGES.values()))
async def test_every_page_is_the_document_and_loads_from_this_host_only(
    path: str, client: httpx.AsyncClient
) -> None:
    page = await client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    assert all(address.startswith("/") and not address.startswith("//") for address in loaded)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    for file in re.findall(r'(?:src|href)="(/(?:assets/|theme)[^"]+)"', page.text):
        assert (await client.get(file)).status_code == 200


async def test_a_file_named_by_its_content_may_be_kept_for_ever_and_is_compressed(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/")
    script = re.findall(r'src="(/assets/[^"]+\.js)"', page.text)[0]
    plain = await client.get(script, headers={"Accept-Encoding": "identity"})
    small = await client.get(script, headers={"Accept-Encoding": "gzip"})
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert small.content == plain.content
    assert plain.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/", "/theme.js"])
async def test_what_a_browser_has_already_is_not_sent_again(path: str, client: httpx.AsyncClient) -> None:
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await client.get(path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize("path", ["/assets/no.js", "/assets/..%2findex.html", "/nothing"])
async def test_what_is_not_there_is_a_problem_document(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("not-found")


async def test_a_server_without_a_built_dashboard_says_how_to_build_it(tmp_path: Path) -> None:
    app = Starlette(routes=Site(tmp_path / "absent").routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "make dashboard" in answer.text


async def test_without_scripts_the_document_tells_what_the_index_holds_and_runs_nothing_of_it(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=41, head=43)
    spec = await index.document(
        {"kind": "llm", "model": "m@sha256:00", "prompt": "<script>alert(1)</script>"}, kind="spec"
    )
    task_id = await index.task(spec=spec, reward=10**18)
    await index.runner(0)
    page = (await client.get("/")).text
    assert "block 41, 2 behind its head" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    task = (await client.get(f"/tasks/0x{task_id.hex()}")).text
    assert "1 USDFC" in task
    assert "<script>alert" not in task
    unknown = (await client.get(f"/tasks/0x{word(404).hex()}")).text
    assert "knows no task" in unknown


async def test_the_document_is_served_while_the_index_is_missing(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert "parity-indexer" in page.text
