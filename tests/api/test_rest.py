"""REST: the deployment guide's routes, an operator's questions, and every error as a problem document."""

import asyncio
from typing import Any

import httpx
import pytest

from protocol.cid import digest_to_cid

from .conftest import Index, Serve, address, word


def hexed(content: bytes) -> str:
    return "0x" + content.hex()


async def test_a_task_comes_with_its_seats_and_documents(index: Index, client: httpx.AsyncClient) -> None:
    spec = await index.document({"kind": "llm", "prompt": "2+2?", "model": "m@sha256:00"}, kind="spec")
    task_id = await index.task(spec=spec, paid=10**18, fee=1, status="final", winners=1)
    await index.seat(task_id, 0, outcome="right", paid=10**18)
    task = (await client.get(f"/api/v1/tasks/{hexed(task_id)}")).json()
    assert (task["id"], task["status"], task["specCid"]) == (hexed(task_id), "final", digest_to_cid(spec))
    assert (task["reward"], task["rewardUsdfc"], task["costUsdfc"]) == (
        "3000000000000000000",
        "3",
        "1.000000000000000001",
    )
    assert task["seats"][0]["node"] == "0x0000000000000000000000000000000000000064"
    assert task["specDocument"]["prompt"] == "2+2?"
    assert task["resultDocument"] is None


async def test_lists_are_paged_and_filtered(index: Index, client: httpx.AsyncClient) -> None:
    for number in range(1, 6):
        await index.task(number, status="final" if number > 2 else "open")
    page = (await client.get("/api/v1/tasks", params={"status": "final", "first": 2})).json()
    assert [int(task["id"], 16) for task in page["tasks"]] == [5, 4]
    cursor = page["pageInfo"]["endCursor"]
    rest = (await client.get("/api/v1/tasks", params={"status": "final", "after": cursor})).json()
    assert [int(task["id"], 16) for task in rest["tasks"]] == [3]
    assert not rest["pageInfo"]["hasNextPage"]
    mine = await client.get("/api/v1/tasks", params={"client": hexed(address(9))})
    assert mine.json()["tasks"] == []


async def test_prompts_runners_and_models_are_told(index: Index, client: httpx.AsyncClient) -> None:
    spec = await index.document(
        {"kind": "llm", "prompt": "2+2?", "model": "m@sha256:00", "clientId": "app"}, kind="spec"
    )
    task_id = await index.task(spec=spec)
    offer = {"name": "smol", "digest": "ab", "context": 2048, "inputPrice": "10", "outputPrice": "20"}
    profile = await index.document({"kind": "runner-profile", "models": [offer]}, kind="profile")
    await index.runner(0, profile=profile)
    (prompt,) = (await client.get("/api/v1/llm/prompts", params={"clientId": "app"})).json()["prompts"]
    assert (prompt["id"], prompt["prompt"], prompt["output"]) == (hexed(task_id), "2+2?", None)
    assert (await client.get(f"/api/v1/llm/prompts/{hexed(task_id)}")).json() == prompt
    (runner,) = (await client.get("/api/v1/runners", params={"model": "smol"})).json()["runners"]
    assert (runner["label"], runner["score"]) == ("box", 500_000)
    (model,) = (await client.get("/api/v1/llm/models")).json()["models"]
    assert (model["reference"], model["inputPrice"]) == ("smol@sha256:ab", "10")


async def test_a_named_block_is_waited_for(index: Index, client: httpx.AsyncClient) -> None:
    await index.sync(indexed=1)
    asked = asyncio.ensure_future(client.get(f"/api/v1/tasks/{hexed(word(1))}", params={"minBlock": 3}))
    await asyncio.sleep(0.1)
    await index.task(1)
    await index.sync(indexed=3)
    assert (await asked).status_code == 200


