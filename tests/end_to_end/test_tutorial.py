"""The first tutorial's commands, run as they are written."""

import asyncio
import json
import re

import pytest

from devnet.paths import ROOT

pytestmark = pytest.mark.timeout(300)
TUTORIAL = ROOT / "docs" / "tutorials" / "first-prompt.md"
# What the test's network and shell stand in for.
ELSEWHERE = ("make up", "source .venv/bin/activate")


def commands(server: str) -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```", TUTORIAL.read_text(), flags=re.DOTALL | re.MULTILINE)
    kept = [block for block in blocks if block.strip() not in ELSEWHERE]
    return [block.replace("http://127.0.0.1:8080", server) for block in kept]


async def test_every_command_of_the_tutorial_works_as_written(network, shell):
    blocks = commands(network.endpoints.server)
    assert len(blocks) >= 6
    done = await asyncio.to_thread(shell, "\n".join(blocks))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.count("Paris") >= 2
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert {task["status"].lower() for task in seen["data"]["tasks"]["nodes"]} == {"final"}
