"""The tutorials' commands, run as they are written."""

import asyncio
import json
import re

import pytest

from devnet.paths import ROOT
from devnet.ports import free_port

pytestmark = pytest.mark.timeout(300)
TUTORIALS = ROOT / "docs" / "tutorials"
# What the test's network and shell stand in for.
ELSEWHERE = ("make up", "source .venv/bin/activate")


def commands(name: str, *, server: str) -> list[str]:
    text = (TUTORIALS / f"{name}.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    kept = [block for block in blocks if block.strip() not in ELSEWHERE]
    return [block.replace("http://127.0.0.1:8080", server) for block in kept]


async def test_every_command_of_the_tutorial_works_as_written(network, shell):
    blocks = commands("first-prompt", server=network.endpoints.server)
    assert len(blocks) >= 6
    done = await asyncio.to_thread(shell, "\n".join(blocks))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.count("Paris") >= 2
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert {task["status"].lower() for task in seen["data"]["tasks"]["nodes"]} == {"final"}


async def test_the_gateway_answers_as_its_tutorial_says(network, shell):
    server = network.endpoints.server
    wallet_and_deposit = commands("first-prompt", server=server)[:2]
    gateway = commands("openai-gateway", server=server)
    assert len(gateway) == 4
    script = "\n".join(wallet_and_deposit + gateway).replace("8900", str(free_port()))
    done = await asyncio.to_thread(shell, script)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.count("Paris") >= 2
    assert "run again after block" in done.stdout


RUNNER = """
parity-runner runner >runner.log 2>&1 &
runner=$!
until parity-runner status 2>/dev/null | grep -q '^engine   ready'; do kill -0 $runner; sleep 0.5; done
"""


async def test_a_newcomers_runner_earns_its_first_reward_and_leaves(network, shell):
    blocks = commands("run-a-runner", server=network.endpoints.server)
    assert len(blocks) == 9
    script = (
        "\n".join(blocks).replace("parity-runner runner\n", RUNNER).replace("source .venv/bin/activate\n", "")
    )
    done = await asyncio.to_thread(shell, f"{script}\nwait $runner\nparity-client balance --json")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Paris" in done.stdout
    assert "is retired" in done.stdout, "the network is shared with the other tests"
    balance = json.loads(done.stdout[done.stdout.rindex("\n{\n") :])
    assert int(balance["free"]) > 0, "the owner had staked all that was free"