PROBLEMS: list[tuple[str, str, dict[str, Any], int, str, str | None]] = [
    ("GET", "/api/v1/tasks/0x" + "00" * 32, {}, 404, "not-found", "id"),
    ("GET", "/api/v1/llm/prompts/0x" + "00" * 32, {}, 404, "not-found", "id"),
    ("GET", "/api/v1/tasks/12", {}, 400, "bad-request", "id"),
    ("GET", "/api/v1/tasks?first=1000", {}, 400, "bad-request", "first"),
    ("GET", "/api/v1/tasks?first=x", {}, 400, "bad-request", "first"),
    ("GET", "/api/v1/tasks?status=done", {}, 400, "bad-request", "status"),
    ("GET", "/api/v1/tasks?colour=red", {}, 400, "bad-request", "colour"),
    ("GET", "/api/v1/tasks?first=1&first=2", {}, 400, "bad-request", "first"),
    ("GET", "/api/v1/tasks?client=0x12", {}, 400, "bad-request", "client"),
    ("GET", "/api/v1/nothing", {}, 404, "not-found", None),
    ("DELETE", "/api/v1/runners", {}, 405, "method-not-allowed", None),
    ("POST", "/api/v1/tasks", {"content": b"{"}, 400, "bad-request", "body"),
    ("POST", "/api/v1/tasks", {"json": []}, 400, "bad-request", "body"),
    ("POST", "/api/v1/tasks", {"json": {}}, 400, "bad-request", "order"),
    (
        "POST",
        "/api/v1/tasks",
        {"json": {"order": {}, "clientSignature": "0xq"}},
        400,
        "bad-request",
        "clientSignature",
    ),
    ("POST", "/api/v1/tasks", {"json": {"order": {}}}, 422, "bad-order", "order.bond"),
    ("GET", "/graphql", {}, 400, "bad-request", None),
    (
        "POST",
        "/graphql",
        {"content": b"{", "headers": {"content-type": "application/json"}},
        400,
        "bad-request",
        None,
    ),
    ("POST", "/graphql", {"content": b"x" * (2**20 + 1)}, 413, "body-too-large", None),
]


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "slug", "field"), PROBLEMS, ids=lambda value: str(value)[:40]
)
async def test_an_error_is_a_problem_document_that_names_field_and_remedy(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    more: dict[str, Any],
    status: int,
    slug: str,
    field: str | None,
) -> None:
    answer = await client.request(method, path, **more)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["type"], problem.get("field")) == (
        status,
        status,
        slug,
        field,
    )
    assert problem["title"]
    assert problem["detail"]
    assert problem["hint"]


