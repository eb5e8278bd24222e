"""Training on a Ray cluster that runs on this machine. Skipped where the extra `ray` is not installed."""

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec
import pytest

from devnet.paths import ROOT
from protocol.errors import ConfigError
from runner.federated.ray_workshop import RayWorkshop
from tests.runner.federated.school import digits_file
from tests.runner.federated.test_workshop import work

ON_RAY = Path(__file__).with_name("on_ray.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
async def test_a_cluster_trains_to_the_same_bytes_as_this_machine_and_survives_a_node(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    data = tmp_path / "data"
    data.write_bytes(digits_file(60))
    request = tmp_path / "request"
    request.write_bytes(msgspec.msgpack.encode(work(data)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ON_RAY), str(request)),
        env={**ENVIRONMENT, "RUNNER_PRIVATE_KEY": "secret"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    told = json.loads(out.splitlines()[-1])
    assert told["same as here"]
    assert told["another slot differs"]
    assert told["given up"]
    assert "dataset: not an archive" in told["broken data"]
    assert "did not do it" in told["node dies"]
    assert told["afterwards"] == 60
    assert not [name for name in told["environment"] if name.startswith("RUNNER")]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_an_asynchronous_session_is_trained_and_aggregated_on_a_cluster() -> None:
    """The same session as on one machine: who is slow trains beside the rounds, which go on."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ON_RAY), "--pytest", "-m", "slow", "-k", "slow_participant"),
        str(ON_RAY.with_name("test_asynchronous_session.py")),
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert "1 passed" in out.decode()


async def test_a_cluster_begun_by_the_runner_itself_would_hold_its_key_and_is_refused() -> None:
    with pytest.raises(ConfigError, match="not `local`"):
        async with RayWorkshop("local"):
            pass
