"""What Parity's contracts said in the latest blocks, and what was read of them since they last spoke.

A contract's state changes only by transactions, and each that concerns runners is told by an event. So what was read
holds until an event names its subject: an idle runner asks for nothing that cannot have changed. A reorganisation drops
everything; nothing outlives the process; and nothing holds for long, since a node may once leave out an event.
"""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from protocol.blocks import Log

KEPT_BLOCKS = 512
"""Blocks for which logs are kept: older ones are asked for again."""
HOLDS_BLOCKS = 4
"""Blocks for which a read holds at most, though nobody spoke: well within each window that stake hangs on."""
_KEPT_READS = 4_096
_TRIES = 3
"""Times that is read again because its speakers spoke, or blocks were undone, while it was read."""

T = TypeVar("T")

Speaker = str | tuple[str, bytes] | tuple[str, bytes, bytes]
"""A contract's address, or one with the first indexed word of its events (a task, a session, a round), or with that and another
indexed word: one runner in a round."""


@dataclass(frozen=True, slots=True)
class _Read:
    value: Any
    block: int
    last_block: int
    speakers: tuple[Speaker, ...]


class Heard:
    """Fed by the watch alone. As long as nothing feeds it, it knows nothing, and everything is asked from the chain."""

    def __init__(self) -> None:
        self.head_block = -1
        self.undone = 0
        """How many times everything was dropped; who remembers anything of its own drops it when this grows."""
        self._first_block = 0
        self._awaited_block = -1
        self._logs: deque[Log] = deque()
        self._about: dict[Speaker, deque[Log]] = {}
        self._spoke: dict[Speaker, int] = {}
        self._reads: OrderedDict[Hashable, _Read] = OrderedDict()

    def hear(self, first: int, last: int, logs: Iterable[Log]) -> None:
        """Take what all contracts said in blocks `first` to `last`, which follow those heard before."""
        if self.head_block < 0 or first != self.head_block + 1:
            self._drop(first)
        for log in logs:
            self._logs.append(log)
            for speaker in _speakers(log):
                self._spoke[speaker] = log["blockNumber"]
            if len(log["topics"]) > 1:
                self._about.setdefault(_subject(log), deque()).append(log)
        self.head_block = last
        self._forget_before(last - KEPT_BLOCKS)

    def forget(self) -> None:
        """Drop everything: a reorganisation undid some of it."""
        self._drop(0)
        self.undone += 1

    def expect(self, block: int) -> None:
        """Remember nothing that is read before `block` is heard: something of our own was mined in it."""
        self._awaited_block = max(self._awaited_block, block)

    @property
    def as_of(self) -> int | None:
        """Return the block as of which reads are remembered, none while what is known lags behind our own deeds."""
        return self.head_block if self.head_block >= max(0, self._awaited_block) else None

    def logs(
        self, address: str, first: int, last: int, *, topics: Iterable[bytes | None] = ()
    ) -> list[Log] | None:
        """List a contract's logs in some blocks, `None` unless all of these were heard; a topic of None is any."""
        if self.head_block < last or not self._first_block <= first:
            return None
        wanted = list(topics)
        return [
            log
            for log in self._logs
            if log["address"] == address and first <= log["blockNumber"] <= last and _has(log, wanted)
        ]

    def recalled(self, address: str, event: bytes, subject: bytes, *more: bytes) -> list[Log]:
        """List what is kept of one event about a subject, its first indexed word; what is missing may never have been heard."""
        about = self._about.get((address, subject), ())
        return [log for log in about if _has(log, [event, subject, *more])]

    async def once(
        self,
        key: Hashable,
        speakers: tuple[Speaker, ...],
        read: Callable[[int | str], Awaitable[T]],
        *,
        holds: int = HOLDS_BLOCKS,
        settled: Callable[[T], bool] = lambda _: False,
    ) -> T:
        """Return what `read` gave since its speakers last spoke, and at most `holds` blocks ago, or have it read.

        Of a `settled` value only a reorganisation can make another, so it holds for as long as logs are kept.

        `read` takes the block as of which to read: a number, or "latest" while nothing can be remembered. To name it makes
        a node that lags behind another of the same address refuse rather than tell what was.
        """
        for _ in range(_TRIES):
            block = self.as_of
            if block is None:
                break
            kept = self._reads.get(key)
            if kept is not None and self._holds(kept):
                value: T = kept.value
                return value
            undone, given = self.undone, await read(block)
            if undone == self.undone:  # else what was read may be of a block that is no more
                for_good = settled(given)
                last_block = block + (KEPT_BLOCKS if for_good else holds)
                self._keep(key, _Read(given, block, last_block, () if for_good else speakers))
        return await read("latest")

    def _keep(self, key: Hashable, made: _Read) -> None:
        self._reads[key] = made
        self._reads.move_to_end(key)
        while len(self._reads) > _KEPT_READS:
            self._reads.popitem(last=False)

    def _holds(self, kept: _Read) -> bool:
        if kept.block < self._first_block or self.head_block > kept.last_block:
            return False
        return all(self._spoke.get(speaker, -1) <= kept.block for speaker in kept.speakers)

    def _drop(self, first: int) -> None:
        self.head_block, self._first_block = -1, first
        self._logs.clear()
        self._about.clear()
        self._spoke.clear()
        self._reads.clear()

    def _forget_before(self, block: int) -> None:
        if block <= self._first_block:
            return
        self._first_block = block
        while self._logs and self._logs[0]["blockNumber"] < block:
            gone = self._logs.popleft()
            for speaker in _speakers(gone):
                if self._spoke.get(speaker, block) < block:
                    del self._spoke[speaker]
            if len(gone["topics"]) > 1:
                self._forget_about(_subject(gone))

    def _forget_about(self, subject: Speaker) -> None:
        about = self._about[subject]
        about.popleft()
        if not about:
            del self._about[subject]


def _subject(log: Log) -> Speaker:
    return log["address"], bytes(log["topics"][1])


def _speakers(log: Log) -> list[Speaker]:
    address, words = log["address"], [bytes(topic) for topic in log["topics"][1:]]
    return [
        address,
        *((address, word) for word in words[:1]),
        *((address, words[0], word) for word in words[1:]),
    ]


def _has(log: Log, wanted: list[bytes | None]) -> bool:
    topics = log["topics"]
    return len(topics) >= len(wanted) and all(
        one is None or bytes(topics[at]) == one for at, one in enumerate(wanted)
    )
