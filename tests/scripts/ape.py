"""Runs the real `ape` the way a person does, but forked from a process that has imported it: that takes three seconds."""

import asyncio
import multiprocessing
import os
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
_CONSOLE_SCRIPT = Path(__file__).with_name("console_script.py")
_FORKED = multiprocessing.get_context("forkserver")
# Libraries alone: what names ape's `project` would remember the contracts as they were compiled then, perhaps not at all.
_FORKED.set_forkserver_preload(
    [
        "ape._cli",
        "ape.contracts.base",
        "ape.managers.chain",
        "ape_accounts.accounts",
        "ape_ethereum.provider",
        "ape_foundry.provider",
        "ape_node.provider",
        "ape_run._cli",
        "ape_test.provider",
    ]
)


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
        """Starts it as a process of its own, for whoever kills it."""
        command = self._command(script, *arguments, account=account)
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=self._environment(),
            stdout=PIPE,
            stderr=PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )

    async def run(self, script: str, *arguments: str, account: str | None = "TEST::0") -> Ran:
        """Runs it to its end."""
        command = self._command(script, *arguments, account=account)
        with TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            given = {"COMMAND": command, "ENVIRONMENT": self._environment(), "OUT": out, "ERR": err}
            process = _FORKED.Process(target=run_path, args=(str(_CONSOLE_SCRIPT), given, "__main__"))
            process.start()
            await asyncio.to_thread(process.join)
            return Ran(
                process.exitcode or 0, *(await asyncio.to_thread(lambda: [f.read_text() for f in (out, err)]))
            )

    def _command(self, script: str, *arguments: str, account: str | None) -> list[str]:
        signer = ("--account", account) if account else ()
        return ["ape", "run", script, *arguments, "--network", self.url, *signer]

    def _environment(self) -> dict[str, str]:
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_ADDRESS")}
        environment["PATH"] = f"{ROOT / '.venv/bin'}:{ROOT / 'node_modules/.bin'}:{environment['PATH']}"
        environment["DEPLOYMENTS_DIR"] = str(self.folder)
        return environment

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
