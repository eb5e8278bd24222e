"""A runner's own heartbeats (`SERVER_URL`), taken by a real server; and servers that are not what they should be."""

import asyncio
from collections.abc import Iterator, MutableMapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from devnet.accounts import LocalAccounts
from protocol.chain import Chain
from protocol.content import IpfsStore
from protocol.errors import ApiError
from protocol.sender import Sender
from runner.admission import Terms
from runner.escrow import Escrow
from runner.executors.llm import LlmExecutor
from runner.journal import Journal
from runner.parts import Parts
from runner.presence import Presence
from runner.settings import RunnerSettings
from runner.situation import Situation
from tests import loopback

from .conftest import Index


@pytest.fixture
def parts(chain: Chain, accounts: LocalAccounts, tmp_path: Path) -> Iterator[Parts]:
    """Runner 0, with three slots."""
    settings = RunnerSettings(_env_file=None, runner_slots=3)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        yield Parts(
            settings=settings,
            chain=chain,
            escrow=Escrow(chain),
            sender=Sender(chain, accounts.node(0)),
            journal=journal,
            store=IpfsStore(settings.ipfs_api),
            executor=LlmExecutor(settings.ollama_url, slots=1),
            situation=Situation(),
            terms=Terms(owner=accounts.owner(0).address, min_reward=0, tokens_per_s=10.0, block_time_s=1.0),
        )


def presence(parts: Parts, accounts: LocalAccounts, url: str) -> Presence:
    return Presence(parts, accounts.node(0), url=url, every_s=0.05)


async def registered(index: Index, accounts: LocalAccounts) -> str:
    node, owner = accounts.node(0).address, accounts.owner(0).address
    await index.runner(0, node=bytes.fromhex(node[2:]), owner=bytes.fromhex(owner[2:]))
    return node


async def shown(server: httpx.AsyncClient, node: str) -> dict | None:
    return (await server.get(f"/api/v1/reputation/runners/{node}")).json().get("heartbeat")


def told(logs: Sequence[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    """Return what the runner logged; the server of the same process logs too."""
    return [entry for entry in logs if entry["event"].startswith("heartbeat_")]


async def logged(logs: Sequence[MutableMapping[str, Any]], count: int) -> None:
    """Wait until the runner has logged so many lines."""
    async with asyncio.timeout(30):
        while len(told(logs)) < count:  # noqa: ASYNC110  # a log rings no bell
            await asyncio.sleep(0.01)


async def test_a_server_shows_that_the_runner_is_alive_with_its_slots_and_version(
    index: Index, server: httpx.AsyncClient, parts: Parts, accounts: LocalAccounts
) -> None:
    node = await registered(index, accounts)
    await presence(parts, accounts, str(server.base_url)).beat(server)
    beat = await shown(server, node)
    assert beat is not None
    assert (beat["slots"], beat["busy"], beat["version"]) == (3, 0, version("parity"))


async def test_a_session_that_has_ended_is_opened_anew(
    index: Index, server: httpx.AsyncClient, parts: Parts, accounts: LocalAccounts
) -> None:
    await registered(index, accounts)
    alive = presence(parts, accounts, str(server.base_url))
    await alive.beat(server)
    await index.connection.execute("UPDATE parity_api.sessions SET expires_at = now()")
    await alive.beat(server)


async def test_a_refusal_is_logged_once_and_the_runner_goes_on_until_it_is_taken(
    index: Index, server: httpx.AsyncClient, parts: Parts, accounts: LocalAccounts
) -> None:
    with capture_logs() as logs:
        running = asyncio.create_task(presence(parts, accounts, str(server.base_url)).run())
        await logged(logs, 1)
        await asyncio.sleep(0.3)  # is refused some times more
        node = await registered(index, accounts)
        await logged(logs, 2)
        assert await shown(server, node) is not None
        running.cancel()
    assert [entry["event"] for entry in told(logs)] == ["heartbeat_not_taken", "heartbeat_taken"]
    assert "no runner has the node key" in told(logs)[0]["error"]


async def test_a_server_that_does_not_answer_ends_nothing(parts: Parts, accounts: LocalAccounts) -> None:
    with capture_logs() as logs:
        running = asyncio.create_task(presence(parts, accounts, "http://127.0.0.1:1").run())
        await asyncio.sleep(0.5)
        assert not running.done()
        running.cancel()
    assert [entry["event"] for entry in told(logs)] == ["heartbeat_not_taken"]


@pytest.mark.parametrize(
    "changed",
    [
        ("{host} wants", "bank.example wants"),
        ("{node}", "0x" + "11" * 20),
        ("Chain ID: {chain}", "Chain ID: 1"),
    ],
)
async def test_a_message_that_would_sign_in_elsewhere_is_not_signed(
    parts: Parts, accounts: LocalAccounts, changed: tuple[str, str]
) -> None:
    asked: list[str] = []

    async def message(request: web.Request) -> web.Response:
        text = "{host} wants you to sign in with your Ethereum account:\n{node}\n\nChain ID: {chain}"
        named = {
            "host": request.host,
            "node": accounts.node(0).address,
            "chain": parts.chain.deployment.chain_id,
        }
        return web.json_response({"message": text.replace(*changed).format(**named)})

    async def session(request: web.Request) -> web.Response:
        asked.append(await request.text())
        return web.json_response({"token": "t"}, status=201)

    app = web.Application()
    app.router.add_get("/api/v1/auth/message", message)
    app.router.add_post("/api/v1/auth/sessions", session)
    async with loopback.serve(app) as url, httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(ApiError, match="does not sign 0x"):
            await presence(parts, accounts, url).beat(http)
    assert asked == []


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"message": 5}', b"{" * 10_000])
async def test_an_answer_that_is_no_apis_is_an_error_that_names_the_server(
    parts: Parts, accounts: LocalAccounts, answer: bytes
) -> None:
    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(body=answer)

    app = web.Application()
    app.router.add_get("/{path:.*}", nonsense)
    async with loopback.serve(app) as url, httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(ApiError, match=f"{url}.* does not answer as a Parity API does"):
            await presence(parts, accounts, url).beat(http)


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("answer", [b"[" * 100_000, b" " * 200_000], ids=["deep", "large"])
async def test_a_hostile_answer_does_not_end_the_runner(
    parts: Parts, accounts: LocalAccounts, answer: bytes, status: int
) -> None:
    async def hostile(_request: web.Request) -> web.Response:
        return web.Response(body=answer, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", hostile)
    with capture_logs() as logs:
        async with loopback.serve(app) as url:
            running = asyncio.create_task(presence(parts, accounts, url).run())
            await logged(logs, 1)
            await asyncio.sleep(0.2)
            assert not running.done()
            running.cancel()
    assert {entry["event"] for entry in told(logs)} == {"heartbeat_not_taken"}
