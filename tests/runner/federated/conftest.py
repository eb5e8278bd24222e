"""A learning session on a chain of its own, its data on IPFS, and runners that live in the test's process."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devnet.anvil import Anvil
from protocol.deployment import Deployment
from runner.federated.ray_workshop import RayWorkshop
from runner.federated.workshop import Workshop
from tests.runner.bench import bench_of
from tests.runner.federated.school import School


@pytest.fixture(scope="module")
async def workshop() -> AsyncIterator[Workshop]:
    """One training process for all runners of a module's tests: starting torch is dear. `test_ray_workshop.py` gives them a cluster."""
    address = os.environ.get("TEST_RAY_ADDRESS")
    async with RayWorkshop(address) if address else Workshop() as shared:
        yield shared


@pytest.fixture
async def school(
    anvil: Anvil, deployment: Deployment, ipfs_api: str, tmp_path: Path, workshop: Workshop
) -> AsyncIterator[School]:
    """A chain that mines by itself, an IPFS node, and runners to be made by `school.runner(number)`."""
    engine = "http://127.0.0.1:9"  # nothing answers there: sessions need no model engine
    async with (
        bench_of(anvil, deployment, ipfs_api=ipfs_api, engine_url=engine, home=tmp_path) as bench,
        School(bench, workshop).open() as made,
    ):
        yield made
