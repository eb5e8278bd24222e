"""Real parts for every test: a chain, a database, an IPFS node, a model engine.

What is dear to start is started once a session; what a test changes is its own.
"""

import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from devnet.accounts import LOCAL, LocalAccounts
from devnet.anvil import Anvil
from devnet.deploy import DeployedState, deployed_state
from devnet.engine import Engine
from devnet.ipfs import IpfsNode
from devnet.postgres import Postgres
from protocol.deployment import Deployment
from tests.logs import forget_configuration

settings.register_profile("any machine", deadline=None)  # a busy one is not at fault
settings.load_profile("any machine")

NETWORKS = ("end_to_end", "dashboard")
"""Folders whose tests start whole networks, of a dozen processes each: one after another, or they starve each other."""
LONG = ("scripts", "contracts_model", "docs")
"""Folders whose files take long, the longest first."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that the workers end together; a worker takes a file at a time, or all networks."""
    items.sort(key=lambda item: _place(item.path.parent.name))
    for item in items:
        group = (
            "networks" if item.path.parent.name in NETWORKS else item.path.relative_to(Path(__file__).parent)
        )
        item.add_marker(pytest.mark.xdist_group(str(group)))


def _place(folder: str) -> int:
    order = (*NETWORKS, *LONG)
    return order.index(folder) if folder in order else len(order)


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Let no test hear of another's logs, or fail to hear of its own."""
    yield
    forget_configuration()


@pytest.fixture(scope="session")
def accounts() -> LocalAccounts:
    """The well-known local keys, by role: `accounts.client`, `accounts.node(0)` …"""
    return LOCAL


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    """A server for the session; a test wants `postgres_url`."""
    # Not in pytest's folder, which the next session started closes to the server's own, unprivileged account.
    with tempfile.TemporaryDirectory(prefix="parity-postgres-") as folder:
        async with Postgres.start(folder=Path(folder) / "data", durable=False) as server:
            yield server


@pytest.fixture
async def postgres_url(postgres: Postgres) -> AsyncIterator[str]:
    """A fresh, empty database."""
    name = f"test_{secrets.token_hex(6)}"
    yield await postgres.create_database(name)
    await postgres.drop_database(name)


@pytest.fixture(scope="session")
async def ipfs_api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The multiaddr of an IPFS node's API."""
    async with IpfsNode.start(folder=tmp_path_factory.mktemp("ipfs")) as node:
        yield node.api


@pytest.fixture(scope="session")
async def engine_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a model engine that serves `smollm2:135m`, as Ollama would."""
    log: Path = tmp_path_factory.mktemp("engine") / "engine.log"
    async with Engine.start(log=log) as engine:
        yield engine.url


@pytest.fixture(scope="session")
async def deployed() -> DeployedState:
    """A chain state with the contracts deployed, accounts funded, and runners 0 to 2 staked and registered."""
    return await deployed_state()


@pytest.fixture
def deployment(deployed: DeployedState) -> Deployment:
    """Where the contracts of `anvil` are."""
    return deployed.deployment


@pytest.fixture
async def anvil(deployed: DeployedState) -> AsyncIterator[Anvil]:
    """A chain of this test's own, in the deployed and seeded state; it mines a block for each transaction."""
    async with Anvil.start(load_state=deployed.state) as chain:
        yield chain
