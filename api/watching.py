"""Whom a runner has to monitor in the newest epoch, by the same draw as the contract's."""

from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from api.chain_link import ChainLink
from api.database import Record, Snapshot
from api.queries import monitoring
from protocol.monitoring import targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One runner's duty in one epoch. Heights are blocks; `targets` are checksummed addresses."""

    epoch: int
    seed_block: int
    commit_by: int
    reveal_by: int
    targets: tuple[str, ...]


async def watch_of(link: ChainLink, snapshot: Snapshot, node: bytes) -> Watch | None:
    """Draw a runner's targets, as `PeerMonitoring.isMonitorOf` would; None before the first epoch is opened.

    Raises `RpcUnavailable` or `WrongChain` when the chain cannot be asked for the contract's settings.
    """
    opened = await monitoring.newest_epoch(snapshot)
    if opened is None:
        return None
    chain = await link.chain()
    functions: Any = chain.monitoring.functions
    settings: Any = await chain.call(functions.settings())
    windows: Any = await chain.call(functions.windowsOf(opened["epoch"]))
    maturity, monitors = settings[5], settings[6]
    seed_block, _, commit_by, reveal_by, _ = windows
    fit = [
        row
        for row in await monitoring.watchable(snapshot)
        if row["registered_block"] + maturity <= seed_block and row["banned_until"] <= seed_block
    ]
    return Watch(
        epoch=opened["epoch"],
        seed_block=seed_block,
        commit_by=commit_by,
        reveal_by=reveal_by,
        targets=_targets(fit, node, opened=opened, size=monitors, seed_block=seed_block),
    )


def _targets(
    fit: list[Record], node: bytes, *, opened: Record, size: int, seed_block: int
) -> tuple[str, ...]:
    monitor = next((row for row in fit if row["node"] == node), None)
    if monitor is None or monitor["suspended_until"] > seed_block:
        return ()
    others = [to_checksum_address(row["node"]) for row in fit if row["owner"] != monitor["owner"]]
    return targets_of(
        to_checksum_address(node),
        others,
        seed=int.from_bytes(opened["seed"], "big"),
        active=opened["active"],
        size=size,
    )
