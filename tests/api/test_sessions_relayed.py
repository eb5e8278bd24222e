"""Learning sessions ordered through REST, on a real chain."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from eth_account import Account

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import SessionPhase
from protocol.money import USDFC

from .conftest import Index, Serve
from .test_intents import ask, signed

PATH = "/api/v1/federated-learning/sessions"


@pytest.fixture
async def server(
    anvil: Anvil, deployment: Deployment, index: Index, serve: Serve, accounts: LocalAccounts
) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(
        database_url=index.url, deployment=deployment, filecoin_rpc=anvil.url, relayer=accounts.relayer
    ) as client:
        yield client


async def wanted(server: httpx.AsyncClient, creator: str, **more: Any) -> dict[str, Any]:
    terms = {
        "creator": creator,
        "config": "0x" + "11" * 32,
        "rounds": 2,
        "minParticipants": 2,
        "reward": str(USDFC),
        "bond": str(2 * USDFC),
        "aggregationReward": str(USDFC // 2),
        "aggregationBond": str(USDFC),
    }
    return await ask(server, "session", **(terms | more))


async def test_a_signed_session_is_created_once(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    body = signed(await wanted(server, accounts.payer.address), accounts.payer)
    answer = await server.post(PATH, json=body)
    assert answer.status_code == 202, answer.text
    await chain.w3.eth.wait_for_transaction_receipt(answer.json()["transactionHash"])
    session: Any = await chain.call(
        chain.federated.functions.sessionOf(bytes.fromhex(answer.json()["id"][2:]))
    )
    assert SessionPhase(session[0]) is SessionPhase.JOINING
    again = await server.post("/api/v1/intents/session", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "replayed")


async def test_another_payer_signs_too(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    asked = await wanted(server, accounts.outsider.address, payer=accounts.payer.address)
    body = signed(asked, accounts.outsider)
    alone = await server.post(PATH, json=body)
    assert (alone.status_code, alone.json()["field"]) == (400, "payerSignature")
    both = body | {"payerSignature": signed(asked, accounts.payer)["signature"]}
    answer = await server.post(PATH, json=both)
    assert answer.status_code == 202, answer.text
    receipt = await chain.w3.eth.wait_for_transaction_receipt(answer.json()["transactionHash"])
    assert receipt["status"] == 1


async def test_a_session_that_cannot_be_is_refused_with_the_field(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    poor = signed(await wanted(server, accounts.outsider.address), accounts.outsider)
    answer = await server.post(PATH, json=poor)
    assert (answer.status_code, answer.json()["field"]) == (402, "intent.budget")
    head = await chain.block_number()
    late = signed(await wanted(server, accounts.payer.address, joinBy=head), accounts.payer)
    answer = await server.post(PATH, json=late)
    assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (
        422,
        "expired",
        "intent.joinBy",
    )
    forged = signed(await wanted(server, accounts.payer.address), Account.create())
    answer = await server.post(PATH, json=forged)
    assert (answer.status_code, answer.json()["type"]) == (400, "bad-signature")
    short = signed(await wanted(server, accounts.payer.address, trainFor=1), accounts.payer)
    answer = await server.post(PATH, json=short)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == "intent.trainFor"
    poorly = signed(await wanted(server, accounts.payer.address, budget="1"), accounts.payer)
    answer = await server.post(PATH, json=poorly)
    assert (answer.status_code, answer.json()["type"]) == (402, "insufficient-funds")
