"""The engine as a child process."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from devnet.engine.requests import PACKAGED_MARK
from devnet.ports import LOOPBACK, free_port
from devnet.process import Launch, Process


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine. `url` is what OLLAMA_URL takes."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @staticmethod
    @asynccontextmanager
    async def start(*, log: Path, port: int = 0, threads: int = 1) -> AsyncIterator["Engine"]:
        """Run an engine until the block is left; `port` 0 takes a free one.

        One thread computes the packaged model nearly as fast as two, which wait for each other wherever the machine
        has anything else to do.

        Raises ProcessFailed when it does not come up.
        """
        port = port or free_port()
        argv = [sys.executable, "-m", "devnet.engine", "--port", str(port), "--threads", str(threads)]
        process = await Process.start(Launch(name="engine", argv=argv, log=log))
        try:
            await process.ready(lambda: answers(f"http://{LOOPBACK}:{port}"), timeout_s=60)
            yield Engine(process, port)
        finally:
            await process.stop(grace_s=5)


async def answers(url: str) -> bool:
    """Return whether an engine, this one or a real Ollama, serves at `url`."""
    return bool(await _version(url))


async def is_ollama(url: str) -> bool:
    """Return whether a real Ollama serves at `url`, not this engine of some other local network."""
    said = await _version(url)
    return bool(said) and PACKAGED_MARK not in said


async def _version(url: str) -> dict[str, object]:
    try:
        async with httpx.AsyncClient() as client:
            said = (await client.get(f"{url}/api/version", timeout=2)).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return {}
    return said if isinstance(said, dict) and "version" in said else {}
