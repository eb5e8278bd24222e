"""What a rehearsal is made of: how much work for how long, and which runner does what wrong. All of it follows from a seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devnet.conduct import Conduct
from protocol.errors import InputError

LEAST_RUNNERS: Final = 5
"""A panel is three runners beside the accused, and one of five lies."""
_EVERYTHING: Final = 9
"""Runners from which on every kind of misconduct has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakPlan:
    """A rehearsal: `tasks` orders, of which `at_once` are under way, for `minutes` at most before no more are placed.

    `fault_every_s` seconds lie between two faults on average; 0 is none at all. Blocks come every `block_time_s` seconds
    and never in between. `await_liars`: go on until
    lying monitors are marked, which takes two to three monitoring epochs of 80 blocks. `sessions`: two learning sessions are
    held meanwhile.
    """

    tasks: int = 40
    minutes: float = 10.0
    runners: int = 6
    seed: int = 1
    at_once: int = 3
    fault_every_s: float = 15.0
    block_time_s: int = 1
    await_liars: bool = True
    chats: bool = True
    commands: bool = True
    sessions: bool = True

    def __post_init__(self) -> None:
        if self.runners < LEAST_RUNNERS:
            raise InputError(
                f"--runners: {self.runners} are too few",
                field="--runners",
                hint=f"Use {LEAST_RUNNERS} or more: an audit needs three that are not its subject.",
            )
        if self.tasks < 1:
            raise InputError("--tasks: nothing to do", field="--tasks", hint="Use 1 or more.")

    @property
    def conducts(self) -> Mapping[int, Conduct]:
        """Return which runners, counted from 0, misbehave, and how."""
        found = {0: Conduct.MADE_UP, 1: Conduct.LYING_MONITOR}
        if self.runners > LEAST_RUNNERS:
            found[2] = Conduct.SLOW
        if self.runners >= _EVERYTHING:
            found[3] = random.Random(self.seed).choice([Conduct.OTHER_PROMPT, Conduct.PADDED])  # noqa: S311
        if self.sessions and self.runners > LEAST_RUNNERS:
            found[len(found)] = Conduct.HALF_TRAINED
        return found

    @property
    def crashing(self) -> tuple[int, ...]:
        """List the runners that are killed at random: honest ones, the last of all."""
        count = 2 if self.runners >= _EVERYTHING else 1
        return tuple(range(self.runners - count, self.runners))

    @property
    def cheats(self) -> tuple[int, ...]:
        """List the runners whose answers are not what they claim to be."""
        return tuple(number for number, conduct in self.conducts.items() if conduct.is_cheating)

    @property
    def half_trained(self) -> tuple[int, ...]:
        """List the runners that train less than they say, and answer honestly."""
        return tuple(number for number, conduct in self.conducts.items() if conduct is Conduct.HALF_TRAINED)

    @property
    def liars(self) -> tuple[int, ...]:
        """List the monitors that lie."""
        return tuple(number for number, conduct in self.conducts.items() if conduct is Conduct.LYING_MONITOR)

    def role_of(self, number: int) -> str:
        """Return in words what a runner is."""
        if number in self.conducts:
            return self.conducts[number].value
        return "crashing" if number in self.crashing else "honest"
