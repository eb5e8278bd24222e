"""A running network with a settled prompt, a browser, and visits to its dashboard."""

import os
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from playwright.async_api import Browser
from rich.console import Console

from devnet.demo import Outcome, run_demo
from devnet.network import Network
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from tests.dashboard.chromium import chromium
from tests.dashboard.visit import Visit, visiting


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with chromium() as started:
        yield started


@pytest.fixture(scope="package")
async def network(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """A running network with three runners; none is started where there is no browser."""
    # Blocks come at a pace that a busy machine keeps up with beside a browser.
    plan = Plan(state=tmp_path_factory.mktemp("network"), ports=Ports.free(), block_time_s=0.5)
    async with Network.up(plan, Progress(Console(file=StringIO()))) as running:
        yield running


@pytest.fixture(scope="package")
async def outcome(network: Network) -> Outcome:
    """A prompt, answered and paid."""
    return await run_demo(network, replicas=3)


@pytest.fixture
async def visit(browser: Browser, network: Network) -> AsyncIterator[Visit]:
    """A tab on the network's dashboard."""
    async with visiting(browser, network.endpoints.server) as opened:
        yield opened


@pytest.fixture(scope="package")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder that SCREENSHOTS names, for whoever wants to look at them."""
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
