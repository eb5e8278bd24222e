"""The gateway as a process: lines to runners, and the server in front of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from client.gateway.app import Gateway
from client.gateway.book import Book
from client.gateway.channels import Channels
from client.gateway.lines import Budget, Lines

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from client.parity import Parity

_RUNNER_PATIENCE_S = 120.0
_GRACE_S = 3


def book_path(keystore: Path, *, chain_id: int, genesis_hash: str, account: str) -> Path:
    """Name the file of an account's channels on one chain, beside its key file."""
    return keystore.with_name(f"channels-{chain_id}-{genesis_hash[2:10]}-{account[2:10].lower()}.sqlite")


@asynccontextmanager
async def opened_channels(
    parity: "Parity", account: "LocalAccount", *, keystore: Path
) -> AsyncIterator[Channels]:
    """Open the account's book of channels; `ConfigError` if another process has it."""
    deployment = parity.chain.deployment
    path = book_path(
        keystore, chain_id=deployment.chain_id, genesis_hash=deployment.genesis_hash, account=account.address
    )
    with closing(Book.open(path)) as book:
        yield Channels(parity.chain, book, account)


@asynccontextmanager
async def opened_lines(
    parity: "Parity", account: "LocalAccount", budget: Budget, *, keystore: Path
) -> AsyncIterator[Lines]:
    """Yield lines to runners for as long as the block lasts; vouchers that are on their way get a moment to arrive."""
    timeout = httpx.Timeout(_RUNNER_PATIENCE_S, connect=5.0)
    async with (
        opened_channels(parity, account, keystore=keystore) as channels,
        httpx.AsyncClient(timeout=timeout) as http,
        asyncio.TaskGroup() as deliveries,
    ):
        yield Lines(parity, channels, budget, http=http, deliveries=deliveries)


async def serve(lines: Lines, *, host: str, port: int, token: str) -> None:
    """Serve until SIGINT or SIGTERM; answers that run get a moment to end."""
    import uvicorn  # noqa: PLC0415 (a fifth of a second that other commands need not spend)

    app = Gateway(lines, token=token).starlette()
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_S
    )
    await uvicorn.Server(config).serve()
