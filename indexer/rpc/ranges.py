"""How many blocks to ask for at once: grows while answers are small and quick, shrinks when they are not.

A node that names its limit is believed for good: waiting never helps, the same range always meets the same cap.
"""

from dataclasses import dataclass

START_BLOCKS = 20
SMALL_BYTES = 1_500_000
TINY_BYTES = 180_000
"""Four times as many blocks would still be a small answer: where little happens, the right width is found in half the steps."""
LARGE_BYTES = 4_000_000
QUICK_S = 2.0
SLOW_S = 6.0


@dataclass(slots=True)
class RangeSize:
    """Blocks per log query; never above `cap`."""

    cap: int
    blocks: int = 0

    def __post_init__(self) -> None:
        """Start small enough for any node."""
        self.blocks = min(START_BLOCKS, self.cap)

    def answered(self, *, size_bytes: int, seconds: float, width: int) -> None:
        """Learn from an answer to a query of `width` blocks."""
        if size_bytes > LARGE_BYTES or seconds > SLOW_S:
            self.blocks = max(1, min(self.blocks, width // 2))
        elif size_bytes < SMALL_BYTES and seconds < QUICK_S and width >= self.blocks:
            self.blocks = min(self.cap, self.blocks * (4 if size_bytes < TINY_BYTES else 2))

    def refused(self, *, cap: int | None, width: int) -> None:
        """Learn from a refusal of `width` blocks; `cap` is the limit the node named, if it did."""
        if cap is not None and cap >= 1:
            self.cap = min(self.cap, cap)
        self.blocks = max(1, min(self.blocks, self.cap, width // 2))
