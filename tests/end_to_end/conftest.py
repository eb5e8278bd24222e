"""The whole network, once for all end-to-end tests: every process as `make up` starts it, on free ports."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from devnet.network import Network
from devnet.paths import VENV_BIN
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from devnet.services import base_environment
from tests.end_to_end.leaks import keys, leaks, logs_of, texts

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="package")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """A running network with three runners. At its end, no log of ours may hold a key, a prompt or an answer."""
    plan = Plan(state=tmp_path_factory.mktemp("network"), ports=Ports.free())
    async with Network.up(plan, Progress(Console(file=StringIO()))) as running:
        yield running
        found = list(leaks(logs_of(running), {**keys(), **await texts(running)}))
    assert found == []


@pytest.fixture
def shell(network: Network, tmp_path: Path) -> Shell:
    """Run a shell script as a person with an empty home folder would, next to the running network."""
    env = {
        **base_environment(),
        **network.environment,
        "HOME": str(tmp_path),
        "PATH": f"{VENV_BIN}:{os.environ['PATH']}",
    }

    def run(script: str) -> "subprocess.CompletedProcess[str]":
        argv = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(
            argv, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return run
