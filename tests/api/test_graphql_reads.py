"""Reads through GraphQL, from rows as the indexer writes them."""

import asyncio
import re

import pytest
from eth_utils.address import to_checksum_address

from protocol.cid import digest_to_cid

from .conftest import Ask, Index, address, word

TASK = "query($id: Bytes32!) { task(id: $id) { %s } }"


def hexed(content: bytes) -> str:
    return "0x" + content.hex()


async def test_a_task_says_its_money_in_base_units_and_in_usdfc(index: Index, ask: Ask) -> None:
    task_id = await index.task(reward=10**27 + 1, client=address(0xABCDEF))
    fields = "id client reward rewardUsdfc retention clientEpoch status mode createdAt winners settledBlock"
    answer = await ask(TASK % fields, id=hexed(task_id))
    assert answer["data"]["task"] == {
        "id": hexed(task_id),
        "client": to_checksum_address(address(0xABCDEF)),
        "reward": "1000000000000000000000000001",
        "rewardUsdfc": "1000000000.000000000000000001",
        "retention": 4294967295,
        "clientEpoch": "0",
        "status": "OPEN",
        "mode": "QUORUM",
        "createdAt": "2026-01-01T00:00:01+00:00",
        "winners": [],
        "settledBlock": None,
    }


async def test_an_unknown_task_is_null(ask: Ask) -> None:
    assert await ask(TASK % "id", id=hexed(word(404))) == {"data": {"task": None}}


async def test_a_settled_task_shows_seats_timeline_documents_and_prompt(index: Index, ask: Ask) -> None:
    spec = await index.document(
        {"kind": "llm", "model": "m@sha256:00", "prompt": "2+2?", "clientId": "app"}, kind="spec"
    )
    result = await index.document(
        {"kind": "llm-result", "output": "4", "inputTokens": 5, "outputTokens": 1}, kind="result"
    )
    task_id = await index.task(spec=spec, result=result, status="final", winners=0b101, paid=98, fee=2)
    await index.runner(0)
    await index.seat(
        task_id, 0, state="revealed", outcome="right", paid=49, result=result, input_tokens=2**32 - 1
    )
    await index.seat(task_id, 1, state="claimed", outcome="missed", slashed=10)
    await index.event(task_id, "SeatClaimed", log_index=1, node=address(100), data='{"seat": "0"}')
    await index.event(task_id, "TaskSubmitted", log_index=0)
    answer = await ask(
        TASK
        % """winners specCid resultCid
        specDocument { status content } resultDocument { content }
        seats { seat node state outcome paid slashedUsdfc inputTokens resultCid runner { name score } }
        timeline { name node data }
        prompt { prompt output clientId model inputTokens cost costUsdfc task { id } }""",
        id=hexed(task_id),
    )
    task = answer["data"]["task"]
    assert task["winners"] == [0, 2]
    assert (task["specCid"], task["resultCid"]) == (digest_to_cid(spec), digest_to_cid(result))
    assert task["specDocument"]["status"] == "STORED"
    assert task["specDocument"]["content"]["prompt"] == "2+2?"
    assert task["resultDocument"]["content"]["output"] == "4"
    first, second = task["seats"]
    assert (first["paid"], first["inputTokens"], first["outcome"]) == ("49", 4294967295, "RIGHT")
    assert first["runner"] == {"name": "box", "score": 500_000}
    assert (second["outcome"], second["slashedUsdfc"]) == ("MISSED", "0.00000000000000001")
    assert second["runner"] is None
    assert [event["name"] for event in task["timeline"]] == ["TaskSubmitted", "SeatClaimed"]
    assert task["timeline"][1]["data"] == {"seat": "0"}
    assert task["prompt"]["output"] == "4"
    assert (task["prompt"]["cost"], task["prompt"]["inputTokens"]) == ("100", 5)
    assert task["prompt"]["task"]["id"] == hexed(task_id)


