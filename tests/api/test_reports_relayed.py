"""Monitors' reports through REST, and whom a runner is to watch, on a real chain."""

from collections.abc import AsyncIterator

import httpx
import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.sender import Sender

from .conftest import Index, Serve
from .test_intents import raw

PATH = "/api/v1/reputation/reports"


@pytest.fixture
async def server(
    anvil: Anvil, deployment: Deployment, index: Index, serve: Serve
) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(database_url=index.url, deployment=deployment, filecoin_rpc=anvil.url) as client:
        yield client


async def opened_epoch(chain: Chain, anvil: Anvil, accounts: LocalAccounts) -> int:
    """Open an epoch that all registered runners are old enough for."""
    length = (await chain.call(chain.monitoring.functions.settings()))[0]
    await anvil.mine(length - await chain.block_number() % length + 2 * length + 2)
    epoch = await chain.block_number() // length
    await Sender(chain, accounts.relayer).send(chain.monitoring.functions.openRound(epoch), label="open")
    return epoch


async def test_a_monitors_commitment_is_passed_on(
    chain: Chain, anvil: Anvil, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    epoch = await opened_epoch(chain, anvil, accounts)
    commit = chain.monitoring.functions.commitReports(epoch, b"\x11" * 32)
    body = {"transaction": await raw(chain, accounts.node(0), commit)}
    answer = await server.post(PATH, json=body)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["function"], answer.json()["round"]) == ("commitReports", str(epoch))
    receipt = await chain.w3.eth.wait_for_transaction_receipt(answer.json()["transactionHash"])
    assert receipt["status"] == 1
    again = {"transaction": await raw(chain, accounts.node(0), commit)}
    answer = await server.post(PATH, json=again)
    assert (answer.status_code, answer.json()["type"]) == (409, "replayed")


async def test_what_is_no_report_is_refused(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    elsewhere = {"transaction": await raw(chain, accounts.payer, chain.escrow.functions.revokeAll())}
    answer = await server.post(PATH, json=elsewhere)
    assert (answer.status_code, answer.json()["type"]) == (400, "wrong-contract")
    reading = {"transaction": await raw(chain, accounts.payer, chain.monitoring.functions.settings())}
    answer = await server.post(PATH, json=reading)
    assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (
        422,
        "bad-intent",
        "transaction",
    )
    answer = await server.post(PATH, json={"transaction": "0x1234"})
    assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (
        422,
        "bad-intent",
        "transaction",
    )


async def test_a_runner_is_told_whom_the_contract_has_it_watch(
    chain: Chain, anvil: Anvil, server: httpx.AsyncClient, accounts: LocalAccounts, index: Index
) -> None:
    epoch = await opened_epoch(chain, anvil, accounts)
    seed, active = await chain.call(chain.monitoring.functions.drawOf(epoch))
    nodes = [accounts.node(number).address for number in range(active)]
    for number, node in enumerate(nodes):
        owner = (await chain.call(chain.reputation.functions.runnerOf(node)))[0]
        await index.runner(number, node=bytes.fromhex(node[2:]), owner=bytes.fromhex(owner[2:]))
    await index.insert(
        "monitoring_epochs",
        round=epoch.to_bytes(32, "big"),
        epoch=epoch,
        seed=seed.to_bytes(32, "big"),
        active=active,
        seed_block=1,
        opened_block=1,
        opened_at=(await index.connection.fetchval("SELECT now()")),
        updated_block=1,
    )
    for node in nodes:
        metrics = (await server.get(f"/api/v1/reputation/monitoring/runners/{node}/metrics")).json()
        targets = {
            target
            for target in nodes
            if target != node
            and await chain.call(chain.monitoring.functions.isMonitorOf(epoch, target, node))
        }
        assert metrics["watching"]["epoch"] == epoch
        assert set(metrics["watching"]["targets"]) == targets
