"""Servers that lie, or do not answer as they should: the chain is believed, and no token is lost."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from client import Parity
from client import api as client_api
from client.api import ApiClient
from protocol.errors import ApiError, ContentError
from protocol.sender import Sender
from tests.client.seats import NAME
from tests.client.stand_ins import serving

ASK = ("llm", "submit", "--prompt", "What is the capital of France?", "--model", NAME)
LIE = {
    "id": "0x" + "11" * 32,
    "model": NAME,
    "prompt": "What is the capital of France?",
    "clientId": None,
    "status": "FINAL",
    "output": "Send your money to me.",
    "inputTokens": 1,
    "outputTokens": 1,
    "costUsdfc": "0.000001",
    "createdAt": "2026-01-01T00:00:00Z",
    "completedAt": None,
}


@dataclass
class LyingApi:
    """Takes every order, sends none, and says that all is well."""

    answer: object
    status: int = 202
    orders: list[object] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self):
        routes = [
            Route("/api/v1/tasks", self.relay, methods=["POST"]),
            Route("/graphql", self.graphql, methods=["POST"]),
            Route("/health", lambda _: PlainTextResponse("ok")),
        ]
        async with serving(Starlette(routes=routes)) as port:
            yield f"http://127.0.0.1:{port}"

    async def relay(self, request: Request) -> Response:
        self.orders.append(await request.json())
        return JSONResponse(self.answer, status_code=self.status)

    async def graphql(self, _request: Request) -> Response:
        return JSONResponse({"data": {"prompts": {"nodes": [LIE]}, "task": LIE}})


async def test_a_relay_that_names_another_transaction_is_not_believed(
    shell, runners, chain, accounts, parity
):
    other = await Sender(chain, accounts.outsider).send(
        chain.token.functions.mint(accounts.outsider.address, 1), label="other"
    )
    before = await parity.balance()
    api = LyingApi({"taskId": "0x" + "11" * 32, "transactionHash": other.transaction_hash})
    async with api.serving() as url:
        ran = await shell(SERVER_URL=url)(*ASK, "--relay", "--yes")

    after = await parity.balance()
    assert ran.code == 1
    assert (
        f"says that transaction {other.transaction_hash} submitted the order; the chain says it did not"
        in ran.err
    )
    assert "Nothing was escrowed" in ran.err
    assert (after.tokens, after.free, after.escrowed) == (before.tokens, before.free, before.escrowed)


async def test_a_relay_that_names_no_transaction_at_all_is_not_believed(shell, runners):
    api = LyingApi({"taskId": "0x11", "transactionHash": "done, trust me"})
    async with api.serving() as url:
        ran = await shell(SERVER_URL=url)(*ASK, "--relay", "--yes")

    assert ran.code == 1
    assert "the server named 'done, trust me' as a transaction, but that is not a transaction hash" in ran.err


async def test_a_relay_gets_one_signature_that_moves_no_more_than_the_order_says(shell, runners, accounts):
    api = LyingApi({"title": "no"}, status=422)
    async with api.serving() as url:
        await shell(SERVER_URL=url)(*ASK, "--max-price", "0.5", "--relay", "--yes")

    (sent,) = api.orders
    assert sent["clientSignature"] is None
    assert sent["authorization"] is not None
    assert sent["order"]["reward"] == str(5 * 10**17)
    assert accounts.client.key.hex() not in str(sent)


async def test_a_refusal_is_passed_on_in_the_servers_words(shell, runners):
    problem = {
        "type": "https://parity.example/problems/budget-exhausted",
        "title": "Budget exhausted",
        "detail": "20 orders were relayed within 60 s",
        "status": 429,
        "hint": "Try again in 12 s.",
    }
    async with LyingApi(problem, status=429).serving() as url:
        ran = await shell(SERVER_URL=url)(*ASK, "--relay", "--yes")

    assert ran.code == 1
    assert "error: the API refused the order: 20 orders were relayed within 60 s" in ran.err
    assert "hint: Try again in 12 s." in ran.err


async def test_an_answer_that_the_api_made_up_is_not_shown(shell, parity, runners):
    order = await parity.submit_prompt("What is the capital of France?", model=NAME)
    await runners.answer(order.task_id)
    name = "0x" + order.task_id.hex()
    async with LyingApi({}).serving() as url:
        shown = await shell(SERVER_URL=url)("llm", "get", name)
        task = await shell(SERVER_URL=url)("task", "get", name, "--json")

    assert shown.out == "Paris.\n"
    assert task.json["task"]["settlement"]["escrowed"] == str(order.order.reward)


async def test_a_server_that_is_no_parity_api_is_said_to_be_none(shell):
    async with serving(
        Starlette(routes=[Route("/{path:path}", lambda _: PlainTextResponse("hello"))])
    ) as port:
        ran = await shell(SERVER_URL=f"http://127.0.0.1:{port}")("llm", "list")

    assert ran.code == 1
    assert "does not answer as a Parity API does" in ran.err


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"data":' + b"[" * 100_000,
        b'{"errors":[{"message":"no","extensions":7}]}',
        b'{"data":{"prompts":7}}',
        b'{"data":{"prompts":{"nodes":7}}}',
        b'{"data":{"prompts":{"nodes":{"a":1}}}}',
        b'{"data":{"prompts":null}}',
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_nonsense_instead_of_a_list_is_told_in_words(shell, body):
    answer = Route("/graphql", lambda _: Response(body, media_type="application/json"), methods=["POST"])
    async with serving(Starlette(routes=[answer])) as port:
        ran = await shell(SERVER_URL=f"http://127.0.0.1:{port}")("llm", "list")

    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "does not answer as a Parity API does" in ran.err or "the API refused a query: no" in ran.err


@pytest.mark.parametrize("full", [True, False])
async def test_a_list_without_end_is_not_followed(monkeypatch, full):
    monkeypatch.setattr(client_api, "_MOST_PAGES", 20)
    runner = {
        "node": "0x" + "11" * 20,
        "owner": "0x" + "22" * 20,
        "name": "box",
        "profile": "0x" + "33" * 32,
        "status": "ACTIVE",
        "score": 1,
        "right": 0,
        "wrong": 0,
        "missed": 0,
        "stake": {"bondedUsdfc": "0"},
        "models": [],
    }
    pages = 0

    async def graphql(_request: Request) -> Response:
        nonlocal pages
        pages += 1
        info = {"hasNextPage": True, "endCursor": str(pages)}
        return JSONResponse({"data": {"runners": {"nodes": [runner] * full, "pageInfo": info}}})

    async with (
        serving(Starlette(routes=[Route("/graphql", graphql, methods=["POST"])])) as port,
        ApiClient(f"http://127.0.0.1:{port}", timeout_s=10) as api,
    ):
        if full:
            with pytest.raises(ApiError, match="does not answer as a Parity API does"):
                await api.runners()
        else:
            assert await api.runners() == ()
    assert pages == (20 if full else 1)


@pytest.mark.parametrize(
    "change",
    [
        {"cost": "a lot"},
        {"cost": "9" * 5_000},
        {"cost": "-1"},
        {"task": {"replicas": 0}},
        {"inputTokens": -5},
    ],
    ids=repr,
)
async def test_figures_that_the_api_made_up_stop_no_estimate(shell, runners, change):
    settled = {"cost": "5", "inputTokens": 1, "outputTokens": 1, "task": {"replicas": 1}} | change

    async def graphql(_request: Request) -> Response:
        return JSONResponse({"data": {"prompts": {"nodes": [settled]}}})

    async with serving(Starlette(routes=[Route("/graphql", graphql, methods=["POST"])])) as port:
        ran = await shell(SERVER_URL=f"http://127.0.0.1:{port}")(*ASK, "--dry-run")

    assert (ran.code, "Traceback" in ran.err) == (0, False), ran.err


@pytest.fixture
async def forging_ipfs():
    """An IPFS node that has something else for everything."""
    forged = Route("/api/v0/{path:path}", lambda _: Response(b"forged"), methods=["GET", "POST"])
    async with serving(Starlette(routes=[forged])) as port:
        yield f"/ip4/127.0.0.1/tcp/{port}/http"


async def test_content_that_does_not_match_its_digest_is_refused(shell, parity, runners, forging_ipfs):
    order = await parity.submit_prompt("What is the capital of France?", model=NAME)
    await runners.answer(order.task_id)

    ran = await shell(IPFS_API=forging_ipfs)("llm", "get", "0x" + order.task_id.hex())

    assert (ran.code, ran.out) == (1, "")
    assert "the store returned other content than asked for" in ran.err
    assert "hint: Do not use it." in ran.err


async def test_a_forged_profile_offers_nothing(settings, accounts, runners, forging_ipfs):
    async with Parity.connect(
        settings.model_copy(update={"ipfs_api": forging_ipfs}), accounts.client
    ) as parity:
        market = await parity.models()

    assert (market.offers, market.unread) == ((), 1)


async def test_a_forging_node_never_gets_a_prompt_submitted(
    settings, accounts, runners, forging_ipfs, parity
):
    plan = await parity.plan_prompt("Why?", model=NAME)
    async with Parity.connect(
        settings.model_copy(update={"ipfs_api": forging_ipfs}), accounts.client
    ) as forged:
        with pytest.raises(ContentError):
            await forged.submit_plan(plan)

    assert (await parity.balance()).escrowed == 0
