"""The relay, on a real chain: what it sends, what it refuses and why, and that no refusal costs anybody anything."""

import asyncio
from typing import Any

import httpx
import pytest
from eth_account import Account

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import TaskStatus
from protocol.money import USDFC
from protocol.typed_data import sign_order, task_id

from .conftest import Index, Serve
from .orders import TASKS, Orders, money


async def status_of(chain: Chain, answer: httpx.Response) -> TaskStatus:
    assert answer.status_code == 202, answer.text
    return TaskStatus((await chain.call(chain.escrow.functions.taskOf(answer.json()["taskId"])))[-1])


async def test_an_order_of_free_funds_is_sent_with_the_relayers_gas(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    before = await money(chain)
    gas = await chain.w3.eth.get_balance(accounts.payer.address)
    order = orders.order(accounts.payer.address)
    answer = await server.post(TASKS, json=orders.body(order, accounts.payer))
    assert await status_of(chain, answer) is TaskStatus.OPEN
    assert answer.json()["taskId"] == "0x" + task_id(order, orders.domain).hex()
    receipt = await chain.w3.eth.get_transaction_receipt(answer.json()["transactionHash"])
    assert receipt["from"] == accounts.relayer.address
    assert await chain.w3.eth.get_balance(accounts.payer.address) == gas
    assert await money(chain) == before
    _, escrowed = await chain.call(chain.wallet.functions.accountOf(accounts.payer.address))
    assert escrowed == order.reward


async def test_an_authorization_alone_pays_and_submits(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    order = orders.order(accounts.client.address)
    answer = await server.post("/api/v1/llm/prompts", json=orders.authorized(order, accounts.client))
    assert await status_of(chain, answer) is TaskStatus.OPEN
    _, escrowed = await chain.call(chain.wallet.functions.accountOf(accounts.client.address))
    assert escrowed == order.reward


async def test_another_payer_signs_too(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    order = orders.order(accounts.client.address, accounts.payer.address)
    body = orders.body(order, accounts.client)
    refused = await server.post(TASKS, json=body)
    assert (refused.json()["type"], refused.json()["field"]) == ("bad-signature", "payerSignature")
    body["payerSignature"] = "0x" + sign_order(order, orders.domain, accounts.payer).hex()
    assert await status_of(chain, await server.post(TASKS, json=body)) is TaskStatus.OPEN


async def test_graphql_relays_the_same_way(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    order = orders.order(accounts.payer.address)
    body = orders.body(order, accounts.payer)
    body["order"] |= {"mode": "QUORUM"}
    query = "mutation($input: RelayInput!) { relay(input: $input) { taskId transactionHash } }"
    answer = (await server.post("/graphql", json={"query": query, "variables": {"input": body}})).json()
    assert answer["data"]["relay"]["taskId"] == "0x" + task_id(order, orders.domain).hex()
    async with asyncio.timeout(10):
        # Until its block is seen, it is on its way, and the answer is the same.
        while (
            again := (
                await server.post("/graphql", json={"query": query, "variables": {"input": body}})
            ).json()
        )["data"]:
            assert again == answer
            await asyncio.sleep(0.05)
    assert again["errors"][0]["extensions"]["code"] == "replayed"


# push4 magic, shift left 224, return it: a wallet contract that accepts every signature; and one that accepts none.
ACCEPTS = "0x631626ba7e60e01b5f5260205ff3"
DECLINES = "0x5f5f5260205ff3"


@pytest.mark.parametrize(("code", "outcome"), [(ACCEPTS, 202), (DECLINES, 400)], ids=["accepts", "declines"])
async def test_a_wallet_contract_decides_over_its_own_signature(
    anvil: Anvil, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts, code: str, outcome: int
) -> None:
    wallet = "0x00000000000000000000000000000000000a11ce"
    await anvil.rpc("anvil_setCode", wallet, code)
    order = orders.order(wallet, accounts.payer.address)
    body = {
        "order": order.to_json(),
        "clientSignature": "0x00",
        "payerSignature": "0x" + sign_order(order, orders.domain, accounts.payer).hex(),
    }
    answer = await server.post(TASKS, json=body)
    assert answer.status_code == outcome, answer.text
    assert outcome == 202 or answer.json()["type"] == "bad-signature"


async def test_the_same_order_on_its_way_gets_the_same_answer_and_then_is_a_replay(
    chain: Chain, anvil: Anvil, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    await anvil.rpc("evm_setAutomine", False)
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    answers = await asyncio.gather(*(server.post(TASKS, json=body) for _ in range(5)))
    answers.append(await server.post(TASKS, json=body))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    pool = await anvil.rpc("txpool_status")
    assert int(pool["pending"], 16) == 1
    await anvil.mine()
    async with asyncio.timeout(10):
        while (again := await server.post(TASKS, json=body)).status_code == 202:  # noqa: ASYNC110  # as a client would
            await asyncio.sleep(0.05)
    assert (again.status_code, again.json()["type"]) == (409, "replayed")
    assert again.json()["taskId"] == answers[0].json()["taskId"]


async def test_different_orders_at_once_are_all_sent(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    bodies = [orders.body(orders.order(accounts.payer.address), accounts.payer) for _ in range(6)]
    answers = await asyncio.gather(*(server.post(TASKS, json=body) for body in bodies))
    assert [await status_of(chain, answer) for answer in answers] == [TaskStatus.OPEN] * 6
    assert len({answer.json()["transactionHash"] for answer in answers}) == 6


async def test_a_relayer_without_gas_is_unavailable(
    anvil: Anvil, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    await anvil.rpc("anvil_setBalance", accounts.relayer.address, "0x0")
    answer = await server.post(TASKS, json=orders.body(orders.order(accounts.payer.address), accounts.payer))
    assert (answer.status_code, answer.json()["type"]) == (503, "relayer-unavailable")


async def test_a_client_over_its_budget_is_told_when_to_come_back(
    chain: Chain, anvil: Anvil, index: Index, serve: Serve, orders: Orders, accounts: LocalAccounts
) -> None:
    settings = {"relayer_budget": 1, "filecoin_rpc": anvil.url, "database_url": index.url}
    async with serve(deployment=chain.deployment, relayer=accounts.relayer, **settings) as client:
        first, second = [
            await client.post(TASKS, json=orders.body(orders.order(accounts.payer.address), accounts.payer))
            for _ in range(2)
        ]
        another = await client.post(
            TASKS, json=orders.authorized(orders.order(accounts.client.address), accounts.client)
        )
    assert (first.status_code, second.status_code, another.status_code) == (202, 429, 202)
    assert 0 < int(second.headers["retry-after"]) <= 3601


async def test_a_chain_that_is_away_is_said_to_be(
    index: Index, serve: Serve, orders: Orders, accounts: LocalAccounts, deployment: Deployment
) -> None:
    async with serve(database_url=index.url, deployment=deployment, relayer=accounts.relayer) as client:
        answer = await client.post(
            TASKS, json=orders.body(orders.order(accounts.payer.address), accounts.payer)
        )
    assert (answer.status_code, answer.json()["type"]) == (503, "chain-unavailable")


@pytest.mark.parametrize("way", ["signature", "authorization"])
async def test_typed_data_from_the_server_can_be_signed_by_any_wallet_and_sent_back(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts, way: str
) -> None:
    asked = {"client": accounts.payer.address, "spec": "0x" + "ab" * 32, "reward": str(2 * USDFC)}
    intent = (await server.get("/api/v1/intents/order", params=asked)).json()
    document = intent["typedData" if way == "signature" else "authorizationTypedData"]
    signed = Account.sign_typed_data(accounts.payer.key, full_message=document)
    body: dict[str, Any] = {"order": intent["order"]}
    if way == "signature":
        body["clientSignature"] = "0x" + signed.signature.hex()
    else:
        message = document["message"]
        body["authorization"] = {
            "validAfter": int(message["validAfter"]),
            "validBefore": int(message["validBefore"]),
            "v": signed.v,
            "r": f"0x{signed.r:064x}",
            "s": f"0x{signed.s:064x}",
        }
    answer = await server.post(TASKS, json=body)
    assert await status_of(chain, answer) is TaskStatus.OPEN
    assert answer.json()["taskId"] == intent["taskId"]


async def test_tickets_are_those_that_the_contract_draws(
    chain: Chain,
    anvil: Anvil,
    server: httpx.AsyncClient,
    index: Index,
    orders: Orders,
    accounts: LocalAccounts,
) -> None:
    answer = await server.post(TASKS, json=orders.body(orders.order(accounts.payer.address), accounts.payer))
    identity = answer.json()["taskId"]
    task = await chain.call(chain.escrow.functions.taskOf(identity))
    seed_block = task[4]
    await index.task(1, task_id=bytes.fromhex(identity[2:]), seed_block=seed_block)
    for number in range(3):
        await index.runner(number, node=bytes.fromhex(accounts.node(number).address[2:]))
    query = "query($id: Bytes32!) { task(id: $id) { tickets { node ticket rank opensAtBlock mayClaim runner { name } } } }"

    async def tickets() -> Any:
        asked = {"query": query, "variables": {"id": identity}}
        return (await server.post("/graphql", json=asked)).json()["data"]["task"]["tickets"]

    assert await tickets() == []
    await anvil.mine(3)
    drawn = await tickets()
    expected = {
        accounts.node(number).address: await chain.call(
            chain.escrow.functions.ticketOf(identity, accounts.node(number).address)
        )
        for number in range(3)
    }
    assert {entry["node"]: int(entry["ticket"]) for entry in drawn} == expected
    assert [entry["rank"] for entry in drawn] == [0, 1, 2]
    assert [int(entry["ticket"]) for entry in drawn] == sorted(expected.values())
    assert all(entry["mayClaim"] for entry in drawn)
    assert {entry["opensAtBlock"] for entry in drawn} == {seed_block + 1}
    assert all(entry["runner"]["name"] == "box" for entry in drawn)
