"""Sessions of wallets, and what needs one."""

from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from devnet.accounts import LocalAccounts

from .conftest import Index, Serve, address

MESSAGE = "/api/v1/auth/message"
SESSIONS = "/api/v1/auth/sessions"
HEARTBEAT = "/api/v1/runners/heartbeat"
WEBHOOKS = "/api/v1/runners/webhooks"


async def message(client: httpx.AsyncClient, account: LocalAccount) -> str:
    return (await client.get(MESSAGE, params={"address": account.address})).json()["message"]


def signature(text: str, account: LocalAccount) -> str:
    return "0x" + account.sign_message(encode_defunct(text=text)).signature.hex()


async def sign_in(client: httpx.AsyncClient, account: LocalAccount) -> dict[str, str]:
    """Sign in and give the header that a session is carried in."""
    text = await message(client, account)
    answer = await client.post(SESSIONS, json={"message": text, "signature": signature(text, account)})
    assert answer.status_code == 201, answer.text
    assert answer.json()["address"] == account.address
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def beat(node: str, **given: Any) -> dict[str, Any]:
    return {"node": node, "version": "1", "slots": 2, "busy": 1} | given


async def runner(index: Index, accounts: LocalAccounts) -> str:
    node = accounts.node(0).address
    owner = bytes.fromhex(accounts.owner(0).address[2:])
    await index.runner(0, node=bytes.fromhex(node[2:]), owner=owner)
    return node


@pytest.mark.parametrize("who", ["node", "owner"])
async def test_a_runners_node_or_owner_tells_that_it_lives(
    index: Index, client: httpx.AsyncClient, accounts: LocalAccounts, who: str
) -> None:
    node = await runner(index, accounts)
    session = await sign_in(client, getattr(accounts, who)(0))
    answer = await client.post(HEARTBEAT, json=beat(node), headers=session)
    assert answer.status_code == 200, answer.text
    shown = (await client.get(f"/api/v1/reputation/runners/{node}")).json()["heartbeat"]
    assert (shown["version"], shown["slots"], shown["busy"]) == ("1", 2, 1)
    graphql = {
        "query": "query($n: Address!) { runner(node: $n) { heartbeat { slots } } }",
        "variables": {"n": node},
    }
    answer = await client.post("/graphql", json=graphql)
    assert answer.json()["data"]["runner"]["heartbeat"] == {"slots": 2}


