"""Webhooks: told once of what concerns them, signed, again until taken, and never sent where they must not go."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st

from api.hints import Hints, queue_events
from api.outbound import BadTarget, outbound_client, resolve
from api.shared import webhooks
from api.shared.state import SharedState
from api.shared.webhooks import pause_s
from devnet.accounts import LocalAccounts

from .conftest import Index, Serve, address
from .test_sign_in import WEBHOOKS, sign_in


@dataclass
class Receiver:
    """Somebody's server that takes hints, or refuses the first ones."""

    url: str = ""
    refusals: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    received: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.received.put_nowait((headers, body))
        status = self.refusals.pop(0) if self.refusals else 204
        more = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": b""})

    async def next(self) -> tuple[dict[str, str], bytes]:
        return await asyncio.wait_for(self.received.get(), 20)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    app = Receiver()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app.url = f"http://127.0.0.1:{listening.getsockname()[1]}/hints?mine"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listening]))
        yield app
        server.should_exit = True


async def event(index: Index, block: int, name: str = "TaskSubmitted", **task: Any) -> bytes:
    task_id = await index.task(block, **task)
    await index.event(task_id, name, log_index=0, block_number=block)
    return task_id


@asynccontextmanager
async def local(index: Index, serve: Serve) -> AsyncIterator[Any]:
    await index.sync(indexed=1)
    async with serve(database_url=index.url, webhook_allow_private=True) as client:
        yield client


async def register(client: Any, account: Any, url: str, **more: Any) -> tuple[dict[str, str], dict[str, Any]]:
    session = await sign_in(client, account)
    answer = await client.post(WEBHOOKS, json={"url": url, **more}, headers=session)
    assert answer.status_code == 201, answer.text
    return session, answer.json()


async def live(client: Any) -> None:
    async with asyncio.timeout(10):
        while not (await client.get("/status")).json()["live"]:  # noqa: ASYNC110  # the server is asked, as any client would
            await asyncio.sleep(0.02)


async def test_a_hint_is_signed_and_comes_again_until_it_is_taken(
    index: Index, serve: Serve, receiver: Receiver, accounts: LocalAccounts
) -> None:
    receiver.refusals = [500, 302]
    receiver.headers = {"location": "http://127.0.0.1:1/elsewhere"}
    async with local(index, serve) as client:
        _, hook = await register(client, accounts.client, receiver.url)
        await live(client)
        task_id = await event(index, 2)
        await index.sync(indexed=2)
        seen = []
        for _ in range(3):
            headers, body = await receiver.next()
            seen.append((headers["parity-delivery"], body))
            stamp, code = (part.partition("=")[2] for part in headers["parity-signature"].split(","))
            signed = hmac.new(bytes.fromhex(hook["secret"]), f"{stamp}.".encode() + body, hashlib.sha256)
            assert hmac.compare_digest(signed.hexdigest(), code)
            assert headers["parity-event"] == "TaskSubmitted"
            # Without waiting for the back-off, whose length is another test's.
            await index.connection.execute("UPDATE parity_api.deliveries SET due_at = now()")
            await index.sync(indexed=2)
        assert len(set(seen)) == 1
        assert json.loads(seen[0][1])["taskId"] == "0x" + task_id.hex()
        async with asyncio.timeout(10):
            while await index.connection.fetchval("SELECT count(*) FROM parity_api.deliveries"):  # noqa: ASYNC110  # a moment after the answer
                await asyncio.sleep(0.02)


async def test_others_tasks_are_told_of_only_when_they_are_new(
    index: Index, serve: Serve, receiver: Receiver, accounts: LocalAccounts
) -> None:
    mine = bytes.fromhex(accounts.client.address[2:])
    async with local(index, serve) as client:
        await register(client, accounts.client, receiver.url)
        await live(client)
        await event(index, 2, "TaskFinalized")
        await event(index, 3, "TaskFinalized", payer=mine)
        seated = await event(index, 4, "SeatRevealed")
        await index.seat(seated, 0, owner=mine)
        await index.sync(indexed=4)
        bodies = [json.loads((await receiver.next())[1]) for _ in range(2)]
        assert sorted(body["blockNumber"] for body in bodies) == [3, 4]
        assert receiver.received.empty()


async def test_a_webhook_hears_only_what_it_asked_for_and_nothing_once_deleted(
    index: Index, serve: Serve, receiver: Receiver, accounts: LocalAccounts
) -> None:
    mine = bytes.fromhex(accounts.client.address[2:])
    async with local(index, serve) as client:
        session, hook = await register(client, accounts.client, receiver.url, events=["TaskFinalized"])
        await live(client)
        await event(index, 2)
        await event(index, 3, "TaskFinalized", client=mine)
        await index.sync(indexed=3)
        assert json.loads((await receiver.next())[1])["event"] == "TaskFinalized"
        listed = (await client.get(WEBHOOKS, headers=session)).json()["webhooks"]
        assert [entry["id"] for entry in listed] == [hook["id"]]
        assert "secret" not in listed[0]
        other = await sign_in(client, accounts.outsider)
        assert (await client.delete(WEBHOOKS, params={"id": hook["id"]}, headers=other)).status_code == 404
        assert (await client.delete(WEBHOOKS, params={"id": hook["id"]}, headers=session)).status_code == 200
        await event(index, 4, "TaskFinalized", client=mine)
        await index.sync(indexed=4)
        await live(client)
        assert await index.connection.fetchval("SELECT count(*) FROM parity_api.deliveries") == 0


