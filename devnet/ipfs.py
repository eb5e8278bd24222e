"""An IPFS node on this machine: py-ipfs-lite in its own environment, serving Kubo's HTTP API on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from devnet.paths import IPFS_PYTHON, make_folder
from devnet.ports import LOOPBACK, free_port
from devnet.process import Launch, Process

# The package's own command listens for peers on every interface. This node is for this machine only.
_DAEMON = f"""
import libp2p.utils.address_validation as addresses
from multiaddr import Multiaddr
addresses.get_available_interfaces = lambda port, **_: [Multiaddr(f"/ip4/{LOOPBACK}/tcp/{{port}}")]
from py_ipfs_lite.cli import main
main()
"""


@dataclass(frozen=True, slots=True)
class IpfsNode:
    """A running node. `api` is the multiaddr that IPFS_API takes."""

    process: Process
    port: int

    @property
    def api(self) -> str:
        return f"/ip4/{LOOPBACK}/tcp/{self.port}/http"

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @staticmethod
    @asynccontextmanager
    async def start(*, folder: Path, port: int = 0, log: Path | None = None) -> AsyncIterator["IpfsNode"]:
        """Run a node with its blocks in `folder` until the block is left; `port` 0 takes a free one.

        Raises ProcessFailed when it does not come up.
        """
        port = port or free_port()
        make_folder(folder)
        argv = [
            *(str(IPFS_PYTHON), "-c", _DAEMON),
            *("daemon", "--offline", "--no-ipni", "--port", "0"),
            *("--blockstore-type", "filesystem", "--blockstore-path", str(folder / "blocks")),
            *("--api", "--api-host", LOOPBACK, "--api-port", str(port)),
        ]
        launch = Launch(name="ipfs", argv=argv, log=log or folder / "ipfs.log", cwd=folder)
        process = await Process.start(launch)
        try:
            node = IpfsNode(process, port)
            await process.ready(node.answers)
            yield node
        finally:
            await process.stop(grace_s=5)

    async def answers(self) -> bool:
        """Return whether the node serves its API."""
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.post(f"{self.url}/api/v0/version", timeout=2)
        except httpx.TransportError:
            return False
        return answer.is_success