async def test_a_spec_that_nobody_has_fetched_is_pending(index: Index, ask: Ask) -> None:
    task_id = await index.task()
    answer = await ask(TASK % "specDocument { status content } prompt { id }", id=hexed(task_id))
    assert answer["data"]["task"] == {"specDocument": {"status": "PENDING", "content": None}, "prompt": None}


async def test_a_balance_of_a_stranger_is_nothing(index: Index, ask: Ask) -> None:
    amounts = dict.fromkeys(("escrowed", "bonded", "locked", "unbonding"), 0)
    await index.insert(
        "balances", account=address(1), free=5 * 10**17, release_block=0, updated_block=9, **amounts
    )
    query = "query($a: Address!) { balance(account: $a) { free freeUsdfc updatedBlock } }"
    known = await ask(query, a=hexed(address(1)))
    assert known["data"]["balance"] == {"free": "500000000000000000", "freeUsdfc": "0.5", "updatedBlock": 9}
    stranger = await ask(query, a=hexed(address(2)))
    assert stranger["data"]["balance"] == {"free": "0", "freeUsdfc": "0", "updatedBlock": 0}


async def test_runners_come_best_first_with_what_they_offer(index: Index, ask: Ask) -> None:
    offer = {"name": "smol", "digest": "ab", "context": 2048, "inputPrice": "10", "outputPrice": "20"}
    profile = await index.document({"kind": "runner-profile", "models": [offer]}, kind="profile")
    await index.runner(0, score=400_000)
    await index.runner(1, score=700_000, profile=profile)
    answer = await ask(
        "{ runners { nodes { node score models { model inputPrice } } } models { reference runners outputPrice } }"
    )
    assert [runner["score"] for runner in answer["data"]["runners"]["nodes"]] == [700_000, 400_000]
    assert answer["data"]["runners"]["nodes"][0]["models"] == [{"model": "smol", "inputPrice": "10"}]
    assert answer["data"]["models"] == [{"reference": "smol@sha256:ab", "runners": 1, "outputPrice": "20"}]
    found = await ask('{ runners(where: {model: {eq: "smol"}}) { nodes { score } } }')
    assert found["data"]["runners"]["nodes"] == [{"score": 700_000}]


async def test_reputation_events_come_newest_first(index: Index, ask: Ask) -> None:
    node = await index.runner(0)
    for block in (20, 22, 21):
        place = {"block_number": block, "tx_index": 0, "log_index": 0, "tx_hash": word(1)}
        when = await index.connection.fetchval("SELECT now()")
        await index.insert(
            "reputation_events",
            node=node,
            ref=word(5),
            outcome="right",
            score=block,
            block_time=when,
            **place,
        )
    query = "query($a: String) { reputationEvents(first: 2, after: $a) { nodes { score outcome } pageInfo { endCursor } } }"
    page = (await ask(query))["data"]["reputationEvents"]
    assert page["nodes"] == [{"score": 22, "outcome": "RIGHT"}, {"score": 21, "outcome": "RIGHT"}]
    rest = (await ask(query, a=page["pageInfo"]["endCursor"]))["data"]["reputationEvents"]
    assert [event["score"] for event in rest["nodes"]] == [20]


async def test_status_and_parameters_are_those_of_the_index(index: Index, ask: Ask) -> None:
    await index.sync(indexed=90, head=100, finalized=26, reorgs=2)
    windows = dict.fromkeys(
        ("commit_for", "reveal_for", "challenge_for", "panel_for", "max_claim_for", "maturity"), 9
    )
    shares = dict.fromkeys(
        ("fee_bps", "wrong_bps", "miss_bps", "payer_bps", "burn_bps", "challenger_bps"), 200
    )
    await index.insert(
        "parameters",
        params_id=1,
        panel_size=3,
        max_replicas=7,
        added_block=1,
        updated_block=1,
        **windows,
        **shares,
    )
    answer = await ask(
        "{ status { head indexedBlock finalizedBlock lagBlocks reorgs phase } parameters { paramsId feeBps maxReplicas } }"
    )
    assert answer["data"]["status"] == {
        "head": 100,
        "indexedBlock": 90,
        "finalizedBlock": 26,
        "lagBlocks": 10,
        "reorgs": 2,
        "phase": "LIVE",
    }
    assert answer["data"]["parameters"] == [{"paramsId": 1, "feeBps": 200, "maxReplicas": 7}]


