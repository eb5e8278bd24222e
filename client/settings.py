"""The client's own settings, beside those of the chain and the content store."""

from pathlib import Path

from pydantic import Field

from protocol.settings import ChainSettings, HttpUrl, IpfsSettings


class ClientSettings(ChainSettings, IpfsSettings):
    """What `parity-client` reads from the environment and `.env`."""

    server_url: HttpUrl = Field("http://127.0.0.1:8080", description="address of a Parity API server")
    server_timeout_s: float = Field(10.0, gt=0, description="seconds that the API server has to answer")
    parity_keystore: Path = Field(
        Path("~/.parity/keystore.json"), description="the wallet's encrypted key file"
    )
    parity_password_file: Path | None = Field(
        None, description="file whose first line is the key file's password; without it you are asked"
    )

    @property
    def keystore(self) -> Path:
        """Return the key file's path, `~` expanded."""
        return self.parity_keystore.expanduser()
