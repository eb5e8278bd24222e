"""What must be so before anything is started, and what to do when it is not."""

import re
import shutil
import subprocess
from collections.abc import Iterator

from devnet.errors import PreflightFailed
from devnet.paths import IPFS_PYTHON, MODEL, NODE_BIN, VENV_BIN, anvil_binary
from devnet.plan import Plan
from devnet.ports import holder, is_taken

OLDEST_NODE = 20
LEAST_FREE_MIB = 512


def check(plan: Plan, *, own_engine: bool) -> None:
    """Raise PreflightFailed with every obstacle at once, one a line. `own_engine`: the packaged one will be started."""
    obstacles = [
        *missing_parts(),
        *node_obstacles(),
        *disk_obstacles(plan),
        *port_obstacles(plan, own_engine=own_engine),
    ]
    if obstacles:
        raise PreflightFailed("nothing was started:\n" + "\n".join(f"  - {line}" for line in obstacles))


def missing_parts() -> Iterator[str]:
    """Name what `make install` would have put there."""
    try:
        anvil_binary()
    except FileNotFoundError as error:
        yield str(error)
    for what, path in (
        ("IPFS node", IPFS_PYTHON),
        ("model", MODEL),
        ("npm packages", NODE_BIN),
        ("ape", VENV_BIN / "ape"),
    ):
        if not path.exists():
            yield f"the {what} is not installed (no {path}); run `make install`"


def node_obstacles(command: str = "node") -> Iterator[str]:
    """Return what is wrong with Node.js, which runs the Solidity compiler."""
    if shutil.which(command) is None:
        yield f"there is no Node.js on PATH; install version {OLDEST_NODE} or newer"
        return
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    found = re.match(r"v(\d+)", said)
    if found is None or int(found[1]) < OLDEST_NODE:
        yield f"Node.js {said or '(unknown version)'} is too old; install version {OLDEST_NODE} or newer"


def disk_obstacles(plan: Plan, *, least_mib: int = LEAST_FREE_MIB) -> Iterator[str]:
    """Return when the disk that will hold the state is nearly full."""
    folder = next(path for path in (plan.state, *plan.state.parents) if path.exists())
    free_mib = shutil.disk_usage(folder).free // 2**20
    if free_mib < least_mib:
        yield f"only {free_mib} MiB are free at {folder}, and {least_mib} are needed; free some disk"


def port_obstacles(plan: Plan, *, own_engine: bool) -> Iterator[str]:
    """Name each port that is taken, by whom, and the flag that moves it."""
    first = plan.ports.streams
    wanted = [
        *plan.ports.named().items(),
        *(("streams", first + number) for number in range(1, plan.runners)),
    ]
    for name, port in wanted:
        if name == "engine" and not own_engine:
            continue
        if is_taken(port):
            by = holder(port) or "another process"
            yield f"port {port} ({name}) is taken by {by}; stop that, or move ours with --ports {name}={port + 1}"
