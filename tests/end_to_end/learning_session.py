"""What tests of learning sessions on a whole network share: a person with a shell, and the session as it is undisturbed."""

import asyncio
import os
import subprocess
from pathlib import Path

from client.federated.reading import read_config
from client.logs import Event, Span, read_events
from devnet.faults.waiting import until
from devnet.network import Network
from devnet.paths import VENV_BIN
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


async def seen(network: Network, event: str, *, session: str) -> list[Event]:
    """Wait until a session has events of this name, and give them."""
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain, asyncio.timeout(600):

        async def found() -> list[Event]:
            return await read_events(
                chain,
                "FederatedLearning",
                names=(event,),
                span=Span(0, await chain.block_number()),
                reference=bytes.fromhex(session.removeprefix("0x")),
            )

        return await until(found)


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
