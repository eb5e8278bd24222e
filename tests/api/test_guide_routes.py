"""The deployment guide's routes, one by one, with real data in them."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from .conftest import GENESIS, Index, Serve, address, word


def hexed(content: bytes) -> str:
    return "0x" + content.hex()


async def settled(index: Index, **more: Any) -> bytes:
    spec = await index.document(
        {"kind": "llm", "prompt": "2+2?", "model": "m@sha256:00", "clientId": "app"}, kind="spec"
    )
    result = await index.document(
        {"kind": "llm-result", "output": "4", "inputTokens": 5, "outputTokens": 1}, kind="result"
    )
    row = {
        "spec": spec,
        "result": result,
        "status": "final",
        "paid": 98,
        "fee": 2,
        "returned": 3 * 10**18 - 100,
        "settled_block": 20,
        "settled_tx": word(5),
        "settled_at": GENESIS + timedelta(minutes=1),
    } | more
    task_id = await index.task(1, **row)
    await index.seat(task_id, 0, outcome="right", paid=98, state="revealed")
    await index.seat(task_id, 1, outcome="missed", slashed=7)
    return task_id


async def test_a_tasks_result_is_its_document(index: Index, client: httpx.AsyncClient) -> None:
    task_id = await settled(index)
    result = (await client.get(f"/api/v1/tasks/{hexed(task_id)}/result")).json()
    assert (result["taskId"], result["documentStatus"]) == (hexed(task_id), "stored")
    assert result["document"]["output"] == "4"
    assert result["resultCid"].startswith("bafkrei")
    running = await index.task(2)
    none = await client.get(f"/api/v1/tasks/{hexed(running)}/result")
    assert (none.status_code, none.json()["type"]) == (404, "no-result")
    assert "open" in none.json()["detail"]
    unknown = await client.get(f"/api/v1/tasks/{hexed(word(404))}/result")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")


async def test_a_tasks_reward_says_who_got_what(index: Index, client: httpx.AsyncClient) -> None:
    task_id = await settled(index)
    reward = (await client.get(f"/api/v1/tasks/{hexed(task_id)}/reward")).json()
    assert int(reward["paid"]) + int(reward["fee"]) + int(reward["returned"]) == int(reward["reward"])
    assert [(seat["outcome"], seat["paid"], seat["slashed"]) for seat in reward["seats"]] == [
        ("right", "98", "0"),
        ("missed", "0", "7"),
    ]


async def test_a_task_that_is_no_longer_open_has_no_tickets(index: Index, client: httpx.AsyncClient) -> None:
    task_id = await settled(index)
    answer = await client.get(f"/api/v1/tasks/{hexed(task_id)}/tickets")
    assert (answer.status_code, answer.json()["tickets"]) == (200, [])


async def test_billing_sums_by_day_and_application(index: Index, client: httpx.AsyncClient) -> None:
    await settled(index)
    asked = {"clientId": "app", "since": "2026-01-01", "until": "2026-01-31"}
    report = (await client.get("/api/v1/llm/billing/metrics", params=asked)).json()
    assert (report["requests"], report["inputTokens"], report["outputTokens"], report["cost"]) == (
        1,
        5,
        1,
        "100",
    )
    (row,) = report["metrics"]
    assert (row["day"], row["clientId"], row["model"], report["complete"]) == (
        "2026-01-01",
        "app",
        "m@sha256:00",
        True,
    )
    other = (await client.get("/api/v1/llm/billing/metrics", params=asked | {"clientId": "other"})).json()
    assert (other["metrics"], other["cost"]) == ([], "0")


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "2020-01-01", "until": "2026-01-01"},
        {"until": "0"},
        {"since": "soon"},
    ],
)
async def test_a_time_that_is_none_is_refused(client: httpx.AsyncClient, asked: dict[str, str]) -> None:
    answer = await client.get("/api/v1/llm/billing/metrics", params=asked)
    assert (answer.status_code, answer.json()["type"]) == (400, "bad-request")


async def test_the_leaderboard_ranks_over_its_pages(index: Index, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await index.runner(number, score=500_000 + number)
    first = (await client.get("/api/v1/reputation/leaderboard", params={"first": 2})).json()
    assert [(runner["rank"], runner["score"]) for runner in first["runners"]] == [(1, 500_004), (2, 500_003)]
    after = {"first": 2, "after": first["pageInfo"]["endCursor"]}
    second = (await client.get("/api/v1/reputation/leaderboard", params=after)).json()
    assert [(runner["rank"], runner["score"]) for runner in second["runners"]] == [(3, 500_002), (4, 500_001)]


async def test_a_runner_is_told_with_stake_offers_and_history(
    index: Index, client: httpx.AsyncClient
) -> None:
    offer = {"name": "smol", "digest": "ab", "context": 2048, "inputPrice": "10", "outputPrice": "20"}
    profile = await index.document({"kind": "runner-profile", "models": [offer]}, kind="profile")
    node = await index.runner(0, profile=profile)
    amounts = {"free": 0, "escrowed": 0, "bonded": 100, "locked": 40, "unbonding": 0}
    await index.insert("balances", account=address(200), release_block=0, updated_block=1, **amounts)
    for block, outcome in ((5, "right"), (6, "wrong")):
        await index.insert(
            "reputation_events",
            node=node,
            ref=word(5),
            outcome=outcome,
            score=block,
            block_number=block,
            tx_index=0,
            log_index=0,
            tx_hash=word(1),
            block_time=GENESIS,
        )
    runner = (await client.get(f"/api/v1/reputation/runners/{hexed(node)}")).json()
    assert (runner["rank"], runner["stake"]["bonded"], runner["stake"]["locked"]) == (1, "100", "40")
    assert (runner["models"][0]["model"], runner["heartbeat"]) == ("smol", None)
    assert (await client.get(f"/api/v1/runners/{hexed(node)}")).json() == runner
    events = (await client.get(f"/api/v1/reputation/runners/{hexed(node)}/events")).json()["events"]
    assert [(event["outcome"], event["score"]) for event in events] == [("wrong", 6), ("right", 5)]
    wrong = await client.get(f"/api/v1/reputation/runners/{hexed(node)}/events", params={"outcome": "wrong"})
    assert len(wrong.json()["events"]) == 1
    unknown = await client.get(f"/api/v1/runners/{hexed(address(9))}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")


async def test_network_stats_are_what_counting_gives(index: Index, client: httpx.AsyncClient) -> None:
    await settled(index)
    await index.task(2)
    await index.runner(0)
    await index.runner(1, status="retired")
    amounts = {"free": 7, "escrowed": 8, "bonded": 100, "locked": 40, "unbonding": 9}
    await index.insert("balances", account=address(200), release_block=0, updated_block=1, **amounts)
    await index.sync(indexed=21)
    stats = (await client.get("/api/v1/network/stats")).json()
    assert (stats["block"], stats["tasks"], stats["runners"]) == (
        21,
        {"final": 1, "open": 1},
        {"active": 1, "retired": 1},
    )
    assert {name: stats[name] for name in amounts} == {name: str(value) for name, value in amounts.items()}
    assert (stats["paid"], stats["fees"], stats["slashed"]) == ("98", "2", "0")
    assert (await client.get("/api/v1/reputation/stats")).json() == stats


async def test_a_request_that_takes_too_long_is_given_up(index: Index, serve: Serve) -> None:
    await index.task(1)
    async with serve(database_url=index.url, request_timeout_s=0.3) as client:
        async with index.connection.transaction():
            await index.connection.execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
            answer = await client.get("/api/v1/tasks")
        assert (answer.status_code, answer.json()["type"]) == (504, "timeout")
        assert answer.headers["x-request-id"]


async def test_pages_of_other_sites_may_ask_only_if_the_operator_says_so(index: Index, serve: Serve) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    async with serve(database_url=index.url, cors_origins="https://app.example") as client:
        allowed = await client.options("/graphql", headers=asked)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        other = await client.options("/graphql", headers=asked | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
    async with serve(database_url=index.url) as client:
        answer = await client.get("/health", headers=asked)
        assert "access-control-allow-origin" not in answer.headers


async def test_a_refused_method_is_told_what_is_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/api/v1/tasks")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}


async def test_an_idempotency_key_that_was_refused_may_be_used_again(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "a-key"}
    for _ in range(2):
        answer = await client.post("/api/v1/tasks", json={}, headers=key)
        assert (answer.status_code, answer.json()["type"]) == (400, "bad-request")
    long = await client.post("/api/v1/tasks", json={}, headers={"Idempotency-Key": "x" * 256})
    assert (long.status_code, long.json()["field"]) == (400, "Idempotency-Key")
