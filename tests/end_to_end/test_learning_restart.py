"""Ten runners as real processes, and a whole network that goes down in the middle of a round."""

import asyncio
import hashlib
import json
import os
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from client.federated.reading import read_config
from client.logs import Event, Span, read_events
from devnet.faults.waiting import until
from devnet.network import Network
from devnet.paths import VENV_BIN
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from devnet.services import base_environment
from learning import networks, tensors
from learning.assignment import PartitionIndex, read_list
from learning.datasets import load_dataset
from learning.simulate import Simulation
from protocol.chain import Chain
from protocol.cid import cid_to_digest
from protocol.content import IpfsStore
from protocol.files import FileStore
from protocol.parts import fetch_parts
from tests.end_to_end.test_tutorial import commands

pytestmark = [pytest.mark.timeout(1_500), pytest.mark.slow]
RUNNERS = 10
CREATE = """
parity-client fl create-session --name "Image Classification" --model-type neural_network \
  --dataset-cid "$(cat dataset.cid)" --total-rounds 2 --min-participants 10 --aggregation-method fedavg \
  --learning-rate 0.1 --batch-size 32 --local-epochs 2 --config-file model_config.json --divide-by 16 \
  --split-strategy non_iid --alpha 0.5 --min-samples 10 --audit-rate 1 --seed 0 --round-time 3600 --yes --json > created.json
"""
GET = """
parity-client fl watch-session "$SESSION" --timeout 900 --json > watched.json
parity-client fl get-model "$SESSION" -o digits.safetensors --json
"""


class Person:
    """Somebody with a shell, a home folder and a running network."""

    def __init__(self, network: Network, home: Path) -> None:
        self.home = home
        self._environment = {
            **base_environment(),
            **network.environment,
            "HOME": str(home),
            "PATH": f"{VENV_BIN}:{os.environ['PATH']}",
        }

    async def run(self, script: str, **variables: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", script],
            env=self._environment | variables,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


async def first_commitment(network: Network, *, session: str) -> None:
    """Wait until a participant has committed its training of the first round."""
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain, asyncio.timeout(600):

        async def committed() -> list[Event]:
            return await read_events(
                chain,
                "FederatedLearning",
                names=("ContributionCommitted",),
                span=Span(0, await chain.block_number()),
                reference=bytes.fromhex(session.removeprefix("0x")),
            )

        await until(committed)


async def undisturbed(ipfs_api: str, *, session: str, config_cid: str) -> bytes:
    """Play the same session in one process, from its published papers; gives the last model's file."""
    store, files = IpfsStore(ipfs_api), FileStore(ipfs_api)
    config = await read_config(store, cid_to_digest(config_cid))
    assert config.model.type == "neural_network"
    index = PartitionIndex.parse(await store.get(bytes.fromhex(config.partition.index or "")))
    content = await files.fetch(config.dataset.cid, max_bytes=1 << 20)
    whole = load_dataset(content, config.dataset, input_dim=64, classes=10)
    assert index.evaluation is not None
    lists = [
        read_list(await fetch_parts(store, bytes.fromhex(place.parts), max_bytes=1 << 20), samples=len(whole))
        for place in (*index.lists, index.evaluation)
    ]
    *shares, evaluation = [whole.take(rows) for rows in lists]
    places = networks.layout(config.model)
    first = tensors.flatten(networks.initial_state(config.model, seed=config.training.seed), places)
    played = Simulation(config, shares, evaluation, first, name=session).run()
    return tensors.to_safetensors(tensors.unflatten(played.progress.weights, places))


async def test_ten_runners_whose_whole_network_goes_down_in_a_round_end_at_the_undisturbed_bytes(
    tmp_path: Path,
) -> None:
    plan = Plan(state=tmp_path / "network", ports=Ports.free(), runners=RUNNERS, block_time_s=0.6)
    home = tmp_path / "person"
    home.mkdir()
    async with Network.up(plan, Progress(Console(file=StringIO()))) as network:
        person = Person(network, home)
        tutorial = commands("first-federated-session", server=network.endpoints.server)
        await person.run("\n".join([*tutorial[:3], CREATE]))
        created = json.loads((home / "created.json").read_text())
        name = created["sessionId"]
        await first_commitment(network, session=name)
        for number in range(RUNNERS):
            await network.processes[f"runner-{number + 1}"].kill()

    async with Network.up(plan, Progress(Console(file=StringIO()))) as network:
        person = Person(network, home)
        await person.run(GET, SESSION=name)
        expected = await undisturbed(
            network.environment["IPFS_API"], session=name, config_cid=created["configCid"]
        )

    watched = json.loads((home / "watched.json").read_text())
    assert watched["phase"] == "finished"
    assert [one["accepted"] for one in watched["participants"]] == [2] * RUNNERS
    assert watched["model"] == "0x" + hashlib.sha256(expected).hexdigest()
    assert (home / "digits.safetensors").read_bytes() == expected
    assert watched["roundList"][-1]["figures"]["metrics"]["accuracy"] > 0.6
