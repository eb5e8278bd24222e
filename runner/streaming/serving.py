"""The streaming path as a part of the daemon: the server, and the redeemer of what it takes in."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn
from eth_account.signers.local import LocalAccount
from web3.exceptions import Web3Exception

from protocol.errors import ConfigError, ParityError
from runner.parts import Parts
from runner.streaming.answering import Counter
from runner.streaming.engine import ChatEngine
from runner.streaming.limits import WAITING_PER_SLOT, Limits
from runner.streaming.server import StreamServer
from runner.streaming.tabs import Tabs
from runner.streaming.till import Redeemer, Till

_GRACE_S = 5

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """A server whose signals are the daemon's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers as they are."""
        yield


def tabs_path(journal: Path) -> Path:
    """Name the file of a node's tabs, beside its journal."""
    return journal.with_name(journal.name.replace("journal-", "tabs-"))


async def serve_streams(parts: Parts, *, tabs: Tabs, account: LocalAccount) -> None:
    """Serve until cancelled; then answers get a moment to end, and what was promised is redeemed if the chain answers."""
    settings = parts.settings
    till = Till(chain=parts.chain, tabs=tabs, node=parts.node, owner=parts.terms.owner)
    counter = Counter(
        till=till, engine=ChatEngine(settings.ollama_url), places=parts.executor.places, account=account
    )
    limits = Limits.of(settings)
    app = StreamServer(
        counter,
        lambda: parts.situation.offers,
        waiting=settings.runner_slots * WAITING_PER_SLOT,
        limits=limits,
    ).starlette()
    redeemer = Redeemer(
        till=till,
        chain=parts.chain,
        sender=parts.sender,
        owner=parts.terms.owner,
        least=settings.runner_redeem_at,
        interval_s=settings.runner_redeem_interval_s,
    )
    listening = _listen(settings.runner_host, settings.runner_port)
    server = _Server(limits.config(app, log_level="warning", timeout_graceful_shutdown=_GRACE_S))
    log.info("streams_served", url=settings.stream_url)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    redeeming = asyncio.create_task(redeemer.run())
    try:
        # Cancelled, the server would drop its answers where they are.
        done, _ = await asyncio.wait({serving, redeeming}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        redeeming.cancel()
        server.should_exit = True
        await asyncio.gather(serving, redeeming, return_exceptions=True)
        await _last_redeem(redeemer)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise ConfigError(
            f"RUNNER_PORT: {host}:{port} cannot be listened on ({error.strerror})",
            hint="Choose a free port, or 0 to keep the streaming path off.",
        ) from error


async def _last_redeem(redeemer: Redeemer) -> None:
    """Try once more, briefly: what stays is on disk and good until its channel closes."""
    try:
        async with asyncio.timeout(_GRACE_S):
            await redeemer.redeem(everything=True)
    except (ParityError, Web3Exception, TimeoutError) as error:
        log.info("vouchers_kept", reason=str(error) or "no time")
