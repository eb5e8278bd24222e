"""Follow the head: append new blocks, undo those that a reorganisation dropped.

A step takes the node's head and walks from it by parent hash to a block that is stored. What lies above that block in the
database is undone and what lies above it on the chain is applied, in one transaction, so that readers see one branch or
the other. Heights may have gaps (null rounds): only hashes link blocks.
"""

from dataclasses import dataclass, field

import structlog

from indexer.backfill import fold_logs
from indexer.chain import ChainReader, Header
from indexer.errors import FoldError, InconsistentChain, IndexerError
from indexer.events import EventBook, Log
from indexer.fold.state import State
from indexer.progress import Progress
from indexer.second_reading import first_missed
from indexer.store import Store
from indexer.writing import Advance, Batch, Cursor

log = structlog.get_logger()

RANGE_FROM_BLOCKS = 4
"""From this many new blocks on, logs are asked for by range instead of block by block."""
BLOCKS_AT_ONCE = 500
"""Blocks that one step advances at most: after a long pause the index goes on in parts, and a head that a node made up is
not walked to."""
ROWS_IN_MEMORY = 100_000
AGAIN_EVERY_BLOCKS = 10
"""Blocks that are read a second time at once, before they count as final."""
TAG_EVERY_BLOCKS = 10
"""How often the node is asked for its `finalized` block; what it says between is only older."""


class DeepReorg(IndexerError):
    """The chain left the stored one below the finalised block."""