STATEMENTS = re.compile(r"^parity_api_statements_total (\d+)", re.MULTILINE)


@pytest.mark.parametrize("tasks", [1, 40])
@pytest.mark.parametrize(
    ("more", "levels"),
    [
        ("", 1),  # all of it stands in rows
        # tasks; specs, prompts, timelines, seats; runners; stakes, offers, profiles
        ("edges { cursor node { payer } }", 4),
    ],
)
async def test_a_query_costs_a_statement_or_one_for_each_level_however_many_fields_and_rows(
    index: Index, ask: Ask, client, tasks: int, more: str, levels: int
) -> None:
    for number in range(3):
        await index.runner(number)
    for _ in range(tasks):
        task_id = await index.task()
        for seat in range(3):
            await index.seat(task_id, seat)
        await index.event(task_id, "TaskSubmitted", log_index=0)

    async def statements() -> int:
        return int(float(STATEMENTS.search((await client.get("/metrics")).text).group(1)))

    query = """{ tasks(first: 100) { MORE nodes {
      specDocument { status } prompt { id } timeline { name }
      seats { node runner { name heartbeat { slots } stake { free } models { model } profileDocument { status } } }
    } } }""".replace("MORE", more)
    await ask(query)  # the first time shows that one statement is not enough for it
    before = await statements()
    answer = await ask(query)
    assert len(answer["data"]["tasks"]["nodes"]) == tasks
    assert await statements() - before == levels


@pytest.mark.parametrize(
    "query",
    [
        "{ task(id: ID) { status seats { node runner { name } } timeline { name } prompt { id } audit { stage } } }",
        "{ runner(node: NODE) { name stake { free } models { model } } status { head } }",
        "{ session(id: ID) { roundList { round manifestDocument { cid } } participants { runner { name } } } }",
        "query { task(id: ID) { ...page } } fragment page on Task { seats { ... on Seat { runner { name } } } }",
    ],
)
async def test_what_hangs_on_one_id_is_read_with_it_in_one_statement(
    index: Index, ask: Ask, client, query: str
) -> None:
    await index.runner(0)
    amounts = dict.fromkeys(("free", "escrowed", "bonded", "locked", "unbonding"), 1)
    await index.insert("balances", account=address(200), release_block=0, updated_block=9, **amounts)
    await index.sync(indexed=20)
    task_id = await index.task()
    await index.seat(task_id, 0)
    query = query.replace("ID", f'"{hexed(task_id)}"').replace("NODE", f'"{hexed(address(100))}"')

    async def statements() -> int:
        return int(float(STATEMENTS.search((await client.get("/metrics")).text).group(1)))

    before = await statements()
    first = await ask(query)
    assert await statements() - before == 1
    assert first == await ask(query)
    if "seats" in query:
        assert first["data"]["task"]["seats"][0]["runner"] == {"name": "box"}


async def test_all_reads_of_a_request_see_one_instant(index: Index, ask: Ask, client) -> None:
    task_id = await index.task()
    query = TASK % "status seats { seat } timeline { name }"
    stop = False

    async def write() -> None:
        while not stop:
            async with index.connection.transaction():
                await index.connection.execute("DELETE FROM task_seats")
                await index.connection.execute("UPDATE tasks SET status = 'open'")
            async with index.connection.transaction():
                await index.seat(task_id, 0)
                await index.connection.execute("UPDATE tasks SET status = 'committing'")

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        seen = set()
        for _ in range(60):
            task = (await ask(query, id=hexed(task_id)))["data"]["task"]
            seen.add((task["status"], len(task["seats"])))
        stop = True
    assert seen <= {("OPEN", 0), ("COMMITTING", 1)}
    assert len(seen) == 2
