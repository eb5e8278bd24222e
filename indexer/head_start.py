"""The first ranges of a new index, fetched while the database makes its tables."""

import asyncio
from contextlib import suppress
from typing import Self

from indexer.chain import ChainReader, LogRange
from indexer.errors import IndexerError
from indexer.rpc.classify import RpcError
from protocol.errors import ChainError

AT_ONCE = 3
ENOUGH_EVENTS = 20_000


class HeadStart:
    """Begun once and taken once, as a context manager. What fails here is asked for again where it is needed, and told there."""

    def __init__(self, chain: ChainReader, *, first: int, finality_blocks: int) -> None:
        self._chain = chain
        self._first = first
        self._finality_blocks = finality_blocks
        self._fetching: asyncio.Task[list[LogRange]] | None = None
        self._is_wanted = True

    def begin(self) -> None:
        """Fetch, from the first block to index on, until what is there is taken."""
        self._fetching = asyncio.create_task(self._fetch())

    async def take(self, *, first: int, last: int) -> list[LogRange]:
        """Return the ranges once, in order and without a gap; none unless they begin at `first` and end by `last`."""
        self._is_wanted = False
        fetching, self._fetching = self._fetching, None
        if fetching is None:
            return []
        with suppress(ChainError, IndexerError, RpcError):
            ranges = await fetching
            if ranges and ranges[0].first == first and ranges[-1].last <= last:
                return ranges
        return []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop fetching what nobody took."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    async def _fetch(self) -> list[LogRange]:
        final = await self._chain.final_height(self._finality_blocks)
        found: list[LogRange] = []
        following = self._first
        while following <= final and self._is_wanted and sum(len(one.logs) for one in found) < ENOUGH_EVENTS:
            width = self._chain.ranges.blocks
            found += await asyncio.gather(
                *(
                    self._chain.final_logs_between(first, min(final, first + width - 1))
                    for first in range(following, final + 1, width)[:AT_ONCE]
                )
            )
            following = found[-1].last + 1
        return found
