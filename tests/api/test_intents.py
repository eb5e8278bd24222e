"""Every kind of intent, on a real chain: asked for, signed by a wallet library, relayed; and why one is refused."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.money import USDFC
from protocol.sender import Sender
from tests.voting import governor, vote_holder, vote_token

from .conftest import Index, Serve


@pytest.fixture
async def server(
    anvil: Anvil, deployment: Deployment, index: Index, serve: Serve, accounts: LocalAccounts
) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(
        database_url=index.url, deployment=deployment, filecoin_rpc=anvil.url, relayer=accounts.relayer
    ) as client:
        yield client


async def ask(server: httpx.AsyncClient, kind: str, **asked: Any) -> dict[str, Any]:
    answer = await server.get(f"/api/v1/intents/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def signed(asked: dict[str, Any], account: LocalAccount, **domain: Any) -> dict[str, Any]:
    document = {**asked["typedData"], "domain": asked["typedData"]["domain"] | domain}
    signature = Account.sign_typed_data(account.key, full_message=document).signature
    return {"intent": asked["intent"], "signature": "0x" + signature.hex()}


async def send(server: httpx.AsyncClient, kind: str, body: dict[str, Any]) -> httpx.Response:
    return await server.post(f"/api/v1/intents/{kind}", json=body)


async def free(chain: Chain, account: LocalAccount) -> int:
    return (await chain.call(chain.wallet.functions.accountOf(account.address)))[0]


async def test_a_deposit_is_relayed_once(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    before = await free(chain, accounts.client)
    asked = await ask(server, "deposit", account=accounts.client.address, amount=str(2 * USDFC))
    answer = await send(server, "deposit", signed(asked, accounts.client))
    assert answer.status_code == 202, answer.text
    assert answer.json()["id"] == asked["id"]
    await chain.w3.eth.wait_for_transaction_receipt(answer.json()["transactionHash"])
    assert await free(chain, accounts.client) == before + 2 * USDFC
    again = await send(server, "deposit", signed(asked, accounts.client))
    assert again.status_code == 202 or again.json()["type"] == "replayed"


async def test_an_action_moves_what_its_account_says(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    account = accounts.payer
    asked = await ask(
        server,
        "action",
        account=account.address,
        function="transfer",
        amount=str(USDFC),
        to=accounts.outsider.address,
    )
    before = await free(chain, account)
    answer = await send(server, "action", signed(asked, account))
    assert answer.status_code == 202, answer.text
    await chain.w3.eth.wait_for_transaction_receipt(answer.json()["transactionHash"])
    assert await free(chain, account) == before - USDFC
    assert await free(chain, accounts.outsider) == USDFC


async def test_a_channel_is_opened_and_a_voucher_drawn_on_it(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    node, owner = accounts.node(0), accounts.owner(0)
    asked = await ask(
        server,
        "channel",
        payer=accounts.payer.address,
        node=node.address,
        owner=owner.address,
        amount=str(3 * USDFC),
    )
    opened = await send(server, "channel", signed(asked, accounts.payer))
    assert opened.status_code == 202, opened.text
    await chain.w3.eth.wait_for_transaction_receipt(opened.json()["transactionHash"])
    before = await free(chain, owner)
    voucher = await ask(
        server,
        "voucher",
        channelId=asked["id"],
        payer=accounts.payer.address,
        owner=owner.address,
        cumulative=str(USDFC),
    )
    drawn = await send(server, "voucher", signed(voucher, accounts.payer))
    assert drawn.status_code == 202, drawn.text
    await chain.w3.eth.wait_for_transaction_receipt(drawn.json()["transactionHash"])
    assert await free(chain, owner) == before + USDFC
    more = await ask(
        server,
        "voucher",
        channelId=asked["id"],
        payer=accounts.payer.address,
        owner=owner.address,
        cumulative=str(9 * USDFC),
    )
    overdrawn = await send(server, "voucher", signed(more, accounts.payer))
    assert (overdrawn.status_code, overdrawn.json()["type"]) == (402, "insufficient-funds")


@pytest.mark.parametrize("reason", [None, "Because."])
async def test_a_delegated_vote_is_cast_by_signature(
    chain: Chain,
    anvil: Anvil,
    server: httpx.AsyncClient,
    accounts: LocalAccounts,
    deployment: Deployment,
    reason: str | None,
) -> None:
    token, voting = vote_token(chain), governor(chain)
    holder = await vote_holder(chain, accounts)
    await Sender(chain, holder).send(
        token.functions.transfer(accounts.outsider.address, 10**18), label="votes"
    )
    asked = await ask(
        server, "delegation", delegator=accounts.outsider.address, delegatee=accounts.outsider.address
    )
    delegated = await send(server, "delegation", signed(asked, accounts.outsider))
    assert delegated.status_code == 202, delegated.text
    await chain.w3.eth.wait_for_transaction_receipt(delegated.json()["transactionHash"])
    assert await chain.call(token.functions.getVotes(accounts.outsider.address)) == 10**18
    call = ([deployment.usdfc], [0], [b""], "Nothing at all")
    receipt = await Sender(chain, holder).send(voting.functions.propose(*call), label="propose")
    (event,) = voting.events.ProposalCreated().process_receipt(receipt.raw)
    proposal = event["args"]["proposalId"]
    await anvil.rpc("evm_increaseTime", 5)
    await anvil.mine()
    asked = {"proposalId": str(proposal), "support": "for", "voter": accounts.outsider.address}
    ballot = await ask(server, "ballot", **asked, **({"reason": reason} if reason else {}))
    voted = await send(server, "ballot", signed(ballot, accounts.outsider))
    assert voted.status_code == 202, voted.text
    await chain.w3.eth.wait_for_transaction_receipt(voted.json()["transactionHash"])
    assert (await chain.call(voting.functions.proposalVotes(proposal)))[1] == 10**18
    again = await ask(server, "ballot", **asked)
    twice = await send(server, "ballot", signed(again, accounts.outsider))
    assert (twice.status_code, twice.json()["type"]) == (409, "replayed")


async def test_a_runner_is_registered_by_two_signatures_together_with_its_stake(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    owner, node = accounts.payer, Account.create()
    asked = await ask(
        server,
        "registration",
        owner=owner.address,
        node=node.address,
        name="my box",
        profile="0x" + "ab" * 32,
    )
    body = signed(asked, owner) | {"nodeSignature": signed(asked, node)["signature"]}
    unstaked = await server.post("/api/v1/runners/register", json=body)
    assert (unstaked.status_code, unstaked.json()["type"]) == (402, "insufficient-funds"), unstaked.text
    stake = await ask(server, "action", account=owner.address, function="bond", amount=str(100 * USDFC))
    bond = signed(stake, owner)
    forged = await server.post(
        "/api/v1/runners/register", json=body | {"nodeSignature": body["signature"], "action": bond}
    )
    assert (forged.status_code, forged.json()["field"]) == (400, "nodeSignature"), forged.text
    sent = await server.post("/api/v1/runners/register", json=body | {"action": bond})
    assert sent.status_code == 202, sent.text
    await chain.w3.eth.wait_for_transaction_receipt(sent.json()["transactionHash"])
    registered = await chain.call(chain.reputation.functions.runnerOf(node.address))
    assert owner.address in registered
    again = await server.post("/api/v1/intents/registration", json=body)
    assert again.status_code == 202 or again.json()["type"] == "replayed"


REFUSALS = {
    "another's signature": ({}, "outsider", {}, 400, "bad-signature", "signature"),
    "signed for another chain": ({}, "payer", {"chainId": 314159}, 400, "wrong-chain", "signature"),
    "nonce used": ({"nonce": "0"}, "payer", {}, 409, "replayed", "intent.nonce"),
    "nonce ahead": ({"nonce": "9"}, "payer", {}, 422, "bad-intent", "intent.nonce"),
    "too late": ({"deadline": 1}, "payer", {}, 422, "expired", "intent.deadline"),
    "no call": ({"call": "0xq"}, "payer", {}, 400, "bad-request", "intent.call"),
    "field unknown": ({"tip": 1}, "payer", {}, 400, "bad-request", "intent.tip"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refused_action_says_why_and_changes_nothing(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts, name: str
) -> None:
    changes, signer, domain, status, slug, field = REFUSALS[name]
    first = await ask(server, "action", account=accounts.payer.address, function="bond", amount="1")
    if name == "nonce used":
        sent = await send(server, "action", signed(first, accounts.payer))
        await chain.w3.eth.wait_for_transaction_receipt(sent.json()["transactionHash"])
    head = await chain.block_number()
    body = signed(first, getattr(accounts, signer), **domain)
    body["intent"] |= changes
    answer = await send(server, "action", body)
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["field"]) == (status, slug, field), answer.text
    assert problem["hint"]
    assert await chain.block_number() == head


async def test_an_action_that_cannot_be_paid_or_done_says_which(
    server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    dear = await ask(
        server, "action", account=accounts.outsider.address, function="withdraw", amount=str(USDFC)
    )
    answer = await send(server, "action", signed(dear, accounts.outsider))
    assert (answer.status_code, answer.json()["type"]) == (402, "insufficient-funds")
    idle = await ask(server, "action", account=accounts.outsider.address, function="completeUnbond")
    answer = await send(server, "action", signed(idle, accounts.outsider))
    assert (answer.status_code, answer.json()["type"]) == (422, "simulated-revert")
    assert answer.json()["error"] == "WalletNothingUnbonding"


async def test_an_intent_for_another_contract_is_told_apart(
    server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    asked = await ask(server, "action", account=accounts.payer.address, function="bond", amount="1")
    body = signed(asked, accounts.payer)
    body["domain"] = {"chainId": 31337, "verifyingContract": "0x" + "11" * 20}
    answer = await send(server, "action", body)
    assert (answer.status_code, answer.json()["type"]) == (400, "wrong-contract")


async def test_arguments_that_do_not_fit_the_function_are_refused(
    server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    for given in (
        {"function": "withdraw"},
        {"function": "cancelUnbond", "amount": "1"},
        {"function": "bond", "call": "0x"},
    ):
        answer = await server.get(
            "/api/v1/intents/action", params={"account": accounts.payer.address, **given}
        )
        assert answer.status_code == 400, answer.text


ACCEPTS = "0x631626ba7e60e01b5f5260205ff3"
DECLINES = "0x5f5f5260205ff3"


@pytest.mark.parametrize(("code", "status"), [(ACCEPTS, 202), (DECLINES, 400)], ids=["accepts", "declines"])
async def test_a_wallet_contract_decides_over_its_own_actions(
    chain: Chain,
    anvil: Anvil,
    server: httpx.AsyncClient,
    accounts: LocalAccounts,
    code: str,
    status: int,
) -> None:
    wallet = "0x00000000000000000000000000000000000A11cE"
    await anvil.rpc("anvil_setCode", wallet, code)
    give = await ask(
        server, "action", account=accounts.payer.address, function="transfer", amount="5", to=wallet
    )
    given = await send(server, "action", signed(give, accounts.payer))
    await chain.w3.eth.wait_for_transaction_receipt(given.json()["transactionHash"])
    asked = await ask(server, "action", account=wallet, function="bond", amount="5")
    answer = await send(server, "action", {"intent": asked["intent"], "signature": "0x00"})
    assert answer.status_code == status, answer.text
    assert status == 202 or answer.json()["type"] == "bad-signature"


async def raw(chain: Chain, account: LocalAccount, call: Any, **given: Any) -> str:
    transaction = {
        "type": 2,
        "chainId": 31337,
        "nonce": await chain.w3.eth.get_transaction_count(account.address),
        "to": call.address,
        "data": call._encode_transaction_data(),
        "value": 0,
        "gas": 300_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 10**9,
    } | given
    return "0x" + account.sign_transaction(transaction).raw_transaction.hex()


async def test_a_signed_transaction_is_passed_on_and_the_same_again_is_a_replay(
    chain: Chain, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    bytes_of = await raw(chain, accounts.payer, chain.escrow.functions.revokeAll())
    answer = await server.post("/api/v1/transactions", json={"transaction": bytes_of})
    assert answer.status_code == 202, answer.text
    receipt = await chain.w3.eth.wait_for_transaction_receipt(answer.json()["transactionHash"])
    assert (receipt["status"], receipt["from"]) == (1, accounts.payer.address)
    again = await server.post("/api/v1/transactions", json={"transaction": bytes_of})
    assert (again.status_code, again.json()["type"]) == (409, "replayed")


async def test_a_signed_transaction_that_would_fail_is_not_sent(
    chain: Chain, anvil: Anvil, server: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    revoke, cancel = (
        chain.escrow.functions.revokeAll(),
        chain.escrow.functions.cancel(secrets.token_bytes(32)),
    )
    pauper = Account.create()
    cases = {
        "wrong-chain": await raw(chain, accounts.payer, revoke, chainId=314159),
        "wrong-contract": await raw(chain, accounts.payer, revoke, to="0x" + "11" * 20),
        "simulated-revert": await raw(chain, accounts.payer, cancel),
        "insufficient-funds": await raw(chain, pauper, revoke),
        "bad-intent": "0x02c0",
    }
    head = await chain.block_number()
    for slug, content in cases.items():
        answer = await server.post("/api/v1/transactions", json={"transaction": content})
        assert answer.json()["type"] == slug, answer.text
        assert answer.json()["hint"]
    assert await chain.block_number() == head