@dataclass(slots=True)
class Follower:
    """Keeps one version at the head of the chain. `finality_blocks` is a depth that is taken as final."""

    store: Store
    chain: ChainReader
    book: EventBook
    finality_blocks: int
    is_local: bool
    progress: Progress
    state: State = field(default_factory=State)
    window: dict[bytes, Header] = field(default_factory=dict)
    _in_doubt: bool = False
    _contradicted: bool = False
    _tag: int = 0
    _tag_asked_at: int = -TAG_EVERY_BLOCKS

    async def restore(self) -> None:
        """Forget what is in memory and read the window of stored blocks anew."""
        self.state.forget()
        cursor = await self.store.cursor()
        self.window = {block.hash: block for block in await self.store.window(cursor)}
        self._in_doubt = False

    async def step(self) -> bool:
        """Bring the tables to the node's head, or nearer to a far one; say whether anything was committed.

        Raises `DeepReorg` when the walk passes the finalised block, `InconsistentChain` when the node's answers do not
        fit together, `RpcUnavailable` when it does not answer.
        """
        if self._in_doubt:
            await self.restore()
        # Nobody else moves the cursor; if somebody does all the same, the commit fails.
        cursor = self.store.at or await self.store.cursor()
        head = await self.chain.head()
        if head.hash == cursor.indexed_hash:
            return False
        if await self._is_lagging(head, cursor):
            return False
        branch, ancestor = await self._branch(head, cursor)
        tip = branch[-1] if branch else ancestor
        final = await self._finalized(cursor, branch, tip)
        if not self.chain.blooms:
            final, missed = await self._read_again(cursor, min(final, ancestor.number))
            if missed is not None:
                await self._undo_from(missed, cursor, head)
                return True
        advance = Advance(
            phase="live",
            head_number=head.number,
            indexed=tip,
            finalized_number=final,
            reorg_depth=cursor.indexed_number - ancestor.number
            if ancestor.hash != cursor.indexed_hash
            else None,
        )
        logs = await self._logs(branch)
        try:
            await self._commit(cursor, branch, ancestor, logs, advance)
        except BaseException as error:
            # Not read anew before the next step: what failed may have been the connection, or somebody's patience.
            self._in_doubt = True
            self._contradicted = isinstance(error, FoldError)
            raise
        return True

    async def _is_lagging(self, head: Header, cursor: Cursor) -> bool:
        """Return whether the node is merely behind: its head is one of our blocks, or lies among those that are final."""
        if head.number >= cursor.indexed_number:
            return False
        if head.hash not in self.window and not await self._is_among_final(head, cursor):
            return False
        if self.is_local and cursor.indexed_hash and await self.chain.header_of(cursor.indexed_hash) is None:
            # One node, which has forgotten our tip: a development chain was reverted to an earlier block.
            return False
        await log.awarning("node-lags", head=head.number, indexed=cursor.indexed_number)
        return True

    async def _is_among_final(self, head: Header, cursor: Cursor) -> bool:
        """Return whether a head below what is final is on our chain, as far as is stored: not every final block is."""
        if head.number >= cursor.finalized_number:
            return False
        stored = await self.store.newest_until(head.number)
        return stored is not None and await self.chain.header_at(stored.number) == stored

    async def _branch(self, head: Header, cursor: Cursor) -> tuple[list[Header], Header]:
        """Return the blocks from the common ancestor to the head, oldest first, and the ancestor."""
        branch = await self._new_blocks(head, cursor)
        while (ancestor := self.window.get(branch[-1].parent_hash if branch else head.hash)) is None:
            lowest = branch[-1]
            if lowest.number <= max(cursor.finalized_number, 0):
                raise _deep(cursor)
            parent = await self.chain.header_of(lowest.parent_hash)
            if parent is None or parent.number >= lowest.number:
                raise InconsistentChain(f"the node does not know the parent of block {lowest.number}")
            branch.append(parent)
        if branch and ancestor.number >= branch[-1].number:
            raise InconsistentChain(f"block {ancestor.number} is the parent of block {branch[-1].number}")
        if any(ancestor.number < block.number <= cursor.finalized_number for block in self.window.values()):
            # The window reaches below what is final, where nothing tells any more what rows were before.
            raise _deep(cursor)
        branch.reverse()
        return branch, ancestor

    async def _new_blocks(self, head: Header, cursor: Cursor) -> list[Header]:
        """Return the blocks above the stored tip, newest first, as one linked chain: up to the head, if it is not far."""
        if head.hash in self.window:
            return []
        top = min(head.number, cursor.indexed_number + BLOCKS_AT_ONCE)
        branch = [head] if top == head.number else []
        for block in await self.chain.headers(range(top - len(branch), cursor.indexed_number, -1)):
            if block is None:
                continue
            if branch and block.hash != branch[-1].parent_hash:
                raise InconsistentChain(
                    f"block {block.number} is not the parent of block {branch[-1].number}"
                )
            branch.append(block)
        # After so many null rounds there are few blocks up to the head.
        return branch or [head]

    async def _finalized(self, cursor: Cursor, branch: list[Header], tip: Header) -> int:
        """Return the height that is final: by depth, or by the node's tag, once it names a block that is ours."""
        if abs(tip.number - self._tag_asked_at) >= TAG_EVERY_BLOCKS:
            tag = await self.chain.finalized()
            if tag is not None and (tag.hash in self.window or tag in branch):
                self._tag = tag.number
            if tag is None or tag.number <= max(self._tag, cursor.finalized_number):
                self._tag_asked_at = tip.number
        return max(tip.number - self.finality_blocks, self._tag)

    async def _read_again(self, cursor: Cursor, final: int) -> tuple[int, int | None]:
        """Return how far blocks are final, which takes a second reading, and the first of which logs were missed."""
        first, last = cursor.finalized_number + 1, final
        if self._contradicted:
            # An event that the tables cannot have seen may follow from one that was missed.
            self._contradicted = False
            last = cursor.indexed_number
        elif last - first < AGAIN_EVERY_BLOCKS - 1:
            return cursor.finalized_number, None
        missed = await first_missed(self.store, self.chain, first, last)
        return (
            (max(final, cursor.finalized_number), None)
            if missed is None
            else (cursor.finalized_number, missed)
        )

    async def _undo_from(self, block_number: int, cursor: Cursor, head: Header) -> None:
        """Undo a block of which logs were missed, and all above: the next step reads them from another endpoint."""
        log.error("logs-were-missing", block=block_number, remedy="reading from there on again")
        self.chain.pool.doubt_first()
        ancestor = max(
            (block for block in self.window.values() if block.number < block_number),
            key=lambda block: block.number,
        )
        advance = Advance(
            phase="live",
            head_number=head.number,
            indexed=ancestor,
            finalized_number=cursor.finalized_number,
            reorg_depth=cursor.indexed_number - ancestor.number,
        )
        await self._commit(cursor, [], ancestor, {}, advance)

    async def _logs(self, branch: list[Header]) -> dict[bytes, list[Log]]:
        """Return the logs of each block of the branch by its hash."""
        if len(branch) < RANGE_FROM_BLOCKS:
            return {block.hash: await self.chain.logs_of(block) for block in branch}
        by_block: dict[bytes, list[Log]] = {block.hash: [] for block in branch}
        first = branch[0].number
        while first <= branch[-1].number:
            last = min(branch[-1].number, first + self.chain.ranges.blocks - 1)
            for entry in (await self.chain.logs_between(first, last)).logs:
                if entry.block_hash not in by_block:
                    raise InconsistentChain(f"{entry.where} is not on the branch being indexed")
                by_block[entry.block_hash].append(entry)
            first = last + 1
        for block in branch:
            await self.chain.vouch(block, by_block[block.hash])
        return by_block

    async def _commit(
        self,
        cursor: Cursor,
        branch: list[Header],
        ancestor: Header,
        logs: dict[bytes, list[Log]],
        advance: Advance,
    ) -> None:
        depth = advance.reorg_depth
        async with self.store.transaction() as transaction:
            if depth is not None:
                await transaction.undo_above(ancestor.number)
                self.state.forget()
            for block in branch:
                await fold_logs(self.store, self.state, self.book, logs[block.hash], inside=True)
                undo_block = block.number if block.number > cursor.finalized_number else None
                await transaction.write(
                    Batch(logs[block.hash], self.state.take_changes(), [block], undo_block=undo_block)
                )
            await transaction.advance(cursor, advance)
        self._committed(branch, ancestor, depth=depth, events=sum(map(len, logs.values())))

    def _committed(self, branch: list[Header], ancestor: Header, *, depth: int | None, events: int) -> None:
        if depth is not None:
            log.warning("reorg", depth=depth, ancestor=ancestor.number, new_blocks=len(branch))
            self.window = {
                key: block for key, block in self.window.items() if block.number <= ancestor.number
            }
        for block in branch:
            self.window[block.hash] = block
        tip = branch[-1] if branch else ancestor
        self.progress.live(block=tip.number, events=events, reorg_depth=depth)
        lowest = tip.number - 2 * self.finality_blocks
        if len(self.window) > 3 * self.finality_blocks:
            self.window = {key: block for key, block in self.window.items() if block.number >= lowest}
        if len(self.state) > ROWS_IN_MEMORY:
            self.state.forget()


def _deep(cursor: Cursor) -> DeepReorg:
    return DeepReorg(f"the chain left the indexed one below the finalised block {cursor.finalized_number}")
