"""A chain for each test, and the two ends of the streaming path on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from tests.streaming.counter import Shop, shop


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


@pytest.fixture
async def both(chain: Chain, engine_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(chain, engine_url, tmp_path) as opened:
        yield opened
