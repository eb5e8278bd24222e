"""Claims by lottery among more and more runners, played: how long a task waits for one that is free and has its model."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from protocol.lottery import OVERSUBSCRIPTION
from runner.claiming import STAGGER_BLOCKS

WIDENING_BLOCKS: Final = 2
"""Of the profile for Filecoin."""
_LONGEST: Final = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Blocks from the draw to the claim of tasks with one seat; `unclaimed` is the share that nobody took in 240 blocks."""

    runners: int
    able: float
    median: float
    p99: float
    unclaimed: float


def play(runners: int, able: float, *, tasks: int, seed: int) -> Waits:
    """Draw tickets for `tasks`; a runner is `able` (free, with the model, at the price) with that chance at each turn of its own."""
    chance = np.random.default_rng(seed)
    waits = np.array([_wait(runners, able, chance) for _ in range(tasks)])
    claimed = waits[waits > 0]
    return Waits(
        runners=runners,
        able=able,
        median=float(np.median(claimed)) if len(claimed) else float("nan"),
        p99=float(np.quantile(claimed, 0.99)) if len(claimed) else float("nan"),
        unclaimed=float(np.mean(waits < 0)),
    )


def _wait(runners: int, able: float, chance: np.random.Generator) -> int:
    """Return the block of the claim, from 1; -1 for none. The lowest tickets come in order: gaps of an exponential law."""
    first = 1 / runners * OVERSUBSCRIPTION
    most = int(min(runners, OVERSUBSCRIPTION * (1 + _LONGEST // WIDENING_BLOCKS) * 2))
    tickets = np.cumsum(chance.exponential(1 / runners, most))
    for waited in range(1, _LONGEST + 1, STAGGER_BLOCKS):
        limit = min(1.0, first * (1 + waited // WIDENING_BLOCKS))
        admitted = int(np.searchsorted(tickets, limit, side="right"))
        rank = (waited - 1) // STAGGER_BLOCKS % max(admitted, 1)
        if rank < admitted and chance.random() < able:
            return waited
    return -1