async def test_a_body_without_a_length_is_capped_too(client: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b"x" * 65_536

    answer = await client.post("/api/v1/tasks", content=endless())
    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")


async def test_every_answer_carries_a_request_id(client: httpx.AsyncClient) -> None:
    mine = await client.get("/health", headers={"X-Request-Id": "abc-1"})
    made = await client.get("/health", headers={"X-Request-Id": "no good\t id"})
    assert mine.headers["x-request-id"] == "abc-1"
    assert made.headers["x-request-id"] not in ("", "no good\t id")


async def test_health_is_the_process_and_ready_is_what_it_needs(
    index: Index, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/health")).json() == {"status": "ok"}
    empty = await client.get("/ready")
    assert (empty.status_code, empty.json()["ready"]) == (503, False)
    assert "empty" in empty.json()["reasons"][0]
    await index.sync(indexed=100, head=105)
    good = await client.get("/ready")
    assert (good.status_code, good.json()) == (200, {"ready": True, "reasons": [], "lagBlocks": 5})
    await index.sync(indexed=100, head=200)
    behind = await client.get("/ready")
    assert behind.status_code == 503
    assert behind.json()["reasons"] == ["the index is 100 blocks behind the chain; up to 20 are allowed"]
    await index.sync(indexed=200, phase="refold")
    assert (await client.get("/ready")).status_code == 503


async def test_ready_asks_the_chain_itself_lest_the_indexer_has_died(
    index: Index, serve: Serve, anvil: Any, deployment: Any
) -> None:
    head = await anvil.block_number()
    await index.sync(indexed=head)
    async with serve(database_url=index.url, filecoin_rpc=anvil.url, deployment=deployment) as client:
        assert (await client.get("/ready")).status_code == 200
        await anvil.mine(30)
        behind = await client.get("/ready")
        assert (behind.status_code, behind.json()["lagBlocks"]) == (503, 30)


async def test_without_a_database_the_process_lives_and_says_so(serve: Serve) -> None:
    async with serve(database_url="postgres://127.0.0.1:9/none") as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/")).status_code == 200
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database does not answer"])
        answer = await client.get("/api/v1/tasks")
        assert (answer.status_code, answer.json()["type"]) == (503, "database-unavailable")
        graphql = await client.post("/graphql", json={"query": "{ status { head } }"})
        assert graphql.json()["errors"][0]["extensions"]["code"] == "database-unavailable"


async def test_a_database_without_an_index_says_what_to_start(postgres_url: str, serve: Serve) -> None:
    async with serve(database_url=postgres_url) as client:
        answer = await client.get("/api/v1/tasks")
    assert (answer.status_code, answer.json()["type"]) == (503, "index-missing")
    assert "parity-indexer" in answer.json()["hint"]


async def test_the_database_may_come_back(index: Index, client: httpx.AsyncClient) -> None:
    await index.sync(indexed=1)
    assert (await client.get("/status")).status_code == 200
    await index.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'parity-%' AND datname = current_database()"
    )
    await client.get("/status")
    assert (await client.get("/status")).status_code == 200


async def test_status_counts_tasks_and_names_contracts(
    index: Index, client: httpx.AsyncClient, nowhere: Any
) -> None:
    await index.sync(indexed=8, head=9, finalized=3)
    await index.task(status="final")
    await index.task(status="open")
    await index.task(status="open")
    status = (await client.get("/status")).json()
    assert (status["head"], status["indexedBlock"], status["finalizedBlock"], status["lagBlocks"]) == (
        9,
        8,
        3,
        1,
    )
    assert status["tasks"] == {"final": 1, "open": 2}
    assert status["relayer"] is None
    assert status["contracts"]["taskEscrow"] == nowhere.task_escrow


async def test_metrics_count_requests_by_route_and_not_by_id(index: Index, client: httpx.AsyncClient) -> None:
    task_id = await index.task()
    await client.get(f"/api/v1/tasks/{hexed(task_id)}")
    text = (await client.get("/metrics")).text
    assert 'parity_api_requests_total{method="GET",route="/api/v1/tasks/{id}",status="200"}' in text
    assert hexed(task_id) not in text


async def test_the_reference_page_needs_neither_scripts_nor_another_host(client: httpx.AsyncClient) -> None:
    docs = await client.get("/docs")
    assert "GET /api/v1/tasks/{id}" in docs.text
    assert "<script" not in docs.text
    assert "://" not in docs.text
    assert "default-src 'none'" in docs.headers["content-security-policy"]


async def test_openapi_describes_every_route_that_is_served_and_its_answers_hold(
    index: Index, client: httpx.AsyncClient
) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    await index.sync(indexed=1)
    task_id = await index.task(
        spec=await index.document({"kind": "llm", "prompt": "x", "model": "m"}, kind="spec")
    )
    node = await index.runner(0)
    left_out = (
        "/api/v1/intents/",
        "/api/v1/auth/",
        "/api/v1/runners/webhooks",
        "/api/v1/tasks/{id}/result",
        "/api/v1/federated-learning/sessions/",
    )
    for path, operations in document["paths"].items():
        if "get" not in operations or path.startswith(left_out):
            continue
        identity = node if "/runners/" in path else task_id
        tickets = path.endswith("/tickets")
        answer = await client.get(path.replace("{id}", hexed(identity)))
        assert answer.status_code == (503 if tickets else 200), (path, answer.text)
        if tickets:  # They are read from the chain, which is not there in this test.
            continue
        reference = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert set(schema["required"]) <= set(answer.json()) <= set(schema["properties"]), path
    operation_ids = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(operation_ids) == len(set(operation_ids))


async def test_a_fault_of_the_server_is_said_in_general_and_found_by_its_request_id(
    index: Index, client: httpx.AsyncClient
) -> None:
    task_id = await index.task(claim_by=-1)
    await index.sync(indexed=1, phase="dreaming")
    answer = await client.get(f"/api/v1/tasks/{hexed(task_id)}", headers={"X-Request-Id": "mine"})
    assert (answer.status_code, answer.json()["type"]) == (500, "internal")
    assert answer.headers["x-request-id"] == "mine"
    assert "claim" not in answer.text
    graphql = (await client.post("/graphql", json={"query": "{ status { head } }"})).json()
    assert graphql["errors"][0]["extensions"] == {"code": "internal"}
    assert "dreaming" not in str(graphql)
