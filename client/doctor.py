"""Is this machine set up to use the network? Each check says what it found, and what to do if that is not good."""

import secrets
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

from client import keys
from client.api import ApiClient
from client.money import read_balance
from client.settings import ClientSettings
from protocol.chain import Chain
from protocol.content import IpfsStore
from protocol.errors import ParityError
from protocol.money import format_native, format_usdfc

_FINE_LAG_BLOCKS = 20


class Verdict(Enum):
    """How a check came out."""

    OK = auto()
    WARN = auto()
    FAIL = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found. `remedy` is what to do about it, where something is to be done."""

    subject: str
    verdict: Verdict
    detail: str
    remedy: str | None = None


async def examine(settings: ClientSettings) -> tuple[Finding, ...]:
    """Make every check, each by itself: one failure hides no other."""
    checks: tuple[tuple[str, Callable[[ClientSettings], Awaitable[Finding]]], ...] = (
        ("key file", _key_file),
        ("deployment", _deployment),
        ("chain", _chain),
        ("balance", _balance),
        ("API", _api),
        ("IPFS", _ipfs),
    )
    return tuple([await _made(subject, check, settings) for subject, check in checks])


async def _made(
    subject: str, check: Callable[[ClientSettings], Awaitable[Finding]], settings: ClientSettings
) -> Finding:
    try:
        return await check(settings)
    except ParityError as error:
        return Finding(subject=subject, verdict=Verdict.FAIL, detail=error.message, remedy=error.hint)


async def _key_file(settings: ClientSettings) -> Finding:
    address = keys.address(settings)
    mode = stat.S_IMODE(settings.keystore.stat().st_mode)
    if mode & 0o077:
        return Finding(
            subject="key file",
            verdict=Verdict.WARN,
            detail=f"{settings.keystore} can be read by others (mode {mode:o})",
            remedy=f"chmod 600 {settings.keystore}",
        )
    return Finding(subject="key file", verdict=Verdict.OK, detail=f"{settings.keystore}, for {address}")


async def _deployment(settings: ClientSettings) -> Finding:
    found = settings.deployment()
    detail = f"chain {found.chain_id}, version {found.version}, TaskEscrow {found.task_escrow}"
    return Finding(subject="deployment", verdict=Verdict.OK, detail=detail)


async def _chain(settings: ClientSettings) -> Finding:
    async with Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain:
        height = await chain.block_number()
    detail = f"{chain.network.name}, block {height}, contracts in place"
    return Finding(subject="chain", verdict=Verdict.OK, detail=detail)


async def _balance(settings: ClientSettings) -> Finding:
    address = keys.address(settings)
    async with Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain:
        balance = await read_balance(chain, address)
    symbol, local = chain.network.native_symbol, chain.deployment.local
    detail = (
        f"{format_usdfc(balance.free)} USDFC free, {format_usdfc(balance.tokens)} USDFC and "
        f"{format_native(balance.native)} {symbol} in the account"
    )
    remedy = None
    if not balance.free + balance.tokens:
        remedy = "Get USDFC." + (" Here: parity-client faucet." if local else "")
    elif not balance.native:
        remedy = f"Without {symbol} only --relay works; get some to send transactions yourself."
    return Finding(
        subject="balance", verdict=Verdict.WARN if remedy else Verdict.OK, detail=detail, remedy=remedy
    )


async def _api(settings: ClientSettings) -> Finding:
    async with ApiClient(settings.server_url, timeout_s=settings.server_timeout_s) as api:
        health = await api.health()
    if not health.ready or health.index is None:
        return Finding(
            subject="API",
            verdict=Verdict.WARN,
            detail=f"{health.url} is not ready",
            remedy="Its database or indexer may be starting. Submitting and reading answers works without it.",
        )
    behind = health.index.lag_blocks
    slow = behind > _FINE_LAG_BLOCKS
    return Finding(
        subject="API",
        verdict=Verdict.WARN if slow else Verdict.OK,
        detail=f"{health.url}, index {behind} blocks behind",
        remedy="Lists lag behind the chain; `llm get` and `task get` do not." if slow else None,
    )


async def _ipfs(settings: ClientSettings) -> Finding:
    store = IpfsStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s)
    probe = b"parity-client doctor " + secrets.token_hex(8).encode()
    digest = await store.add(probe)
    await store.get(digest)
    await store.unpin(digest)
    return Finding(subject="IPFS", verdict=Verdict.OK, detail=f"{settings.ipfs_api} stores and returns")
