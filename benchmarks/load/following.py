"""When the index has each block, noted in a thread of its own: whoever signs by the thousand would notice late."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import asyncpg

CHANNEL: Final = "parity_block"
_START_S: Final = 10
_PATIENCE_S: Final = 300.0
_POLL_S: Final = 0.005


class Follower:
    """Listens to what the indexer tells of its commits. `noted` has (moment of `time.perf_counter`, newest block indexed)."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._listening = threading.Event()
        self._over = threading.Event()
        self.noted: list[tuple[float, int]] = []

    @classmethod
    @contextmanager
    def of(cls, dsn: str) -> "Iterator[Follower]":
        """Listen until the block is left."""
        follower = cls(dsn)
        thread = threading.Thread(target=lambda: asyncio.run(follower._listen()), daemon=True)
        thread.start()
        if not follower._listening.wait(_START_S):
            raise TimeoutError(f"nothing could be listened to within {_START_S} s")
        try:
            yield follower
        finally:
            follower._over.set()
            thread.join()

    @property
    def newest(self) -> int:
        """Return the newest block that the index has told of; -1 before the first."""
        return self.noted[-1][1] if self.noted else -1

    async def reach(self, number: int) -> None:
        """Wait until the index has a block; `TimeoutError` after five minutes."""
        async with asyncio.timeout(_PATIENCE_S):
            while self.newest < number:  # noqa: ASYNC110 (noted by another thread)
                await asyncio.sleep(_POLL_S)

    def lags_ms(self, mined: Mapping[int, float]) -> list[float]:
        """Return for each block how long after the moment it was mined the index had it, in milliseconds; 0 where it was as soon."""
        had: list[float] = []
        notes = iter(self.noted)
        at, newest = next(notes, (0.0, -1))
        for number in sorted(mined):
            while newest < number:
                at, newest = next(notes)
            had.append(max(0.0, 1000 * (at - mined[number])))
        return had

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.add_listener(CHANNEL, self._note)
            self._listening.set()
            while not self._over.is_set():  # noqa: ASYNC110 (set by another thread)
                await asyncio.sleep(0.05)
        finally:
            await connection.close()

    def _note(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self.noted.append((time.perf_counter(), int(json.loads(str(payload))["number"])))
