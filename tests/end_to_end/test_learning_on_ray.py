"""Runners as real processes that train on a Ray cluster, of which first a worker and then everything is killed."""

import hashlib
import json
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from devnet.faults.waiting import until
from devnet.network import Network
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from devnet.services import runner_home
from runner.status import lines_of, read_status
from tests.end_to_end.learning_session import Person, seen, undisturbed
from tests.end_to_end.test_tutorial import commands
from tests.runner.federated.ray_cluster import ADDRESS, Cluster, in_a_network_of_its_own

RUNNERS = 3
CREATE = """
parity-client fl create-session --name "Digits" --model-type neural_network --dataset-cid "$(cat dataset.cid)" \
  --total-rounds 2 --min-participants 3 --aggregation-method fedavg --learning-rate 0.1 --batch-size 32 --local-epochs 60 \
  --divide-by 16 --config-file model_config.json --seed 0 --round-time 3600 --yes --json > created.json
"""
GET = """
parity-client fl watch-session "$SESSION" --timeout 900 --json > watched.json
parity-client fl get-model "$SESSION" -o digits.safetensors --json
"""


class NetworkOnRay(Network):
    """A network whose runners have a cluster."""

    def settings_of(self, name: str) -> dict[str, str]:
        return {**super().settings_of(name), "RUNNER_RAY_ADDRESS": ADDRESS}

    def says(self, number: int) -> str:
        """Return what `parity-runner status` tells of a runner."""
        home = runner_home(self.plan, number)
        return "\n".join(lines_of(read_status(home, chain_id=self.deployment.chain_id)))

    def logs(self) -> list[str]:
        return [self.plan.log(f"runner-{number + 1}").read_text() for number in range(RUNNERS)]


async def training(cluster: Cluster) -> list[psutil.Process]:
    async def some() -> list[psutil.Process]:
        return cluster.training()

    return await until(some)


@pytest.mark.slow
@pytest.mark.timeout(1_500)
@in_a_network_of_its_own
async def test_a_session_ends_at_the_undisturbed_bytes_though_a_worker_and_then_the_whole_cluster_are_killed(
    tmp_path: Path,
) -> None:
    plan = Plan(state=tmp_path / "network", ports=Ports.free(), runners=RUNNERS, block_time_s=0.6)
    home = tmp_path / "person"
    home.mkdir()
    with Cluster() as cluster:
        async with NetworkOnRay.up(plan, Progress(Console(file=StringIO()))) as network:
            begun = [process.pid for process in network.processes.values()]
            person = Person(network, home)
            tutorial = commands("first-federated-session", server=network.endpoints.server)
            await person.run("\n".join([*tutorial[:3], CREATE]))
            created = json.loads((home / "created.json").read_text())
            name = created["sessionId"]

            async def all_say_it_is_away() -> bool:
                return all("Start it with `ray start" in network.says(number) for number in range(RUNNERS))

            await until(all_say_it_is_away)
            cluster.start()
            await seen(network, "RoundStarted", session=name)
            for worker in await training(cluster):
                worker.kill()
            await seen(network, "RoundSettled", session=name)
            await training(cluster)
            cluster.kill()
            await until(all_say_it_is_away)
            cluster.start()

            await person.run(GET, SESSION=name)
            expected = await undisturbed(
                network.environment["IPFS_API"], session=name, config_cid=created["configCid"]
            )
            assert [process.pid for process in network.processes.values()] == begun
            assert all(process.returncode is None for process in network.processes.values())
            logs = network.logs()

    watched = json.loads((home / "watched.json").read_text())
    assert watched["phase"] == "finished"
    assert [one["accepted"] for one in watched["participants"]] == [2] * RUNNERS
    assert watched["model"] == "0x" + hashlib.sha256(expected).hexdigest()
    assert (home / "digits.safetensors").read_bytes() == expected
    assert any("WorkerCrashedError" in log for log in logs)
    assert all(log.count("ray_joined") == 2 for log in logs)
