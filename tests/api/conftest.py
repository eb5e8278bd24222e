"""A server on a real database whose rows the test writes itself, and a client for it."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from eth_account.signers.local import LocalAccount

from api.app import build_app
from api.serving import server_config
from api.settings import ServerSettings
from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.cid import digest_of
from protocol.deployment import Deployment

from .orders import Orders

SCHEMA = Path(__file__).parents[2] / "indexer" / "schema.sql"
GENESIS = datetime(2026, 1, 1, tzinfo=UTC)
PROPOSAL = 2**255 + 1


def address(number: int) -> bytes:
    return number.to_bytes(20, "big")


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@dataclass
class Index:
    """Writes rows as the indexer would, through a connection of its own."""

    connection: Any
    url: str
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def insert(self, table: str, **row: Any) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())

    async def sync(self, *, indexed: int, head: int | None = None, finalized: int = 0, **more: Any) -> None:
        """Say how far the index is and announce the block, in one transaction."""
        row = {
            "chain_id": 31337,
            "genesis_hash": word(0),
            "start_block": 0,
            "phase": "live",
            "head_number": indexed if head is None else head,
            "indexed_number": indexed,
            "indexed_hash": word(indexed),
            "finalized_number": finalized,
        } | more
        async with self.connection.transaction():
            await self.connection.execute("DELETE FROM sync_state")
            await self.insert("sync_state", **row)
            notice = json.dumps({"number": indexed, "hash": "0x" + word(indexed).hex()})
            await self.connection.execute("SELECT pg_notify('parity_block', $1)", notice)

    async def task(self, number: int | None = None, **given: Any) -> bytes:
        number = next(self.numbers) if number is None else number
        row = {
            "task_id": word(number),
            "client": address(1),
            "payer": address(1),
            "reward": 3 * 10**18,
            "bond": 10**18,
            "input_price": 0,
            "output_price": 0,
            "params_id": 1,
            "replicas": 3,
            "quorum": 2,
            "mode": "quorum",
            "status": "open",
            "claim_by": 1000,
            "retention": 2**32 - 1,
            "client_epoch": 0,
            "spec": word(7),
            "salt": word(8),
            "seed_block": 12,
            "deadline": 1000,
            "claimed": 0,
            "committed": 0,
            "revealed": 0,
            "paid": 0,
            "fee": 0,
            "returned": 0,
            "slashed": 0,
            "created_block": 10 + number // 2,
            "created_tx": word(9),
            "created_at": GENESIS + timedelta(seconds=number),
            "updated_block": 10,
        } | given
        await self.insert("tasks", **row)
        return row["task_id"]

    async def seat(self, task_id: bytes, seat: int, **given: Any) -> None:
        row = {
            "task_id": task_id,
            "seat": seat,
            "node": address(100 + seat),
            "owner": address(200 + seat),
            "state": "claimed",
            "paid": 0,
            "slashed": 0,
            "claimed_block": 13,
            "claimed_tx": word(50 + seat),
            "updated_block": 13,
        } | given
        await self.insert("task_seats", **row)

    async def event(self, task_id: bytes, name: str, *, log_index: int, **given: Any) -> None:
        row = {
            "task_id": task_id,
            "block_number": 13,
            "tx_index": 0,
            "log_index": log_index,
            "tx_hash": word(60),
            "block_time": GENESIS,
            "name": name,
            "data": "{}",
        } | given
        await self.insert("task_events", **row)

    async def vote(self, voter: int, *, block: int, **given: Any) -> None:
        row = {
            "proposal_id": PROPOSAL,
            "voter": address(voter),
            "support": "for",
            "weight": 10**18,
            "reason": "",
            "params": b"",
            "block_number": block,
            "tx_index": 0,
            "log_index": voter,
            "tx_hash": word(block),
            "block_time": GENESIS,
        } | given
        await self.insert("proposal_votes", **row)

    async def voucher(self, channel: int, *, block: int, **given: Any) -> None:
        row = {
            "channel_id": word(channel),
            "payer": address(1),
            "node": address(100),
            "owner": address(200),
            "amount": 5,
            "cumulative": 5 * block,
            "block_number": block,
            "tx_index": 0,
            "log_index": 3,
            "place": channel,
            "tx_hash": word(block),
            "block_time": GENESIS,
        } | given
        await self.insert("vouchers", **row)

    async def channel(self, number: int, **given: Any) -> None:
        row = {
            "channel_id": word(number),
            "payer": address(1),
            "node": address(100),
            "owner": address(200),
            "amount": 50,
            "deposited": 100,
            "redeemed": 30,
            "returned": 0,
            "status": "open",
            "close_delay": 10,
            "open_by": 5,
            "salt": word(1),
            "opened_block": number,
            "opened_tx": word(9),
            "opened_at": GENESIS,
            "updated_block": 1,
        } | given
        await self.insert("channels", **row)

    async def runner(self, number: int, *, score: int = 500_000, **given: Any) -> bytes:
        row = {
            "node": address(100 + number),
            "owner": address(200 + number),
            "label": b"box".ljust(32, b"\0"),
            "profile": word(300 + number),
            "status": "active",
            "registered_block": 1,
            "banned_until": 0,
            "suspended_until": 0,
            "strikes": 0,
            "updated_block": 1,
        } | given
        await self.insert("runners", **row)
        record = {
            "right": 0,
            "wrong": 0,
            "missed": 0,
            "monitor_missed": 0,
            "wrong_streak": 0,
            "updated_block": 1,
        }
        await self.insert("runner_reputation", node=row["node"], score=score, **record)
        return row["node"]

    async def document(self, content: dict[str, Any], kind: str) -> bytes:
        text = json.dumps(content)
        digest = digest_of(text.encode())
        await self.insert(
            "content.documents", digest=digest, kind=kind, content=text, size=len(text), status="stored"
        )
        return digest


@pytest.fixture
async def index(postgres_url: str) -> AsyncIterator[Index]:
    """A database with the indexer's tables in it, and nothing in them."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(SCHEMA.read_text(encoding="utf-8"))
    yield Index(connection, postgres_url)
    await connection.close()