async def test_nobody_speaks_for_anothers_runner(
    index: Index, client: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    node = await runner(index, accounts)
    session = await sign_in(client, accounts.outsider)
    answer = await client.post(HEARTBEAT, json=beat(node), headers=session)
    assert (answer.status_code, answer.json()["type"]) == (403, "not-yours")
    unknown = await client.post(HEARTBEAT, json=beat("0x" + address(9).hex()), headers=session)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")


@pytest.mark.parametrize(
    "carried", [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}]
)
async def test_without_a_session_nothing_personal_is_done(
    client: httpx.AsyncClient, carried: dict[str, str]
) -> None:
    answers = [
        await client.post(HEARTBEAT, json=beat("0x" + address(9).hex()), headers=carried),
        await client.get(WEBHOOKS, headers=carried),
        await client.post(WEBHOOKS, json={"url": "https://example.com"}, headers=carried),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in"), answer.text


async def test_a_signed_message_counts_once_and_a_session_until_it_is_closed(
    client: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    text = await message(client, accounts.client)
    body = {"message": text, "signature": signature(text, accounts.client)}
    first, second = [await client.post(SESSIONS, json=body) for _ in range(2)]
    assert (first.status_code, second.status_code, second.json()["type"]) == (201, 400, "sign-in-refused")
    session = {"Authorization": f"Bearer {first.json()['token']}"}
    assert (await client.get(WEBHOOKS, headers=session)).status_code == 200
    assert (await client.delete(SESSIONS, headers=session)).status_code == 200
    assert (await client.get(WEBHOOKS, headers=session)).status_code == 401


async def test_a_session_ends_by_itself(index: Index, serve: Serve, accounts: LocalAccounts) -> None:
    async with serve(database_url=index.url) as client:
        session = await sign_in(client, accounts.client)
        await index.connection.execute("UPDATE parity_api.sessions SET expires_at = now()")
        assert (await client.get(WEBHOOKS, headers=session)).status_code == 401


async def test_a_message_that_is_not_for_this_site_chain_or_signer_is_refused(
    client: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    good = await message(client, accounts.client)
    host = str(client.base_url).removeprefix("http://").rstrip("/")
    cases = {
        "another site": (good.replace(host, "evil.example"), accounts.client, "sign-in-refused"),
        "another chain": (good.replace("Chain ID: 31337", "Chain ID: 1"), accounts.client, "wrong-chain"),
        "long nonsense": ("0" * 4096, accounts.client, "sign-in-refused"),
        "no message": ("let me in", accounts.client, "sign-in-refused"),
        "made-up nonce": (
            "\n".join(
                "Nonce: 0123456789abcdef" if line.startswith("Nonce: ") else line for line in good.split("\n")
            ),
            accounts.client,
            "sign-in-refused",
        ),
        "too old": (
            "\n".join(
                "Expiration Time: 2020-01-01T00:00:00.000Z" if line.startswith("Expiration") else line
                for line in good.split("\n")
            ),
            accounts.client,
            "sign-in-refused",
        ),
    }
    for name, (text, account, slug) in cases.items():
        answer = await client.post(SESSIONS, json={"message": text, "signature": signature(text, account)})
        assert answer.json().get("type") == slug, (name, answer.text)
        assert answer.json()["hint"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 400),
        ("8.8.8.8", 400),
        ("[2606:4700::1111]:8080", 400),
        ("parity.example.evil.example", 400),
        ("", 400),
        ("parity.example", 201),
        ("Parity.Example:8443", 201),
        ("localhost:8080", 201),
        ("server:8080", 201),
        ("10.0.0.7:8080", 201),
        ("[::1]:8080", 201),
    ],
)
async def test_what_was_signed_for_a_site_of_another_name_opens_no_session_here(
    index: Index, serve: Serve, accounts: LocalAccounts, host: str, status: int
) -> None:
    async with serve(database_url=index.url, server_domains="other.example, parity.example") as client:
        here = str(client.base_url).removeprefix("http://").rstrip("/")
        text = (await message(client, accounts.client)).replace(here, host or here)
        body = {"message": text, "signature": signature(text, accounts.client)}
        answer = await client.post(SESSIONS, json=body, headers={"Host": host})
        assert answer.status_code == status, answer.text
        asked = await client.get(MESSAGE, params={"address": accounts.client.address}, headers={"Host": host})
        assert asked.status_code == (200 if status == 201 else 400)
        assert status == 201 or "SERVER_DOMAINS" in asked.json()["hint"]


async def test_an_answer_is_given_again_to_nobody_but_the_account_that_it_was_for(
    index: Index, serve: Serve, accounts: LocalAccounts
) -> None:
    async with serve(database_url=index.url, webhook_allow_private=True) as client:
        body = {"url": "http://127.0.0.1:9/hints"}
        key = {"Idempotency-Key": "1"}
        mine, others = [await sign_in(client, who) for who in (accounts.client, accounts.outsider)]
        first = await client.post(WEBHOOKS, json=body, headers=key | mine)
        again = await client.post(WEBHOOKS, json=body, headers=key | mine)
        assert (first.status_code, again.content) == (201, first.content)
        nobody = await client.post(WEBHOOKS, json=body, headers=key)
        assert (nobody.status_code, nobody.json()["type"]) == (401, "not-signed-in")
        other = await client.post(WEBHOOKS, json=body, headers=key | others)
        assert other.json()["secret"] != first.json()["secret"]


async def test_a_sessions_token_is_stored_nowhere(
    index: Index, client: httpx.AsyncClient, accounts: LocalAccounts
) -> None:
    text = await message(client, accounts.client)
    body = {"message": text, "signature": signature(text, accounts.client)}
    answer = await client.post(SESSIONS, json=body, headers={"Idempotency-Key": "1"})
    assert answer.status_code == 201
    for table in ("sessions", "idempotency"):
        stored = await index.connection.fetch(f"SELECT t::text AS row FROM parity_api.{table} t")
        written = answer.json()["token"].encode()
        assert not any(part in row["row"] for row in stored for part in (written.decode(), written.hex()))


ACCEPTS = "0x631626ba7e60e01b5f5260205ff3"


@pytest.mark.parametrize(("code", "status"), [(ACCEPTS, 201), ("0x5f5f5260205ff3", 400), ("0x", 400)])
async def test_a_wallet_contract_signs_in_by_its_own_rule(
    index: Index, serve: Serve, anvil: Any, deployment: Any, code: str, status: int
) -> None:
    wallet = "0x00000000000000000000000000000000000A11cE"
    await anvil.rpc("anvil_setCode", wallet, code)
    async with serve(database_url=index.url, filecoin_rpc=anvil.url, deployment=deployment) as client:
        text = (await client.get(MESSAGE, params={"address": wallet})).json()["message"]
        by_key = signature(text, Account.create())
        answer = await client.post(SESSIONS, json={"message": text, "signature": by_key})
        assert answer.status_code == status, answer.text
        assert status == 201 or answer.json()["type"] == "bad-signature"
