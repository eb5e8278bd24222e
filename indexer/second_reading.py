"""A second look at blocks that are about to count as final, where headers do not tell what their logs name.

A node whose index of logs has a hole answers `[]`; asked again later, or another one asked, the logs are there. Filecoin's
nodes fill such holes on their own (`ChainIndexer`), and a block is final hours after it was read first.
"""

import structlog

from indexer.chain import ChainReader
from indexer.store import Store

log = structlog.get_logger()


async def first_missed(store: Store, chain: ChainReader, first: int, last: int) -> int | None:
    """Return the lowest block of the range that has logs which are not stored, or None.

    A second endpoint that lacks logs which the first one gave has a hole itself: what was seen, was there.
    """
    stored = await store.places(first, last)
    told: set[tuple[int, int, int, bytes]] = set()
    while first <= last:
        end = min(last, first + chain.ranges.blocks - 1)
        found = await chain.logs_between(first, end, second=True)
        told |= {(*entry.position, entry.tx_hash) for entry in found.logs}
        first = end + 1
    if lacking := stored - told:
        log.warning("second-reading-lacks-logs", block=min(lacking)[0], logs=len(lacking))
    missed = told - stored
    return min(missed)[0] if missed else None
