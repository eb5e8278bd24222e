"""What `parity-indexer` reads from the environment and `.env`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from protocol.networks import LOCAL_CHAIN_IDS
from protocol.settings import ChainSettings, IpfsSettings, PostgresUrl

PUBLIC_REQUESTS_PER_S = 5.0
"""What no public endpoint is known to refuse; it rises from there while the node is content."""


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
    indexer_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="address to listen on; what it serves is not secret and needs no login",
    )
    indexer_port: int = Field(
        8090, ge=0, le=65535, description="port of /health, /ready, /status and /metrics"
    )
    indexer_ready_lag: int = Field(3, ge=0, description="blocks behind the head at which /ready answers 503")
    indexer_rpc_rate: float = Field(
        0,
        ge=0,
        description="initial requests per second to each RPC endpoint; the rate adapts. 0: no limit on a local"
        " chain until the node refuses, 5 elsewhere",
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )

    @property
    def requests_per_s(self) -> float | None:
        """First limit of requests a second for each endpoint; None for none."""
        if self.indexer_rpc_rate:
            return self.indexer_rpc_rate
        return None if self.filecoin_chain_id in LOCAL_CHAIN_IDS else PUBLIC_REQUESTS_PER_S

    @property
    def rpc_urls(self) -> list[str]:
        """Endpoints, preferred first."""
        return self.filecoin_rpc.split(",")
