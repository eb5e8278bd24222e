"""Runs the real `ape` the way a person does."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

from devnet.anvil import Anvil

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Ape:
    """`ape run` against one chain, with deployments in a folder of the test's own."""

    chain: Anvil
    folder: Path

    async def start(self, script: str, *arguments: str, account: str = "TEST::0") -> Process:
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_ADDRESS")}
        environment["PATH"] = f"{ROOT / '.venv/bin'}:{ROOT / 'node_modules/.bin'}:{environment['PATH']}"
        environment["DEPLOYMENTS_DIR"] = str(self.folder)
        command = ("ape", "run", script, *arguments, "--network", self.chain.url, "--account", account)
        return await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE, stdin=asyncio.subprocess.DEVNULL
        )

    async def run(self, script: str, *arguments: str, account: str = "TEST::0") -> Ran:
        process = await self.start(script, *arguments, account=account)
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())