@pytest.fixture(scope="session")
def nowhere() -> Deployment:
    """A deployment on a chain that nobody runs."""
    places = {
        name: "0x" + f"{number:040x}"
        for number, name in enumerate(
            (
                "usdfc",
                "stake_wallet",
                "runner_reputation",
                "task_escrow",
                "session_charter",
                "federated_learning",
                "peer_monitoring",
                "audit_court",
                "beacon",
                "access_manager",
                "parity_token",
                "governor",
                "timelock",
                "treasury",
                "guardian",
            ),
            1,
        )
    }
    return Deployment(
        chain_id=31337,
        version="1",
        genesis_hash="0x" + "00" * 32,
        start_block=0,
        params_id=1,
        local=True,
        **places,
    )


Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def serve(nowhere: Deployment) -> Serve:
    """Run a server: `async with serve(database_url=…) as client`."""

    @asynccontextmanager
    async def run(
        *, deployment: Deployment | None = None, relayer: LocalAccount | None = None, **settings: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        read = ServerSettings(**({"filecoin_rpc": "http://127.0.0.1:9", "_env_file": None} | settings))
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        config = server_config(build_app(read, deployment or nowhere, relayer), read)
        running = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(running.serve(sockets=[listening]))
            while not running.started:  # noqa: ASYNC110  # uvicorn has a flag only
                await asyncio.sleep(0.01)
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30
            ) as client:
                yield client
            running.should_exit = True

    return run


@pytest.fixture
async def client(index: Index, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """A server on `index`, without chain and without relayer."""
    async with serve(database_url=index.url) as made:
        yield made


Ask = Callable[..., Any]


@pytest.fixture
def ask(client: httpx.AsyncClient) -> Ask:
    """Run a GraphQL operation and give its answer's document."""

    async def run(query: str, **variables: Any) -> Any:
        answer = await client.post("/graphql", json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return run


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    """A connection to this test's chain."""
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


@pytest.fixture
async def server(
    chain: Chain, anvil: Anvil, deployment: Deployment, index: Index, serve: Serve, accounts: LocalAccounts
) -> AsyncIterator[httpx.AsyncClient]:
    """A server over the index and the chain, with a relayer."""
    async with serve(
        database_url=index.url, deployment=deployment, filecoin_rpc=anvil.url, relayer=accounts.relayer
    ) as client:
        yield client


@pytest.fixture
async def orders(chain: Chain) -> Orders:
    """Orders for the chain, claimable for 500 blocks."""
    return Orders(chain.deployment, await chain.block_number() + 500)
