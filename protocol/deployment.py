"""Where the contracts of a chain are: `deployments/<chain id>.json`, written by the deploy script, read by everyone."""

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocol.address import Address
from protocol.errors import ConfigError


class Deployment(BaseModel):
    """One deployment. Addresses are checksummed; `start_block` is the first block with any of its events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chain_id: Annotated[int, Field(ge=1)]
    version: str
    genesis_hash: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
    start_block: Annotated[int, Field(ge=0)]
    usdfc: Address
    stake_wallet: Address
    runner_reputation: Address
    task_escrow: Address
    session_charter: Address
    federated_learning: Address
    peer_monitoring: Address
    audit_court: Address
    beacon: Address
    access_manager: Address
    parity_token: Address
    governor: Address
    timelock: Address
    treasury: Address
    guardian: Address
    params_id: Annotated[int, Field(ge=1)]
    local: bool


def load_deployment(chain_id: int, *, folder: str | Path = "deployments") -> Deployment:
    """Read `<folder>/<chain id>.json`; `ConfigError` says what is missing or wrong in it."""
    path = Path(folder) / f"{chain_id}.json"
    if not path.exists():
        raise ConfigError(
            f"{path}: no deployment for chain {chain_id}",
            hint="Deploy with `ape run deploy`, start `make up`, or set DEPLOYMENTS_DIR to where the file is.",
        )
    deployment = read_deployment(path)
    if deployment.chain_id != chain_id:
        raise ConfigError(
            f"{path}: holds chain {deployment.chain_id}, not {chain_id}",
            hint="Restore the file under its own name.",
        )
    return deployment


def read_deployment(path: str | Path) -> Deployment:
    """Read a deployment file of any name; `ConfigError` says what is wrong in it."""
    try:
        return Deployment.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error})", hint="Check the file and its permissions."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(
            f"{path}: {field}: {first['msg']}", hint="Write it again with `ape run deploy`."
        ) from error


def save_deployment(deployment: Deployment, *, folder: str | Path = "deployments") -> Path:
    """Write `<folder>/<chain id>.json` in one step: readers see the old file or the whole new one."""
    path = Path(folder) / f"{deployment.chain_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(deployment.model_dump(), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
