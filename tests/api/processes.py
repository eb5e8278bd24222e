"""Servers as processes of their own, as an operator runs them."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from protocol.deployment import Deployment, save_deployment


@dataclass
class Server:
    """A running process and a client for it."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def server_process(folder: Path, deployment: Deployment, **settings: str) -> AsyncIterator[Server]:
    """Run `parity-server server` on a free port until the end of the block; it must then stop cleanly."""
    save_deployment(deployment, folder=folder)
    environment = {**os.environ, "DEPLOYMENTS_DIR": str(folder)} | settings
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api", "server", "--port", "0", stderr=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while True:
            line = (await process.stderr.readline()).decode()
            assert line, "the server ended before it listened"
            if found := re.search(r"http://127\.0\.0\.1:\d+", json.loads(line)["event"]):
                break
    draining = asyncio.ensure_future(process.stderr.read())
    try:
        async with httpx.AsyncClient(base_url=found[0], timeout=30) as client:
            yield Server(process, client)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        draining.cancel()
