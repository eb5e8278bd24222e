"""How far and how fast: for the log line, `/status` and the metrics."""

import time
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

REPORT_EVERY_S = 5.0


@dataclass(slots=True)
class Progress:
    """Counts of one process. Heights are blocks; `events` counts all folded events."""

    first: int = 0
    last: int = 0
    reached_block: int = 0
    events: int = 0
    reorgs: int = 0
    deepest_reorg: int = 0
    failures: int = 0
    _began: float = field(default_factory=time.monotonic)
    _events_at_begin: int = 0
    _reported: float = 0.0

    def begin(self, *, first: int, last: int) -> None:
        """Start a backfill of the blocks."""
        self.first, self.last, self.reached_block = first, last, first - 1
        self._began = self._reported = time.monotonic()
        self._events_at_begin = self.events
        log.info("backfill", first_block=first, last_block=last)

    def reached(self, block: int, *, events: int) -> None:
        """Note that blocks up to `block` are folded; report every few seconds."""
        self.reached_block = block
        self.events += events
        now = time.monotonic()
        if now - self._reported >= REPORT_EVERY_S or block == self.last:
            self._reported = now
            log.info(
                "backfill",
                block=block,
                percent=round(100 * (block - self.first + 1) / (self.last - self.first + 1), 1),
                events_per_s=round(self.events_per_s()),
                remaining_s=round(self.remaining_s(), 1),
            )

    def events_per_s(self) -> float:
        """Return the rate since the backfill began."""
        return (self.events - self._events_at_begin) / max(time.monotonic() - self._began, 1e-9)

    def remaining_s(self) -> float:
        """Estimate the seconds until `last`, at the pace in blocks so far."""
        done = max(self.reached_block - self.first + 1, 1)
        return (time.monotonic() - self._began) * (self.last - self.reached_block) / done

    def live(self, *, block: int, events: int, reorg_depth: int | None) -> None:
        """Note a committed step of following the head."""
        self.reached_block = self.last = block
        self.events += events
        if reorg_depth is not None:
            self.reorgs += 1
            self.deepest_reorg = max(self.deepest_reorg, reorg_depth)
