"""Settings of the server, beside those of the chain."""

from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import Field, SecretStr

from protocol.errors import ConfigError
from protocol.keystore import load_account, parse_private_key, refuse_development_key
from protocol.secret_input import password_from
from protocol.settings import ChainSettings, IpfsSettings, PostgresUrl


class ServerSettings(ChainSettings, IpfsSettings):
    """Settings of `parity-server`."""

    server_host: str = Field("127.0.0.1", description="address to listen on")
    server_port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 for any free one")
    database_url: PostgresUrl = Field(
        description="Postgres database that the indexer writes to, such as postgres://user:password@localhost:5432/parity"
    )
    database_pool: int = Field(10, ge=1, le=200, description="most connections to Postgres")
    statement_timeout_s: float = Field(5.0, gt=0, description="seconds that one SQL statement may take")
    ready_lag_blocks: int = Field(
        20, ge=0, description="blocks that the index may be behind before /ready answers 503"
    )
    relayer_keystore: Path | None = Field(
        None, description="key file of the account that pays for relayed orders"
    )
    relayer_password_file: Path | None = Field(None, description="file with the password of RELAYER_KEYSTORE")
    relayer_private_key: SecretStr | None = Field(
        None, description="key that pays for relayed orders, instead of a key file; local chains only"
    )
    relayer_budget: int = Field(
        100, ge=1, description="intents relayed for one address within a window, by all processes together"
    )
    relayer_budget_window_s: float = Field(3600.0, gt=0, description="seconds of that window")
    rate_limit: int = Field(
        6000,
        ge=0,
        description="requests from one IP address within a window, to all processes together; 0 for no limit",
    )
    rate_limit_window_s: float = Field(60.0, gt=0, description="seconds of that window")
    server_domains: str = Field(
        "",
        description="public names of this server, such as parity.example, separated by commas; signing in is refused under any"
        " other, except local names and private addresses",
    )
    trusted_proxies: str = Field(
        "",
        description="addresses of proxies whose X-Forwarded-For is trusted, separated by commas; empty for no proxy",
    )
    cors_origins: str = Field(
        "", description="origins of other sites whose pages may send requests, separated by commas; * for all"
    )
    receive_timeout_s: float = Field(
        15.0,
        gt=0,
        description="seconds within which a request's headers, its body, and a websocket's first message must arrive",
    )
    send_timeout_s: float = Field(
        20.0, gt=0, description="seconds that a client may leave an answer unread before it is disconnected"
    )
    connections_per_address: int = Field(
        300,
        ge=0,
        description="open connections from one IP address; 0 for no limit; trusted proxies have no limit",
    )
    request_timeout_s: float = Field(
        30.0, gt=0, description="seconds until an unanswered request gets status 504"
    )
    session_s: float = Field(3600.0, gt=0, description="seconds that a signed-in session lasts")
    webhook_allow_private: bool = Field(
        False, description="allow webhooks to private and loopback addresses, for local networks"
    )

    def relayer(self) -> LocalAccount | None:
        """Unlock the relayer's account, if one is set; `ConfigError` or `KeystoreError` says what is wrong."""
        account = self._relayer_from_key() or self._relayer_from_keystore()
        if account is not None:
            refuse_development_key(account.address, self.filecoin_chain_id)
        return account

    def _relayer_from_key(self) -> LocalAccount | None:
        if self.relayer_private_key is None:
            return None
        key = parse_private_key(self.relayer_private_key.get_secret_value(), field="RELAYER_PRIVATE_KEY")
        account: LocalAccount = Account.from_key(key)
        return account

    def _relayer_from_keystore(self) -> LocalAccount | None:
        if self.relayer_keystore is None:
            return None
        if self.relayer_password_file is None:
            raise ConfigError(
                "RELAYER_PASSWORD_FILE is not set",
                hint="Set it to a file that contains the password of RELAYER_KEYSTORE.",
            )
        password = password_from(
            self.relayer_password_file,
            variable="RELAYER_PASSWORD_FILE",
            prompt="Password of the relayer's key",
        )
        return load_account(self.relayer_keystore, password)