async def test_two_processes_queue_an_event_once(index: Index) -> None:
    await index.sync(indexed=1)
    async with SharedState(index.url) as one, SharedState(index.url) as other:
        await queue_events(one)
        await index.insert(
            "parity_api.webhooks",
            webhook_id="7d5f9c2e-0000-4000-8000-000000000001",
            address=address(1),
            url="http://x",
            secret=b"s",
            events=["TaskSubmitted"],
        )
        await event(index, 2)
        await index.sync(indexed=2)
        await asyncio.gather(*(queue_events(state) for state in (one, other) for _ in range(4)))
        assert await index.connection.fetchval("SELECT count(*) FROM parity_api.deliveries") == 1


REFUSED = [
    "http://127.0.0.1/",
    "http://localhost:8080/",
    "http://10.1.2.3/",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://224.0.0.1/",
    "http://100.64.0.1/",
    "http://user:secret@93.184.216.34/",
    "ftp://93.184.216.34/",
    "file:///etc/passwd",
    "http://",
    "http://93.184.216.34:99999/",
    "http://no such host/",
    "http://nowhere.invalid/",
    "http://93.184.216.34/#fragment",
    "gopher://93.184.216.34/",
]


@pytest.mark.parametrize("url", REFUSED)
async def test_a_url_that_may_lead_inside_is_refused(url: str) -> None:
    with pytest.raises(BadTarget):
        await resolve(url, allow_private=False)


async def test_a_public_address_is_pinned() -> None:
    target = await resolve("https://93.184.216.34/a?b=c", allow_private=False)
    assert (target.pinned_url, target.host_header) == ("https://93.184.216.34:443/a?b=c", "93.184.216.34")


async def test_a_name_that_has_become_private_is_not_sent_to(index: Index, receiver: Receiver) -> None:
    await index.sync(indexed=1)
    async with SharedState(index.url) as state:
        await queue_events(state)
        await index.insert(
            "parity_api.webhooks",
            webhook_id="7d5f9c2e-0000-4000-8000-000000000001",
            address=address(1),
            url=receiver.url,
            secret=b"s",
            events=["TaskSubmitted"],
        )
        await event(index, 2)
        await index.sync(indexed=2)
        await queue_events(state)
        hints = Hints(state, None, allow_private=False)  # type: ignore[arg-type]
        (delivery,) = await webhooks.lease_due(state)
        async with outbound_client() as client:
            await hints._deliver(client, delivery)
        assert receiver.received.empty()
        assert await index.connection.fetchval("SELECT due_at > now() FROM parity_api.deliveries")


async def test_a_loopback_url_is_refused_at_registration_unless_allowed(
    index: Index, client: Any, accounts: LocalAccounts
) -> None:
    session = await sign_in(client, accounts.client)
    answer = await client.post(WEBHOOKS, json={"url": "http://127.0.0.1:1/"}, headers=session)
    assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (422, "bad-url", "url")


async def test_an_address_has_so_many_webhooks_and_no_more(
    index: Index, serve: Serve, accounts: LocalAccounts
) -> None:
    async with local(index, serve) as client:
        session = await sign_in(client, accounts.client)
        answers = [
            await client.post(WEBHOOKS, json={"url": "http://127.0.0.1:1/"}, headers=session)
            for _ in range(11)
        ]
    assert [answer.status_code for answer in answers] == [201] * 10 + [422]
    assert answers[-1].json()["type"] == "too-many-webhooks"


async def test_a_hint_is_given_up_at_last_and_a_dead_webhook_is_told_nothing_more(index: Index) -> None:
    async with SharedState(index.url) as state:
        await state.fetch("SELECT 1")
        hook = await webhooks.add(state, address(1), "http://x", ["TaskSubmitted"])
        assert hook is not None
        for _ in range(webhooks.MAX_FAILURES):
            async with state.connection() as connection:
                await webhooks.enqueue(connection, [(hook["webhook_id"], "TaskSubmitted", b"{}")])
            await index.connection.execute(
                "UPDATE parity_api.deliveries SET attempts = $1", webhooks.MAX_ATTEMPTS - 1
            )
            (delivery,) = await webhooks.lease_due(state)
            await webhooks.refused(state, delivery)
            assert await webhooks.lease_due(state) == []
        assert await index.connection.fetchval("SELECT disabled_at IS NOT NULL FROM parity_api.webhooks")


@settings(max_examples=50)
@given(attempts=st.integers(min_value=1, max_value=60))
def test_pauses_grow_and_are_bounded(attempts: int) -> None:
    assert 1.8 <= pause_s(attempts) <= 3960
    assert pause_s(attempts + 2) >= min(pause_s(attempts), 3240)
