from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devnet.anvil import Anvil
from protocol.deployment import Deployment, save_deployment
from tests.scripts.ape import Ape


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Ape]:
    """A local chain with nothing on it."""
    async with Anvil.start() as chain:
        yield Ape(chain.url, tmp_path / "deployments")


@pytest.fixture
async def calibration(tmp_path: Path) -> AsyncIterator[Ape]:
    """An empty chain that says it is Filecoin Calibration."""
    async with Anvil.start(chain_id=314159) as chain:
        yield Ape(chain.url, tmp_path / "deployments")


@pytest.fixture
def deployed_chain(anvil: Anvil, deployment: Deployment, tmp_path: Path) -> Ape:
    """The deployed and seeded chain, with its deployment file."""
    save_deployment(deployment, folder=tmp_path / "deployments")
    return Ape(anvil.url, tmp_path / "deployments")
