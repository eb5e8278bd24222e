"""The client with a real indexer and a real API server beside it."""

import asyncio
import sys
from dataclasses import replace

import httpx
import pytest

from devnet.paths import ROOT
from devnet.ports import free_port
from devnet.process import Launch, Process
from devnet.services import base_environment
from protocol.money import USDFC
from tests.client.seats import NAME

ASK = ("llm", "submit", "--prompt", "What is the capital of France?", "--model", NAME)


@pytest.fixture
async def server(settings, accounts, postgres_url, tmp_path):
    """Start an indexer and a server that relays, on this test's chain; gives the server's URL."""
    port, health_port = free_port(), free_port()
    env = {
        **base_environment(),
        "FILECOIN_RPC": settings.filecoin_rpc,
        "DEPLOYMENTS_DIR": str(settings.deployments_dir),
        "IPFS_API": settings.ipfs_api,
        "DATABASE_URL": postgres_url,
        "INDEXER_PORT": str(health_port),
        "SERVER_PORT": str(port),
        "RELAYER_PRIVATE_KEY": accounts.relayer.key.hex(),
        "PYTHONPATH": str(ROOT),
    }
    started = []
    try:
        for module, command in (("indexer", "run"), ("api", "server")):
            argv = [sys.executable, "-m", module, command]
            launch = Launch(name=module, argv=argv, log=tmp_path / f"{module}.log", env=env, cwd=tmp_path)
            started.append(await Process.start(launch))
        url = f"http://127.0.0.1:{port}"
        await started[-1].ready(lambda: answers(f"{url}/ready"))
        yield url
    finally:
        for process in reversed(started):
            await process.stop()


async def answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(url, timeout=2)).is_success
    except httpx.TransportError:
        return False


async def eventually(shell, *argv, until):
    """Run a command until its JSON is as wanted: the index follows the chain, it does not lead it."""
    async with asyncio.timeout(30):
        ran = await shell(*argv)
        while not until(ran.json):
            await asyncio.sleep(0.2)
            ran = await shell(*argv)
    return ran


async def test_a_relayed_order_costs_its_client_no_coin_and_is_listed_when_answered(
    shell, runners, parity, server, anvil
):
    await anvil.rpc("anvil_setBalance", parity.address, "0x0")
    before = await parity.balance()
    mine = shell(SERVER_URL=server)

    submitted = await mine(*ASK, "--max-price", "0.5", "--client-id", "my-app", "--yes", "--json")
    assert submitted.code == 0, submitted.err
    after = await parity.balance()
    assert f"paid by {server}" in submitted.err
    assert after.native == 0
    assert (before.tokens - after.tokens, after.escrowed) == (USDFC // 2, USDFC // 2)

    task_id = submitted.json["taskId"]
    await runners.answer(bytes.fromhex(task_id[2:]))
    listed = await eventually(
        mine, "llm", "list", "--json", until=lambda prompts: prompts and prompts[0]["output"]
    )

    assert listed.json[0]["id"] == task_id
    assert listed.json[0]["clientId"] == "my-app"
    assert listed.json[0]["output"] == "Paris."
    assert (await mine("llm", "get", task_id)).out == "Paris.\n"


async def test_a_relay_spends_a_free_balance_by_the_orders_own_signature(shell, runners, depositor, server):
    before = await depositor.balance()

    ran = await shell("payer", SERVER_URL=server)(*ASK, "--max-price", "0.5", "--relay", "--yes")

    assert ran.code == 0, ran.err
    after = await depositor.balance()
    assert replace(after, block=0) == replace(
        before, block=0, free=before.free - USDFC // 2, escrowed=USDFC // 2
    )


async def test_health_and_doctor_tell_that_all_is_well(shell, runners, server):
    mine = shell(SERVER_URL=server)

    health = await mine("health", "--json")
    doctor = await mine("doctor", "--json")

    assert health.code == 0, health.err
    assert health.json["ready"] is True
    assert health.json["index"]["chainId"] == 31337
    assert doctor.code == 0, doctor.out
    assert {finding["verdict"] for finding in doctor.json} == {"ok"}


async def test_what_the_network_did_can_be_read_from_the_index(shell, runners, depositor, server, chain):
    mine, node = shell("payer", SERVER_URL=server), runners.accounts.node(0).address
    submitted = await depositor.submit_prompt("Where?", model=NAME, client_id="my-app")
    await runners.answer(submitted.task_id)

    billed = await eventually(
        mine, "llm", "billing", "--client-id", "my-app", "--json", until=lambda bills: bills
    )
    priced = await mine(*ASK, "--dry-run", "--json")
    other = await mine("llm", "billing", "--client-id", "another", "--json")
    events = await mine("reputation", "events", "--runner-id", node, "--json")
    ranked = await mine("reputation", "leaderboard", "--json")
    figures = await mine("reputation", "network-stats", "--json")

    (bill,) = billed.json
    settlement = await depositor.settlement(submitted.task_id)
    assert (bill["requests"], bill["cost"]) == (1, str(settlement.paid + settlement.fee))
    assert other.json == []
    assert (priced.json["recent"]["prompts"], priced.json["recent"]["median"]) == (1, bill["cost"])
    assert events.json[0]["outcome"] == "right"
    assert events.json[0]["ref"] == "0x" + submitted.task_id.hex()
    assert node in {runner["node"] for runner in ranked.json}
    assert {"status": "final", "tasks": 1} in figures.json["tasks"]
    for argv in (("events", "--runner-id", node), ("leaderboard",), ("network-stats",)):
        assert (await mine("reputation", *argv)).code == 0


async def test_a_learning_session_is_listed_with_its_configuration(shell, server, accounts, tmp_path):
    data, mine = tmp_path / "data.csv", shell("payer", SERVER_URL=server)
    data.write_text("\n".join(["a,label", *(f"{i},{i % 2}" for i in range(40))]))
    create = ("fl", "create-session-with-data", str(data), "--name", "Listed", "--min-participants", "2")
    created = await mine(*create, "--yes", "--json")
    assert created.code == 0, created.err

    listed = await eventually(mine, "fl", "list-sessions", "--json", until=bool)
    assert [one["id"] for one in listed.json] == [created.json["sessionId"]]
    assert (listed.json[0]["phase"], listed.json[0]["rounds"]) == ("joining", 10)
    strangers = await shell("outsider", SERVER_URL=server)("fl", "list-sessions", "--mine", "--json")
    assert strangers.json == []

    query = "{ sessions { nodes { configDocument { content } } } }"
    async with httpx.AsyncClient() as http, asyncio.timeout(60):
        while True:
            answer = (await http.post(f"{server}/graphql", json={"query": query})).json()
            (document,) = (one["configDocument"] for one in answer["data"]["sessions"]["nodes"])
            if document["content"]:
                break
            await asyncio.sleep(0.2)
    assert document["content"]["name"] == "Listed"
