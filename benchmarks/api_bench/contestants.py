"""The two servers, each one process on this machine over the same database."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.deployment import Deployment, save_deployment

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).parent / "postgraphile"
_UP_S = 120


@dataclass(frozen=True, slots=True)
class Contestant:
    """A running server: where its GraphQL is, and its process."""

    url: str
    pid: int

    def processor_s(self) -> float:
        """Return the seconds of processor time that the process has used; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


RELATIONS = """
COMMENT ON TABLE task_seats IS E'@foreignKey (task_id) references tasks (task_id)\\n@foreignKey (node) references runners (node)';
COMMENT ON TABLE task_events IS E'@primaryKey task_id,block_number,tx_index,log_index\\n@foreignKey (task_id) references tasks (task_id)';
COMMENT ON TABLE runners IS E'@foreignKey (owner) references balances (account)';
COMMENT ON TABLE runner_reputation IS E'@foreignKey (node) references runners (node)';
COMMENT ON TABLE reputation_events IS E'@primaryKey node,block_number,tx_index,log_index\\n@foreignKey (node) references runners (node)';
COMMENT ON TABLE fl_rounds IS E'@foreignKey (session_id) references federated_learning_sessions (session_id)\\n@foreignKey (manifest) references documents (digest)';
COMMENT ON TABLE fl_participants IS E'@foreignKey (session_id) references federated_learning_sessions (session_id)\\n@foreignKey (node) references runners (node)';
COMMENT ON VIEW documents IS E'@primaryKey digest';
COMMENT ON VIEW prompt_requests IS E'@primaryKey task_id\\n@foreignKey (task_id) references tasks (task_id)';
COMMENT ON VIEW model_capabilities IS E'@foreignKey (node) references runners (node)';
"""
"""What PostGraphile must be told of the tables to walk them as our schema does."""


def install_peer() -> Path:
    """Install PostGraphile and the Node.js that it needs from their lock; gives the folder."""
    folder = ROOT / ".parity" / "postgraphile"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "graphile.config.mjs"):
        (folder / name).write_bytes((PEER / name).read_bytes())
    stamp = folder / "installed.json"
    lock = (PEER / "package-lock.json").read_bytes()
    if not stamp.exists() or stamp.read_bytes() != lock:
        subprocess.run(["npm", "ci", "--silent", "--no-fund", "--no-audit"], cwd=folder, check=True)
        stamp.write_bytes(lock)
    return folder


@asynccontextmanager
async def ours(database_url: str, folder: Path) -> AsyncIterator[Contestant]:
    """Run `parity-server`."""
    known = {"chain_id", "version", "genesis_hash", "start_block", "params_id", "local"}
    places = [name for name in Deployment.model_fields if name not in known]
    addresses: dict[str, Any] = {name: f"0x{number:040x}" for number, name in enumerate(places, 1)}
    nowhere = Deployment(
        chain_id=31337,
        version="1",
        genesis_hash="0x" + "00" * 32,
        start_block=0,
        params_id=1,
        local=True,
        **addresses,
    )
    save_deployment(nowhere, folder=folder)
    port = _free_port()
    settings = {
        "DATABASE_URL": database_url,
        "DEPLOYMENTS_DIR": str(folder),
        "FILECOIN_RPC": "http://127.0.0.1:9",
        "RATE_LIMIT": "0",
        "SERVER_PORT": str(port),
    }
    argv = [sys.executable, "-m", "api", "server", "--log-level", "warning"]
    async with _running(argv, settings, cwd=ROOT, port=port) as pid:
        yield Contestant(f"http://127.0.0.1:{port}/graphql", pid)


@asynccontextmanager
async def postgraphile(database_url: str, folder: Path) -> AsyncIterator[Contestant]:
    """Run PostGraphile with its recommended preset for production."""
    port = _free_port()
    node = folder / "node_modules" / ".bin" / "node"
    cli = folder / "node_modules" / "postgraphile" / "dist" / "cli-run.js"
    argv = [str(node), str(cli), "-n", "127.0.0.1", "-p", str(port)]
    settings = {"DATABASE_URL": database_url, "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    async with _running(argv, settings, cwd=folder, port=port) as pid:
        yield Contestant(f"http://127.0.0.1:{port}/graphql", pid)


@asynccontextmanager
async def _running(argv: list[str], settings: dict[str, str], *, cwd: Path, port: int) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *argv, env={**os.environ, **settings}, cwd=cwd, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_UP_S):
            while not await _answers(port):
                if process.returncode is not None:
                    raise RuntimeError(f"{argv[:3]} ended with {process.returncode}")
                await asyncio.sleep(0.2)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
