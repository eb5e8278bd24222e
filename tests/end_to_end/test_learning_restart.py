"""Ten runners as real processes, and a whole network that goes down in the middle of a round."""

import hashlib
import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from devnet.network import Network
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from tests.end_to_end.learning_session import Person, seen, undisturbed
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
        await seen(network, "ContributionCommitted", session=name)
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
