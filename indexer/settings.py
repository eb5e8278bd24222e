"""What `parity-indexer` reads from the environment and `.env`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from protocol.settings import ChainSettings, IpfsSettings, PostgresUrl


def _http_urls(value: str) -> str:
    urls = [url.strip() for url in value.split(",")]
    if not all(url.startswith(("http://", "https://")) for url in urls):
        raise ValueError("expected URLs that start with http:// or https://, separated by commas")
    return ",".join(urls)


class IndexerSettings(ChainSettings, IpfsSettings):
    """Settings of one indexer process."""

    database_url: PostgresUrl = Field(
        "postgres://postgres@127.0.0.1:5432/parity", description="Postgres database that holds the index"
    )
    filecoin_rpc: Annotated[str, AfterValidator(_http_urls)] = Field(
        "http://127.0.0.1:8545", description="RPC endpoints, preferred first, separated by commas"
    )
    indexer_port: int = Field(
        8090, ge=0, le=65535, description="port of /health, /ready, /status and /metrics"
    )
    indexer_ready_lag: int = Field(3, ge=0, description="blocks behind the head at which /ready turns 503")
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )

    @property
    def rpc_urls(self) -> list[str]:
        """Endpoints, preferred first."""
        return self.filecoin_rpc.split(",")
