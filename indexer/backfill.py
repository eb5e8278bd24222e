"""From the deployment to the finalised block: a pipeline that never waits for one block.

Ranges are fetched a few at a time and taken in order; events are folded in memory; one transaction writes many ranges
while the next are fetched and folded.
"""

import asyncio
import gc
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import structlog

from indexer.chain import ChainReader, Header, LogRange
from indexer.events import EventBook, Log
from indexer.fold import fold, needs
from indexer.fold.state import State
from indexer.head_start import AT_ONCE, HeadStart
from indexer.outages import first_cause
from indexer.progress import Progress
from indexer.store import Store
from indexer.writing import Advance, Batch, Cursor

log = structlog.get_logger()

BATCH_EVENTS = 20_000
"""Events that are written in one transaction; from fewer on while there is nothing else to write."""
IDLE_BATCH_EVENTS = 4_000
BATCHES_AHEAD = 2
"""Batches that wait to be written before folding does."""
FOLD_EVENTS = 200
"""Events that are folded before what is to be read and written gets its turn."""
FLUSH_S = 5.0
ROWS_IN_MEMORY = 200_000


async def backfill(
    store: Store,
    chain: ChainReader,
    book: EventBook,
    *,
    last_block: int,
    progress: Progress,
    head_start: HeadStart | None = None,
) -> None:
    """Index everything up to and including `last_block`, which must be final. `head_start` may have fetched some of it."""
    cursor = await store.cursor()
    if cursor.indexed_number >= last_block:
        return
    progress.begin(first=cursor.indexed_number + 1, last=last_block)
    state = State(whole=cursor.indexed_number < cursor.start_block)
    try:
        with _without_garbage_collection():
            async with asyncio.TaskGroup() as group:
                writer = _Flusher(store, group, cursor, last_block=last_block)
                first = cursor.indexed_number + 1
                begun = await head_start.take(first=first, last=last_block) if head_start else []
                async for fetched in _ranges(chain, group, begun, first=first, last=last_block):
                    await fold_logs(store, state, book, fetched.logs)
                    progress.reached(fetched.last, events=len(fetched.logs))
                    if writer.take(fetched) or fetched.last == last_block:
                        await writer.flush(state)
                await writer.finish()
    except BaseExceptionGroup as group_error:
        # Callers know single errors, of which some mean to try again; what failed beside the first is its consequence.
        raise first_cause(group_error) from group_error


async def fold_logs(
    store: Store, state: State, book: EventBook, logs: list[Log], *, inside: bool = False
) -> None:
    """Fold logs into the state, with the rows they need. `inside`: as the open writing transaction sees them."""
    if not state.is_whole:
        events = book.decode_all(logs)
        await store.load(state, needs(events), inside=inside)
        fold(state, events)
        return
    for some in _in_parts(logs):
        fold(state, book.decode_all(some))
        # The database and the node would wait while thousands of events are folded.
        await asyncio.sleep(0)


def _in_parts(logs: list[Log]) -> Iterator[list[Log]]:
    """Cut into parts of some events; a block's logs stay together."""
    first = 0
    while first < len(logs):
        end = min(first + FOLD_EVENTS, len(logs))
        while end < len(logs) and logs[end].block_number == logs[end - 1].block_number:
            end += 1
        yield logs[first:end]
        first = end


async def _ranges(
    chain: ChainReader, group: asyncio.TaskGroup, begun: Sequence[LogRange], *, first: int, last: int
) -> AsyncIterator[LogRange]:
    """Yield ranges in order, those already there before the rest, with a few fetches under way."""
    under_way: deque[asyncio.Task[LogRange]] = deque()
    there = deque(begun)
    following = there[-1].last + 1 if there else first
    while there or under_way or following <= last:
        while len(under_way) < AT_ONCE and following <= last:
            end = min(last, following + chain.ranges.blocks - 1)
            under_way.append(group.create_task(chain.final_logs_between(following, end)))
            following = end + 1
        yield there.popleft() if there else await under_way.popleft()


class _Flusher:
    """Collects ranges and writes them in batches, one transaction after the other, while the next are folded."""

    def __init__(self, store: Store, group: asyncio.TaskGroup, cursor: Cursor, *, last_block: int) -> None:
        self._store = store
        self._cursor = cursor
        self._last_block = last_block
        self._logs: list[Log] = []
        self._end: Header | None = None
        self._end_number = 0
        self._since = time.monotonic()
        self._batches: asyncio.Queue[tuple[Batch, Header]] = asyncio.Queue(BATCHES_AHEAD)
        self._unwritten = 0
        self._writing = group.create_task(self._write_all())

    def take(self, fetched: LogRange) -> bool:
        """Collect a range; say whether it is time to write."""
        self._logs += fetched.logs
        self._end = fetched.end
        self._end_number = fetched.last
        enough = BATCH_EVENTS if self._unwritten else IDLE_BATCH_EVENTS
        return len(self._logs) >= enough or time.monotonic() - self._since >= FLUSH_S

    async def flush(self, state: State) -> None:
        """Hand what was collected to the writer, once it is no longer far behind."""
        if self._end is None:
            return
        end = Header(self._end_number, self._end.hash, self._end.parent_hash, self._end.timestamp)
        batch = Batch(logs=self._logs, changes=state.take_changes(), blocks=[self._end])
        self._logs = []
        self._since = time.monotonic()
        self._unwritten += 1
        await self._batches.put((batch, end))
        if len(state) > ROWS_IN_MEMORY:
            # Rows may be read again only when what they became is in the database.
            await self._batches.join()
            state.forget()

    async def _write_all(self) -> None:
        while True:
            await self._write(*await self._batches.get())
            self._unwritten -= 1
            self._batches.task_done()

    async def _write(self, batch: Batch, end: Header) -> None:
        advance = Advance(
            phase="backfill",
            head_number=max(self._cursor.head_number, self._last_block),
            indexed=end,
            finalized_number=end.number,
        )
        async with self._store.transaction() as transaction:
            await transaction.write(batch)
            await transaction.advance(self._cursor, advance)

    async def finish(self) -> None:
        """Wait until all is written."""
        await self._batches.join()
        self._writing.cancel()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Keep the collector from walking millions of live rows again and again; nothing here makes cycles."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
