"""A server whose database goes away: it says so meanwhile, and does everything again once the database is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from api.shared import relaying
from api.shared.state import repeatedly
from devnet.accounts import LocalAccounts

from .conftest import Index, Serve
from .orders import TASKS, Orders


@asynccontextmanager
async def away(index: Index) -> AsyncIterator[None]:
    """Have Postgres end all connections to the index and refuse new ones for the block."""
    place = urlsplit(index.url)
    name = place.path.strip("/")
    operator = await asyncpg.connect(place._replace(path="/postgres").geturl())
    try:
        await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await operator.close()


async def relayed(server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts) -> httpx.Response:
    order = orders.order(accounts.payer.address)
    return await server.post(TASKS, json=orders.body(order, accounts.payer))


async def until_relayed(server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts) -> None:
    async with asyncio.timeout(20):
        while (answer := await relayed(server, orders, accounts)).status_code != 202:
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)


async def test_orders_are_relayed_again_after_an_outage(
    server: httpx.AsyncClient, index: Index, orders: Orders, accounts: LocalAccounts
) -> None:
    assert (await relayed(server, orders, accounts)).status_code == 202
    async with away(index):
        answer = await relayed(server, orders, accounts)
        assert (answer.status_code, answer.json()["type"]) == (503, "database-unavailable")
    await until_relayed(server, orders, accounts)


async def test_a_database_that_takes_no_writes_is_read_all_the_same(index: Index, serve: Serve) -> None:
    """As a replica does, and a host that makes a database read-only when its disk is full."""
    await index.sync(indexed=7)
    name = urlsplit(index.url).path.strip("/")
    await index.connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with serve(database_url=index.url) as client:
        answer = await client.post("/graphql", json={"query": "{ status { indexedBlock } }"})
        assert answer.json() == {"data": {"status": {"indexedBlock": 7}}}
        assert (await client.get("/status")).json()["indexedBlock"] == 7
        refused = await client.get("/api/v1/auth/message", params={"address": "0x" + "00" * 20})
        assert (refused.status_code, refused.json()["type"]) == (503, "database-unavailable")
        assert "replica" in refused.json()["hint"]


async def test_an_outage_while_an_order_is_carried_does_not_end_the_relay(
    server: httpx.AsyncClient, orders: Orders, accounts: LocalAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = asyncio.Event()

    async def lost(*_: object) -> None:
        noted.set()
        raise asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")

    with monkeypatch.context() as context:
        context.setattr(relaying, "finished", lost)
        assert (await relayed(server, orders, accounts)).status_code == 202
        async with asyncio.timeout(20):
            await noted.wait()
    assert (await relayed(server, orders, accounts)).status_code == 202


async def test_a_job_is_done_again_when_one_of_a_group_fails_in_it() -> None:
    tries = 0
    done = asyncio.Event()

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            done.set()
        raise ExceptionGroup("unhandled errors in a TaskGroup", [ValueError("no more connections")])

    async with asyncio.timeout(5):
        job = asyncio.create_task(repeatedly(work, every_s=0.01, what="work"))
        await done.wait()
        job.cancel()
