"""What an owner sets: `parity-runner`'s environment variables."""

from pathlib import Path
from typing import Annotated

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from protocol.address import Address
from protocol.errors import ConfigError, InputError
from protocol.keystore import load_account, parse_private_key, refuse_development_key
from protocol.money import parse_usdfc
from protocol.settings import ChainSettings, HttpUrl, IpfsSettings

HOME = Path("~/.parity/runner")


def _usdfc(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_usdfc(value)
    except InputError as error:
        raise ValueError(f"expected an amount of USDFC such as 0.001 ({error.hint})") from None


def _files(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [item.strip().partition("=") for item in value.split(",") if item.strip()]
    if not all(whose and path for whose, _, path in pairs):
        raise ValueError("expected <session id or creator's address>=<file>, separated by commas")
    return {whose.strip().lower(): Path(path.strip()).expanduser() for whose, _, path in pairs}


def _items(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(item.strip() for item in value.split(",") if item.strip())


Usdfc = Annotated[int, BeforeValidator(_usdfc), Field(ge=0)]
Files = Annotated[dict[str, Path], NoDecode, BeforeValidator(_files)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_items)]
Addresses = Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_items)]


class RunnerSettings(ChainSettings, IpfsSettings):
    """Settings of `parity-runner`, read from the environment and `.env`. Amounts are kept as USDFC base units."""

    ollama_url: HttpUrl = Field("http://127.0.0.1:11434", description="model engine that speaks Ollama's API")
    server_url: HttpUrl | None = Field(
        None, description="API server to send heartbeats to; without it, none are sent"
    )
    webhook_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="loopback port for metrics, health checks and hints from an API server's webhooks; 0 turns it off",
    )
    webhook_secret_file: Path | None = Field(
        None, description="file with the webhook's secret, in hex; without it, hints are refused"
    )
    runner_keystore: Path = Field(HOME / "node.json", description="encrypted key file of the node key")
    runner_password_file: Path | None = Field(None, description="file with the key file's password")
    runner_private_key: SecretStr | None = Field(
        None, description="the node key itself instead of a key file, for local chains and secret stores"
    )
    runner_home: Path = Field(
        HOME, description="folder of the journal; keep it, because it holds results that are not revealed yet"
    )
    runner_label: Annotated[str, Field(min_length=1, max_length=32)] = Field(
        "runner", description="name of this device in the runner's profile"
    )
    runner_host: str = Field(
        "127.0.0.1",
        description="address to serve chats on; put a TLS proxy in front before making it public",
    )
    runner_port: int = Field(0, ge=0, le=65535, description="port to serve chats on; 0 turns it off")
    runner_url: HttpUrl | None = Field(
        None, description="URL at which clients reach that port; without it, only this machine can"
    )
    runner_receive_timeout_s: float = Field(
        15.0,
        gt=0,
        description="seconds within which a chat request's headers, and then its body, must arrive",
    )
    runner_send_timeout_s: float = Field(
        20.0, gt=0, description="seconds that a client may leave its answer unread before it is disconnected"
    )
    runner_connections: int = Field(
        0,
        ge=0,
        description="most open connections on RUNNER_PORT; 0: what all prompts in work and in the queue need, at least 256",
    )
    runner_connections_per_address: int = Field(
        64,
        ge=0,
        description="most of these from one IP address, other than this machine's own; 0 for no limit, as behind a proxy"
        " on another machine",
    )
    runner_redeem_at: Usdfc = Field(  # type: ignore[assignment]  # as a person writes it; validated
        "0.05", description="USDFC of vouchers in one channel from which redeeming is worth a transaction"
    )
    runner_redeem_interval_s: float = Field(
        30.0, gt=0, description="seconds between checks of the channels; must be far below any close delay"
    )
    runner_slots: int = Field(
        1, ge=1, le=4096, description="prompts answered at a time, as many as the engine handles in parallel"
    )
    runner_models: Names = Field(
        (), description="models to offer, separated by commas; empty: all that the engine has"
    )
    runner_input_price: Usdfc = Field(  # type: ignore[assignment]  # as a person writes it; validated
        "0.0001", description="price in USDFC per 1,000 input tokens"
    )
    runner_output_price: Usdfc = Field(  # type: ignore[assignment]  # as a person writes it; validated
        "0.0002", description="price in USDFC per 1,000 output tokens"
    )
    runner_compared_prompts: bool = Field(
        False,
        description="accept prompts with several replicas, whose answers are compared byte for byte; an honest runner"
        " whose engine rounds differently from the others is outvoted and slashed",
    )
    runner_min_reward: Usdfc = Field(  # type: ignore[assignment]  # as a person writes it; validated
        "0.0001", description="lowest USDFC that a seat must be able to earn"
    )
    runner_allow_creators: Addresses = Field(
        (), description="addresses to work for, separated by commas; empty: everyone"
    )
    runner_deny_creators: Addresses = Field((), description="addresses not to work for, separated by commas")
    runner_tokens_per_s: float = Field(
        10.0,
        gt=0,
        description="slowest generation to expect, in tokens per second; orders that would take too long are refused",
    )
    runner_engine_patience_s: float = Field(
        60.0,
        ge=0,
        description="seconds after which a runner whose engine has no models offers its other work",
    )
    runner_monitoring: bool = Field(
        True,
        description="monitor the runners that the beacon assigns, and report on them; a runner that does not loses score",
    )
    runner_auditing: bool = Field(
        True, description="audit other runners' answers for a wage, when the lottery admits this runner"
    )
    runner_commands: bool = Field(
        False,
        description="run strangers' commands in a sandbox, which is tested at the start (see `parity-runner doctor`)",
    )
    runner_command_images: bool = Field(True, description="accept commands that bring their own image")
    runner_command_price: Usdfc = Field(  # type: ignore[assignment]  # as a person writes it; validated
        "0.00005", description="price in USDFC per second of a command's time limit"
    )
    runner_command_cpus: float = Field(1.0, gt=0, le=4096, description="processors for each command")
    runner_command_memory_mib: int = Field(
        512, ge=16, le=65_536, description="most memory that a command may request, in MiB"
    )
    runner_command_disk_mib: int = Field(
        64,
        ge=1,
        le=512,
        description="most space in /out, and in /tmp, that a command may request, in MiB of memory",
    )
    runner_command_processes: int = Field(
        128, ge=1, le=4_096, description="most processes that a command may request"
    )
    runner_command_wall_s: int = Field(
        120, ge=1, le=86_400, description="longest time limit that a command may request, in seconds"
    )
    runner_command_content_mib: int = Field(
        256, ge=1, le=65_536, description="most MiB of image and inputs to fetch for one command"
    )
    runner_cgroup: Path | None = Field(
        None, description="control group (version 2) for the runner's own use, if it is not started in one"
    )
    runner_learning: bool = Field(
        True, description="take part in learning sessions and aggregate them, for pay"
    )
    runner_learning_sessions: int = Field(
        2, ge=1, le=64, description="most learning sessions to take part in at a time"
    )
    runner_ray_address: str | None = Field(
        None,
        description="the owner's Ray cluster for training and aggregation, host:port or ray://host:port; without it, this machine is used",
    )
    runner_private_data: Files = Field(
        default_factory=dict,
        description="your own data to train on: <session id or creator's address>=<file>, separated by commas",
    )
    runner_heartbeat_interval_s: float = Field(
        30.0, gt=0, description="seconds between status lines in the log"
    )
    runner_log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )

    @property
    def home(self) -> Path:
        """Return the journal's folder, `~` resolved."""
        return self.runner_home.expanduser()

    @property
    def keystore(self) -> Path:
        """Return the key file's path, `~` resolved."""
        return self.runner_keystore.expanduser()

    @property
    def stream_url(self) -> str | None:
        """Return the address of the streaming path, if it is served."""
        if not self.runner_port:
            return None
        return str(self.runner_url or f"http://{self.runner_host}:{self.runner_port}").rstrip("/")

    def password(self) -> str | None:
        """Read the password file, if one is set; `ConfigError`."""
        if self.runner_password_file is None:
            return None
        return read_password(self.runner_password_file, variable="RUNNER_PASSWORD_FILE")

    def webhook_secret(self) -> bytes | None:
        """Read the webhook's secret, if one is set; `ConfigError`."""
        if self.webhook_secret_file is None:
            return None
        try:
            return bytes.fromhex(read_password(self.webhook_secret_file, variable="WEBHOOK_SECRET_FILE"))
        except ValueError:
            raise ConfigError(
                f"WEBHOOK_SECRET_FILE: {self.webhook_secret_file} does not hold hex digits",
                hint="Write the `secret` into it that the API gave when the webhook was registered.",
            ) from None

    def account(self, *, password: str | None = None) -> LocalAccount:
        """Unlock the node key; `ConfigError`, `KeystoreError`, `InputError`.

        A published development key is taken on local chains only.
        """
        account = self._private_key() if self.runner_private_key else self._unlock(password)
        refuse_development_key(account.address, self.filecoin_chain_id)
        return account

    def _private_key(self) -> LocalAccount:
        assert self.runner_private_key is not None
        key = parse_private_key(self.runner_private_key.get_secret_value(), field="RUNNER_PRIVATE_KEY")
        account: LocalAccount = Account.from_key(key)
        return account

    def _unlock(self, password: str | None) -> LocalAccount:
        password = password or self.password()
        if password is None:
            raise ConfigError(
                "RUNNER_PASSWORD_FILE (file with the key file's password) is not set",
                hint="Set it, or start from a terminal to be asked.",
            )
        return load_account(self.keystore, password)


def read_password(path: Path, *, variable: str) -> str:
    """Read a password's file, without its last line break; `ConfigError` naming `variable`."""
    try:
        password = path.expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{variable}: {path} cannot be read ({error})", hint="Check the path and its permissions."
        ) from None
    if not password:
        raise ConfigError(f"{variable}: {path} is empty", hint="Write the password into it, on one line.")
    return password
