"""Putting the contracts on a local chain, with the same script that any other chain gets."""

import asyncio
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from devnet.errors import PreflightFailed
from devnet.paths import CACHE, NODE_BIN, ROOT, VENV_BIN, make_folder
from devnet.plan import Plan
from devnet.process import Launch, Process
from devnet.seed import seed
from devnet.services import base_environment
from protocol.chain import Chain
from protocol.deployment import Deployment, load_deployment, save_deployment
from protocol.errors import ConfigError, WrongChain

CHAIN_ID: Final = 31337
_MARK: Final = "contracts.sha256"
SEEDED_RUNNERS: Final = 3
_CONTRACTS: Final = ("contracts/**/*.sol", "package-lock.json")
_EVERYTHING: Final = (
    *_CONTRACTS,
    "scripts/*.py",
    "ape-config.yaml",
    "devnet/seed.py",
    "devnet/deploy.py",
    "devnet/accounts.py",
    "protocol/deployment.py",
)


class DeployedState(NamedTuple):
    """A chain to load: contracts deployed, accounts funded, three runners staked and registered."""

    state: Path
    deployment: Deployment


async def deploy_unless_there(plan: Plan, rpc_url: str) -> Deployment:
    """Return the deployment of the chain at `rpc_url`, made now if it has none.

    Raises ProcessFailed when the script fails, and PreflightFailed when the chain holds older contracts than the
    checkout.
    """
    mark = plan.state / _MARK
    current = fingerprint(_CONTRACTS)
    there = await _deployment_there(plan.deployments, rpc_url)
    if there is None:
        await _run_deploy(rpc_url, deployments=plan.deployments, log=plan.log("deploy"))
        mark.write_text(current)
        return load_deployment(CHAIN_ID, folder=plan.deployments)
    if not mark.exists() or mark.read_text() != current:
        raise PreflightFailed(
            f"the chain kept in {plan.state} holds other contracts than this checkout",
            hint="Start afresh with `parity-devnet --reset` (or `make down`, then `make up`).",
        )
    return there


async def deployed_state() -> DeployedState:
    """Return a chain state with the contracts deployed and the local accounts seeded, made once and cached.

    The cache knows the contracts, the scripts and what seeds by their content. Raises ProcessFailed when the deploy
    script fails.
    """
    folder = CACHE / f"deployed-{fingerprint(_EVERYTHING)[:16]}"
    await asyncio.to_thread(make_folder, CACHE)
    async with _one_at_a_time(CACHE / "deploy.lock"):
        if not folder.exists():
            await _make_state(folder)
    return DeployedState(folder / "chain.json", load_deployment(CHAIN_ID, folder=folder))


async def begin_deployed(plan: Plan) -> None:
    """Fill the empty folder of a network to come with the cached state, so that it starts deployed. ProcessFailed as above."""
    made = await deployed_state()
    plan.state.mkdir(parents=True, exist_ok=True)
    shutil.copy(made.state, plan.state / "chain.json")
    save_deployment(made.deployment, folder=plan.deployments)
    (plan.state / _MARK).write_text(fingerprint(_CONTRACTS))


def fingerprint(patterns: tuple[str, ...]) -> str:
    """Return the SHA-256, in hex, over the names and the content of the checkout's files that match."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


async def _deployment_there(folder: Path, rpc_url: str) -> Deployment | None:
    try:
        deployment = load_deployment(CHAIN_ID, folder=folder)
        async with Chain.connect(rpc_url, deployment):
            return deployment
    except (ConfigError, WrongChain):
        return None


async def _make_state(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="deploying-") as scratch:
        made = Path(scratch) / "made"
        async with Anvil.start(chain_id=CHAIN_ID, dump_state=made / "chain.json") as anvil:
            await _run_deploy(anvil.url, deployments=make_folder(made), log=made / "deploy.log")
            async with Chain.connect(anvil.url, load_deployment(CHAIN_ID, folder=made)) as chain:
                await seed(chain, runners=SEEDED_RUNNERS)
        shutil.move(made, folder)


async def _run_deploy(rpc_url: str, *, deployments: Path, log: Path) -> None:
    argv = [
        *(str(VENV_BIN / "ape"), "run", "deploy"),
        *("--network", f"{rpc_url}"),
        *("--account", "TEST::0"),
        *("--treasury", LOCAL.treasury.address),
        *("--guardian", LOCAL.guardian.address),
    ]
    env = base_environment()
    env["PATH"] = f"{VENV_BIN}:{NODE_BIN}:{env.get('PATH', '')}"
    env["DEPLOYMENTS_DIR"] = str(deployments)
    process = await Process.start(Launch(name="deploy", argv=argv, log=log, env=env, cwd=ROOT))
    try:
        if await process.wait():
            raise process.failed(f"ended with status {process.returncode}")
    finally:
        await process.stop()


@asynccontextmanager
async def _one_at_a_time(lock: Path) -> AsyncIterator[None]:
    with lock.open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    asyncio.run(deployed_state())
