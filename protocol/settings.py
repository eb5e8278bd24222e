"""Settings that several processes share, read from the environment and `.env`. A wrong one is named."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from protocol.address import Address
from protocol.deployment import Deployment, load_deployment
from protocol.errors import ConfigError

S = TypeVar("S", bound=BaseSettings)


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("expected a URL that starts with http:// or https://")
    return value.rstrip("/")


def _multiaddr(value: str) -> str:
    parts = value.split("/")
    if (
        len(parts) < 5
        or parts[0]
        or parts[1] not in {"ip4", "ip6", "dns", "dns4", "dns6"}
        or parts[3] != "tcp"
    ):
        raise ValueError("expected a multiaddress such as /ip4/127.0.0.1/tcp/5001/http")
    return value


def _postgres_url(value: str) -> str:
    if not value.startswith(("postgres://", "postgresql://")):
        raise ValueError("expected postgres://user:password@host:port/database")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Multiaddr = Annotated[str, AfterValidator(_multiaddr)]
PostgresUrl = Annotated[str, AfterValidator(_postgres_url)]

CONFIG = SettingsConfigDict(
    env_file=".env",
    env_file_encoding="utf-8",
    extra="ignore",
    frozen=True,
    env_ignore_empty=True,
    validate_default=True,
)
"""How every process's settings are read: environment over `.env`, empty means unset, unknown names are others'."""


class ChainSettings(BaseSettings):
    """Which chain, and where its contracts are. Addresses normally come from the deployment file."""

    model_config = CONFIG

    filecoin_rpc: HttpUrl = Field("http://127.0.0.1:8545", description="RPC endpoint of the chain")
    filecoin_chain_id: int = Field(
        31337, ge=1, description="chain id: 31337 local, 314159 Filecoin Calibration"
    )
    deployments_dir: Path = Field(
        Path("deployments"), description="folder of <chain id>.json deployment files"
    )
    usdfc_token_address: Address | None = Field(None, description="USDFC token, instead of the deployment's")
    reputation_contract_address: Address | None = Field(
        None, description="RunnerReputation, instead of the deployment's"
    )
    stake_wallet_address: Address | None = Field(None, description="StakeWallet, instead of the deployment's")
    task_escrow_address: Address | None = Field(None, description="TaskEscrow, instead of the deployment's")

    def deployment(self) -> Deployment:
        """Read the chain's deployment, with the addresses that are set put over it; `ConfigError`."""
        found = load_deployment(self.filecoin_chain_id, folder=self.deployments_dir)
        overrides = {
            "usdfc": self.usdfc_token_address,
            "runner_reputation": self.reputation_contract_address,
            "stake_wallet": self.stake_wallet_address,
            "task_escrow": self.task_escrow_address,
        }
        return found.model_copy(update={name: address for name, address in overrides.items() if address})


class IpfsSettings(BaseSettings):
    """Which IPFS node."""

    model_config = CONFIG

    ipfs_api: Multiaddr = Field(
        "/ip4/127.0.0.1/tcp/5001/http", description="RPC of the IPFS node, as a multiaddress"
    )
    ipfs_timeout_s: float = Field(20.0, gt=0, description="seconds that the IPFS node has to find something")


def load(settings: type[S]) -> S:
    """Read a settings class; `ConfigError` names every variable that is wrong and what was expected."""
    try:
        return settings()
    except ValidationError as error:
        complaints = [_complaint(settings, dict(item)) for item in error.errors(include_url=False)]
        raise ConfigError(
            "; ".join(complaints),
            hint="Correct it in the environment or in .env; .env.sample lists every variable.",
        ) from None


def _complaint(settings: type[BaseSettings], item: dict[str, object]) -> str:
    location = item["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else "settings"
    field = settings.model_fields.get(name)
    about = f" ({field.description})" if field and field.description else ""
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "missing":
        return f"{name.upper()}{about} is not set"
    # The value itself is not repeated: a variable may hold a password, as DATABASE_URL does.
    return f"{name.upper()}{about}: {message[0].lower()}{message[1:]}"
