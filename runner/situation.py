"""What the daemon knows at the moment, and a bell that rings at each new block. Rebuilt at every start; nothing to keep."""

import asyncio
import contextlib
from collections.abc import Mapping

from protocol.documents import ModelOffer
from runner.heard import Heard


class Situation:
    """The head block, what was heard up to it, the models offered, what is wrong with the engine, and whether the owner wants to drain.

    Whoever waits for news does so for at most `patience_s` seconds: a quiet chain must not hide a lost connection.
    """

    def __init__(self, *, patience_s: float = 2.0) -> None:
        self.head_block = -1
        self.heard = Heard()
        self.offers: Mapping[str, ModelOffer] = {}
        self.engine_fault: str | None = "not asked yet"
        self.draining = False
        self.barred_until_block = 0
        """The ban or suspension of this node that the log has told of."""
        self.rings = 0
        self._patience_s = patience_s
        self._rung = asyncio.Condition()
        self._hinted = asyncio.Event()

    async def arrive(self, head_block: int) -> None:
        """Announce a head block, higher or (after a reorganisation) lower than the last."""
        self.head_block = head_block
        await self.ring()

    async def ring(self) -> None:
        """Wake everyone who waits for news."""
        async with self._rung:
            self.rings += 1
            self._rung.notify_all()

    def hint(self) -> None:
        """Note that it may be worth looking at the chain before the next time."""
        self._hinted.set()

    async def hinted(self, *, within_s: float) -> None:
        """Wait for a hint, but no longer than `within_s` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._hinted.wait()
        self._hinted.clear()

    async def news(self, *, since: int) -> None:
        """Wait for a block, or another ring, after the one numbered `since` (a value of `rings` read before looking)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s), self._rung:
                await self._rung.wait_for(lambda: self.rings != since)
