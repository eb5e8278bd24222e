"""The how-to on commands, as a person follows it, on the running network: three runners with boxes of their own."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from devnet.paths import ROOT
from runner.errors import SandboxUnavailable
from runner.sandbox.probe import probe
from tests.end_to_end.test_tutorial import commands

pytestmark = pytest.mark.timeout(300)
PASSWORD = "export PARITY_PASSWORD_FILE=~/.parity/password\n"
BLOCKS = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
async def box() -> None:
    try:
        await probe()
    except SandboxUnavailable as error:
        pytest.skip(f"no box here: {error}")


async def test_every_command_of_the_how_to_does_what_it_says(network, shell, tmp_path: Path) -> None:
    wallet = "\n".join(commands("first-prompt", server=network.endpoints.server)[:2])
    first, second = BLOCKS.findall((ROOT / "docs" / "how-to" / "run-commands.md").read_text())
    ran = await asyncio.to_thread(shell, wallet + first)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("hello from nobody\n1\n2\n3\n")
    assert "exited 0; 1 files in hello" in ran.stderr
    settled = json.loads((tmp_path / "hello" / "result.json").read_text())
    seen = await asyncio.to_thread(shell, f"parity-client task get {settled['task']} --json")
    task = json.loads(seen.stdout)["task"]
    assert task["status"] == "final"
    assert [seat["right"] for seat in task["seats"]] == [True, True, True]
    ran = await asyncio.to_thread(shell, PASSWORD + second)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "7\n"
