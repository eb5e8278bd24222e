"""How players behave: what they answer as runners, and what they vote as auditors."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

MERIT = 550_000
"""The score, in millionths, from which on the patient cheat thinks that nobody looks any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """`cheats` chooses whether to make an answer up, from the runner's score; `votes` is what an auditor does.

    A ring's members pass each other's answers, whatever they are.
    """

    name: str
    cheats: Callable[[random.Random, int], bool]
    looks: bool = True
    condemns: bool = False
    ring: bool = False


def never(_chance: random.Random, _score: int) -> bool:
    """Do the work."""
    return False


def always(_chance: random.Random, _score: int) -> bool:
    """Never do the work."""
    return True


def now_and_then(chance: random.Random, _score: int) -> bool:
    """Make up one answer in ten."""
    return chance.random() < 0.1


def once_trusted(_chance: random.Random, score: int) -> bool:
    """Do the work until the score is good, and live on it."""
    return score >= MERIT


HONEST: Final = Strategy(name="honest", cheats=never)
STRATEGIES: Final[tuple[Strategy, ...]] = (
    HONEST,
    Strategy(name="always cheats", cheats=always),
    Strategy(name="cheats one time in ten", cheats=now_and_then),
    Strategy(name="earns trust, then cheats", cheats=once_trusted),
    Strategy(name="audits without looking: valid", cheats=never, looks=False),
    Strategy(name="audits without looking: invalid", cheats=never, looks=False, condemns=True),
    Strategy(name="ring: cheats, passes its own", cheats=always, ring=True),
)
MIX: Final[Mapping[str, int]] = {
    "honest": 24,
    "always cheats": 3,
    "cheats one time in ten": 3,
    "earns trust, then cheats": 3,
    "audits without looking: valid": 3,
    "audits without looking: invalid": 3,
    "ring: cheats, passes its own": 4,
}
"""Runners by strategy: an honest majority of panels, as the rules presuppose."""
