"""An indexer on a simulated node and a real Postgres."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from indexer import schema as versions
from indexer.chain import ChainReader
from indexer.events import EventBook
from indexer.follow import Follower
from indexer.progress import Progress
from indexer.refold import rebuild
from indexer.store import Store
from protocol.deployment import Deployment
from tests.indexer.contract_events import ADDRESSES, TREASURY
from tests.indexer.simulated_node import SimulatedNode


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


def deployment_on(node: SimulatedNode) -> Deployment:
    return Deployment(
        chain_id=31337,
        version="V1",
        genesis_hash=hexed(node.chain()[0].hash),
        start_block=1,
        usdfc=hexed(b"\x01" * 20),
        stake_wallet=hexed(ADDRESSES["StakeWallet"]),
        runner_reputation=hexed(ADDRESSES["RunnerReputation"]),
        task_escrow=hexed(ADDRESSES["TaskEscrow"]),
        session_charter=hexed(ADDRESSES["SessionCharter"]),
        federated_learning=hexed(ADDRESSES["FederatedLearning"]),
        peer_monitoring=hexed(ADDRESSES["PeerMonitoring"]),
        audit_court=hexed(ADDRESSES["AuditCourt"]),
        beacon=hexed(b"\x02" * 20),
        access_manager=hexed(b"\x03" * 20),
        parity_token=hexed(b"\x04" * 20),
        governor=hexed(ADDRESSES["ParityGovernor"]),
        timelock=hexed(b"\x06" * 20),
        treasury=hexed(TREASURY),
        guardian=hexed(b"\x07" * 20),
        params_id=1,
        local=True,
    )


@dataclass
class Rig:
    """The parts of an indexer that a test drives by hand."""

    node: SimulatedNode
    url: str
    database_url: str
    deployment: Deployment
    chain: ChainReader
    schema: str

    @asynccontextmanager
    async def follower(self, *, finality_blocks: int = 64) -> AsyncIterator[Follower]:
        async with Store.open(self.database_url, self.schema) as store:
            cursor = await store.cursor()
            if cursor.indexed_hash is None:
                await store.anchor(await self.chain.last_until(cursor.start_block - 1))
            follower = Follower(
                store=store,
                chain=self.chain,
                book=EventBook.of(self.deployment),
                finality_blocks=finality_blocks,
                is_local=False,
                progress=Progress(),
            )
            await follower.restore()
            yield follower

    async def refold(self, *, upto: int | None = None) -> None:
        await rebuild(self.database_url, self.deployment, schema=self.schema, upto=upto)

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database_url, server_settings={"search_path": self.schema})
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()


@asynccontextmanager
async def rig_on(node: SimulatedNode, database_url: str) -> AsyncIterator[Rig]:
    async with node.serve() as url:
        deployment = deployment_on(node)
        book = EventBook.of(deployment)
        schema = versions.version_of(deployment)
        connection = await asyncpg.connect(database_url)
        await versions.drop(connection, schema)
        await versions.create(connection, schema, deployment)
        await versions.publish(connection, schema)
        await connection.close()
        async with ChainReader.connect(
            [url], book.addresses, timeout_s=5, max_log_blocks=1000, tries=4
        ) as chain:
            yield Rig(node, url, database_url, deployment, chain, schema)


@pytest.fixture
async def rig(postgres_url: str) -> AsyncIterator[Rig]:
    node = SimulatedNode(seed=1)
    node.open()
    async with rig_on(node, postgres_url) as made:
        yield made
