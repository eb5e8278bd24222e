"""How often one endpoint is asked: a token bucket that learns from the node's refusals.

Public endpoints publish no limit, so it is found: halved at each "too many requests", raised a little after every
score of good answers. A node of one's own starts without a limit and gets one only when it asks for it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

BURST_S = 1.0
"""A pause of this long saves up at most as many requests as it would have taken."""
BACK_OFF = 0.5
RAISE = 1.1
RAISE_AFTER = 20
LOWEST_PER_S = 1.0
FIRST_PER_S = 20.0
"""What an endpoint without a limit is taken to have been sent when it refuses for the first time, at least."""


@dataclass(slots=True)
class RequestRate:
    """Requests a second that an endpoint is sent at most; None while there is no limit."""

    per_s: float | None
    clock: Callable[[], float] = time.monotonic
    _tokens: float = field(default=1.0, init=False)
    _filled_at: float = field(default=0.0, init=False)
    _successes: int = field(default=0, init=False)
    _sent_at: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Start with a full bucket."""
        self._filled_at = self.clock()
        self._tokens = self._capacity()

    def _capacity(self) -> float:
        return max(1.0, (self.per_s or 0.0) * BURST_S)

    def take(self, requests: int) -> float:
        """Take tokens for a batch, which counts as so many requests; give the seconds to wait before sending it."""
        now = self.clock()
        self._sent_at = [*(at for at in self._sent_at if now - at < 1), *[now] * requests]
        if self.per_s is None:
            return 0.0
        self._tokens = min(self._capacity(), self._tokens + (now - self._filled_at) * self.per_s)
        self._filled_at = now
        # May go below zero: whoever comes next waits for this one's share as well.
        self._tokens -= requests
        return max(0.0, -self._tokens / self.per_s)

    def succeeded(self) -> None:
        """Raise the limit a little after many good answers."""
        self._successes += 1
        if self.per_s is not None and self._successes >= RAISE_AFTER:
            self._successes = 0
            self.per_s *= RAISE

    def refused(self) -> None:
        """Halve the limit; without one, start from half of what the last second saw."""
        self._successes = 0
        current = self.per_s if self.per_s is not None else max(FIRST_PER_S, float(len(self._sent_at)))
        self.per_s = max(LOWEST_PER_S, current * BACK_OFF)
        self._filled_at = self.clock()
        self._tokens = min(self._tokens, 0.0)

    async def wait(self, requests: int) -> None:
        """Wait until a batch of so many requests may be sent."""
        pause_s = self.take(requests)
        if pause_s > 0:
            await asyncio.sleep(pause_s)
