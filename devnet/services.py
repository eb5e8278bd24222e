"""The network's own processes: how each is started, and how it tells that it is ready.

Keys go by environment, never by argument. The environment is built afresh, so that nothing a person has set for a
real network leaks into this one; the working folder is the state folder, so that no `.env` does either.
"""

import os
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from devnet.accounts import LOCAL
from devnet.plan import Plan
from devnet.ports import LOOPBACK
from devnet.process import Launch, Process
from protocol.deployment import Deployment
from protocol.errors import ParityError
from runner.status import read_status

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
_HEARTBEAT_S = 2
_CHEAP_TALK = {
    "RUNNER_INPUT_PRICE": "0.00001",
    "RUNNER_OUTPUT_PRICE": "0.00002",
    "RUNNER_MIN_REWARD": "0.00001",
    "RUNNER_LEARNING": "false",
}
"""Who does no work can ask a tenth of the usual for it, and what it earns is to be known from what honest work earns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the parts of a running network are."""

    chain: str
    ipfs: str
    engine: str
    server: str
    indexer: str
    database: str

    def environment(self, plan: Plan, deployment: Deployment) -> dict[str, str]:
        """Return the settings that lead any Parity command to this network."""
        return {
            "FILECOIN_RPC": self.chain,
            "FILECOIN_CHAIN_ID": str(deployment.chain_id),
            "DEPLOYMENTS_DIR": str(plan.deployments),
            "IPFS_API": self.ipfs,
            "OLLAMA_URL": self.engine,
            "SERVER_URL": self.server,
            "DATABASE_URL": self.database,
        }


def base_environment() -> dict[str, str]:
    """Return what a child keeps of this process's environment."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def indexer(plan: Plan, shared: Mapping[str, str]) -> Launch:
    """Start `parity-indexer run`."""
    own = {"INDEXER_PORT": str(plan.ports.indexer)}
    return _python(plan, "indexer", "indexer", "run", {**shared, **own})


def server(plan: Plan, shared: Mapping[str, str]) -> Launch:
    """Start `parity-server server`, which pays the gas of relayed orders from the local relayer account."""
    own = {
        "SERVER_HOST": LOOPBACK,
        "SERVER_PORT": str(plan.ports.server),
        "RELAYER_PRIVATE_KEY": LOCAL.relayer.key.hex(),
        "WEBHOOK_ALLOW_PRIVATE": "true",
    }
    return _python(plan, "server", "api", "server", {**shared, **own})


def runner(plan: Plan, shared: Mapping[str, str], number: int) -> Launch:
    """Start `parity-runner runner` for local runner `number`, counted from 0, or one that behaves as the plan says."""
    own = {
        "RUNNER_HOME": str(runner_home(plan, number)),
        "RUNNER_LABEL": runner_name(number),
        "RUNNER_PRIVATE_KEY": LOCAL.node(number).key.hex(),
        "RUNNER_PORT": str(plan.ports.streams + number),
        "RUNNER_HEARTBEAT_INTERVAL_S": str(_HEARTBEAT_S),
        "RUNNER_COMPARED_PROMPTS": "true",  # all of devnet's runners ask one engine
        "RUNNER_COMMANDS": "true",  # where no box can be had, a runner says so and goes on
    }
    conduct = plan.conducts.get(number)
    own |= _CHEAP_TALK if conduct is not None and conduct.is_cheating else {}
    module, command = ("runner", "runner") if conduct is None else ("devnet.cheats", conduct.value)
    return _python(plan, runner_name(number), module, command, {**shared, **own})


def runner_name(number: int) -> str:
    """Return what local runner `number`, counted from 0, is called: runner-1 is the first."""
    return f"runner-{number + 1}"


def runner_number(name: str) -> int:
    """Return the number, counted from 0, of the local runner of this name."""
    return int(name.removeprefix("runner-")) - 1


def runner_home(plan: Plan, number: int) -> Path:
    """Return the folder of a runner's journal."""
    return plan.state / "runners" / runner_name(number)


async def answers_ok(url: str) -> bool:
    """Return whether a GET of `url` succeeds."""
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(url, timeout=2)).is_success
    except httpx.TransportError:
        return False


async def runner_is_ready(process: Process, home: Path, *, chain_id: int) -> bool:
    """Return whether a runner's daemon has seen the chain and offers a model."""
    try:
        beat = read_status(home, chain_id=chain_id).heartbeat
    except (ParityError, sqlite3.OperationalError):
        return False  # no journal yet, or one in the making
    ours = beat is not None and beat["pid"] == process.pid
    return ours and beat is not None and beat["head_block"] >= 0 and bool(beat["models"])


def _python(plan: Plan, name: str, package: str, command: str, env: Mapping[str, str]) -> Launch:
    return Launch(
        name=name,
        argv=[sys.executable, "-m", package, command],
        log=plan.log(name),
        env={**base_environment(), **env},
        cwd=plan.state,
    )
