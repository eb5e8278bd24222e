"""Runs the real `ape` the way a person does."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Ape:
    """`ape run` against one chain (or what else --network takes), with deployments in a folder of the test's own."""

    url: str
    folder: Path

    async def start(self, script: str, *arguments: str, account: str | None = "TEST::0") -> Process:
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_ADDRESS")}
        environment["PATH"] = f"{ROOT / '.venv/bin'}:{ROOT / 'node_modules/.bin'}:{environment['PATH']}"
        environment["DEPLOYMENTS_DIR"] = str(self.folder)
        signer = ("--account", account) if account else ()
        command = ("ape", "run", script, *arguments, "--network", self.url, *signer)
        return await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE, stdin=asyncio.subprocess.DEVNULL
        )

    async def run(self, script: str, *arguments: str, account: str | None = "TEST::0") -> Ran:
        process = await self.start(script, *arguments, account=account)
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def skip(self, seconds: int) -> None:
        """Lets time pass on the chain."""
        await self.rpc("evm_increaseTime", seconds)
        await self.rpc("evm_mine")

    async def rpc(self, method: str, *params: object) -> Any:
        """Calls the node itself."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with httpx.AsyncClient() as client:
            answer = (await client.post(self.url, json=request)).json()
        return answer["result"]
