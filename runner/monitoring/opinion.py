"""What a monitor thinks of a runner: from what the chain saw of it, and whether it answers.

Everybody who watches a runner reads the same chain as of the same blocks, so that honest monitors agree. An answer that
came fast is no ground for suspicion.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import structlog
from web3.exceptions import Web3Exception

from protocol.abi import event_topics
from protocol.chain import Chain
from protocol.content import ContentStore
from protocol.documents import RunnerProfile, parse_document
from protocol.enums import ReportKind
from protocol.errors import ContentError, InputError, ParityError
from protocol.tls import trusted_authorities
from runner.heard import Heard
from runner.journal import Journal

_WRONG, _MISSED = 2, 3
_SCORE_CHANGED = next(
    topic for topic, event in event_topics()["RunnerReputation"].items() if event.name == "ScoreChanged"
)
_PROBE_TIMEOUT_S = 5.0
_HEALTH = "/health"
_REMEMBERED = 1_024
"""Observations, and URLs of profiles, that are kept: many epochs' worth."""

log = structlog.get_logger()


class Opinion(Protocol):
    """How a monitor comes to its reports."""

    async def observe(self, target: str, *, epoch: int) -> None:
        """Look at a target, more than once in an epoch."""

    async def of(self, target: str, *, epoch: int, since_block: int, until_block: int) -> ReportKind:
        """Return what to report, of what happened between the two blocks and of what was observed."""


class Observer:
    """The honest opinion.

    Offline: the profile names a URL, and it never answered in the epoch. SuspiciousActivity: a wrong result since the
    epoch before. PoorPerformance: a missed seat. GoodBehavior otherwise.
    """

    def __init__(
        self, chain: Chain, journal: Journal, store: ContentStore, heard: Heard | None = None
    ) -> None:
        self._heard = heard or Heard()
        self._chain = chain
        self._journal = journal
        self._store = store
        self._answered: dict[tuple[int, str], bool] = {}
        self._urls: dict[bytes, str | None] = {}

    async def observe(self, target: str, *, epoch: int) -> None:
        """Probe the target's URL, unless it has answered in this epoch already or has none."""
        if self._answered.get((epoch, target)):
            return
        url = await self._url(target)
        if url is not None:
            while len(self._answered) >= _REMEMBERED:
                self._answered.pop(next(iter(self._answered)))
            self._answered[epoch, target] = await answers(url, anywhere=self._chain.deployment.local)

    async def of(self, target: str, *, epoch: int, since_block: int, until_block: int) -> ReportKind:
        """Report the worst that is known."""
        if self._answered.get((epoch, target)) is False:
            return ReportKind.OFFLINE
        if self._was_silent(target, since_block, until_block):
            return ReportKind.GOOD_BEHAVIOR
        try:
            before = await self._record(target, since_block)
            after = await self._record(target, until_block)
        except (ParityError, Web3Exception) as error:
            # A node that has forgotten the state of some hours ago is no reason to accuse anybody.
            log.warning("record_unknown", target=target, error=str(error))
            return ReportKind.GOOD_BEHAVIOR
        if after[_WRONG] > before[_WRONG]:
            return ReportKind.SUSPICIOUS_ACTIVITY
        if after[_MISSED] > before[_MISSED]:
            return ReportKind.POOR_PERFORMANCE
        return ReportKind.GOOD_BEHAVIOR

    def _was_silent(self, target: str, since_block: int, until_block: int) -> bool:
        """Return whether nothing happened to a runner's record after one block and up to another, as far as all was heard."""
        first = max(since_block + 1, self._chain.deployment.start_block)
        changes = [_SCORE_CHANGED, bytes(12) + bytes.fromhex(target[2:])]
        return self._heard.logs(self._chain.reputation.address, first, until_block, topics=changes) == []

    async def _record(self, target: str, block: int) -> Sequence[int]:
        record: Sequence[int] = await self._chain.call(
            self._chain.reputation.functions.scoreOf(target), block=max(block, 0)
        )
        return record

    async def _url(self, target: str) -> str | None:
        digest = next((bytes(row["profile"]) for row in self._journal.nodes() if row["node"] == target), None)
        if digest is None or not any(digest):
            return None
        if digest not in self._urls:
            try:
                content = await self._store.get(digest)
            except ContentError:
                return None
            while len(self._urls) >= _REMEMBERED:
                self._urls.pop(next(iter(self._urls)))
            self._urls[digest] = _url_in(content)
        return self._urls[digest]


def _url_in(profile: bytes) -> str | None:
    try:
        document = parse_document(profile)
    except (ContentError, InputError):
        return None
    return document.url if isinstance(document, RunnerProfile) else None


async def answers(url: str, *, anywhere: bool) -> bool:
    """Return whether a runner answers at its URL, with whatever status.

    The URL is a stranger's: nothing of the answer is read, no redirect is followed, and unless `anywhere` is allowed (on
    a local chain) an address that is not public does not count as one.
    """
    host = urlsplit(url).hostname
    if not host or not (anywhere or await _is_public(host)):
        return False
    try:
        async with (
            httpx.AsyncClient(
                verify=trusted_authorities(), timeout=_PROBE_TIMEOUT_S, follow_redirects=False
            ) as client,
            client.stream("GET", url.rstrip("/") + _HEALTH),
        ):
            return True
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False


async def _is_public(host: str) -> bool:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(address[4][0]).is_global for address in found)
