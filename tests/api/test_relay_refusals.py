"""What the relay refuses and why, on a real chain; and that no refusal costs anybody anything."""

import dataclasses
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from eth_account import Account

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.typed_data import sign_order, task_id

from .conftest import Index, Serve
from .orders import FOREVER, TASKS, Orders, money

Change = Callable[[Orders, LocalAccounts], dict[str, Any]]


def _plain(**given: Any) -> Change:
    def make(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
        return orders.body(orders.order(accounts.payer.address, **given), accounts.payer)

    return make


def _forged(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
    return orders.body(orders.order(accounts.payer.address), accounts.outsider)


def _mangled(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
    return orders.body(orders.order(accounts.payer.address), accounts.payer, clientSignature="0x" + "ff" * 65)


def _altered(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    body["order"]["reward"] = "1"
    return body


def _unsigned(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
    return {"order": orders.order(accounts.payer.address).to_json()}


def _elsewhere(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
    order = orders.order(accounts.payer.address)
    calibration = dataclasses.replace(orders.domain, chain_id=314159)
    return {
        "order": order.to_json(),
        "clientSignature": "0x" + sign_order(order, calibration, accounts.payer).hex(),
    }


def _domain(**given: Any) -> Change:
    def make(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
        domain = {"chainId": 31337, "verifyingContract": orders.deployment.task_escrow} | given
        return orders.body(orders.order(accounts.payer.address), accounts.payer, domain=domain)

    return make


def _authorized(signer: str = "client", **window: int) -> Change:
    def make(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
        return orders.authorized(orders.order(accounts.client.address), getattr(accounts, signer), **window)

    return make


def _poor(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
    return orders.authorized(orders.order(accounts.outsider.address), accounts.outsider)


def _without(name: str) -> Change:
    def make(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
        body = orders.body(orders.order(accounts.payer.address), accounts.payer)
        del body["order"][name]
        return body

    return make


def _with(**given: Any) -> Change:
    def make(orders: Orders, accounts: LocalAccounts) -> dict[str, Any]:
        body = orders.body(orders.order(accounts.payer.address), accounts.payer)
        body["order"] |= given
        return body

    return make


REFUSALS: dict[str, tuple[Change, int, str, str | None]] = {
    "another's signature": (_forged, 400, "bad-signature", "clientSignature"),
    "no signature at all": (_unsigned, 400, "bad-signature", "clientSignature"),
    "65 bytes that are none": (_mangled, 400, "bad-signature", "clientSignature"),
    "order changed after signing": (_altered, 400, "bad-signature", "clientSignature"),
    "signed for another chain": (_elsewhere, 400, "wrong-chain", "clientSignature"),
    "says another chain": (_domain(chainId=314159), 400, "wrong-chain", "domain.chainId"),
    "says another contract": (
        _domain(verifyingContract="0x" + "11" * 20),
        400,
        "wrong-contract",
        "domain.verifyingContract",
    ),
    "claimBy passed": (_plain(claim_by=1), 422, "expired", "order.claimBy"),
    "authorization expired": (_authorized(valid_before=1), 422, "expired", "authorization.validBefore"),
    "authorization too early": (
        _authorized(valid_after=FOREVER - 1),
        422,
        "not-yet-valid",
        "authorization.validAfter",
    ),
    "authorization of another": (_authorized("outsider"), 400, "bad-signature", "authorization"),
    "unknown parameters": (_plain(params_id=9), 422, "unknown-params", "order.paramsId"),
    "epoch never reached": (_plain(client_epoch=4), 422, "revoked", "order.clientEpoch"),
    "more than free funds": (_plain(reward=101 * USDFC), 402, "insufficient-funds", "order.reward"),
    "no tokens": (_poor, 402, "insufficient-funds", "order.reward"),
    "quorum without majority": (_plain(quorum=1), 422, "bad-order", "order.quorum"),
    "too many replicas": (_plain(replicas=8, quorum=5), 422, "bad-order", "order.replicas"),
    "nothing to earn": (_plain(reward=0), 422, "bad-order", "order.reward"),
    "claimBy too far": (_plain(claim_by=2**39), 422, "bad-order", "order.claimBy"),
    "field missing": (_without("salt"), 422, "bad-order", "order.salt"),
    "field unknown": (_with(tip="1"), 422, "bad-order", "order.tip"),
    "amount as a number": (_with(reward=3), 422, "bad-order", "order.reward"),
    "address mistyped": (_with(client="0x12"), 422, "bad-order", "order.client"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refused_order_says_why_and_costs_nothing(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts, name: str
) -> None:
    make, status, slug, field = REFUSALS[name]
    before, head = await money(chain), await chain.block_number()
    answer = await server.post(TASKS, json=make(orders, accounts))
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem.get("field")) == (status, slug, field), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["hint"]
    assert (await money(chain), await chain.block_number()) == (before, head)


async def test_a_revoked_order_is_refused(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    await Sender(chain, accounts.payer).send(chain.escrow.functions.revokeAll(), label="revoke")
    answer = await server.post(TASKS, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "revoked")


async def test_what_only_the_contract_can_know_is_found_by_simulation(
    chain: Chain, server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts
) -> None:
    order = orders.order(accounts.client.address)
    body = orders.authorized(order, accounts.client)
    identity = task_id(order, orders.domain)
    cancel = Account.sign_typed_data(
        accounts.client.key,
        domain_data={
            "name": "USD for Filecoin Community",
            "version": "1",
            "chainId": 31337,
            "verifyingContract": orders.deployment.usdfc,
        },
        message_types={
            "CancelAuthorization": [
                {"name": "authorizer", "type": "address"},
                {"name": "nonce", "type": "bytes32"},
            ]
        },
        message_data={"authorizer": accounts.client.address, "nonce": identity},
    )
    cancelled = chain.token.functions.cancelAuthorization(
        accounts.client.address,
        identity,
        cancel.v,
        cancel.r.to_bytes(32, "big"),
        cancel.s.to_bytes(32, "big"),
    )
    await Sender(chain, accounts.outsider).send(cancelled, label="cancel")
    answer = await server.post(TASKS, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "simulated-revert")
    assert problem["error"] == "AuthorizationUsedOrCanceled"
    assert problem["hint"]


async def test_without_a_relayer_the_answer_holds_the_transaction_to_send(
    chain: Chain, anvil: Anvil, index: Index, serve: Serve, orders: Orders, accounts: LocalAccounts
) -> None:
    body = orders.body(orders.order(accounts.payer.address), accounts.payer)
    async with serve(database_url=index.url, deployment=chain.deployment, filecoin_rpc=anvil.url) as client:
        answer = await client.post(TASKS, json=body)
        forged = await client.post(TASKS, json=_forged(orders, accounts))
    assert (answer.status_code, answer.json()["type"]) == (503, "relayer-unavailable")
    assert forged.json()["type"] == "bad-signature"
    transaction = answer.json()["transaction"]
    assert transaction["chainId"] == 31337
    sent = await chain.w3.eth.send_transaction(
        {"from": accounts.outsider.address, "to": transaction["to"], "data": transaction["data"]}
    )
    assert (await chain.w3.eth.wait_for_transaction_receipt(sent))["status"] == 1
