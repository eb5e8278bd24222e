"""Which faults there are: each process and dependency, at each step of a task's life. What is left to chance follows from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from devnet.faults.cable import Cut

CUSTOMER: Final = "client"
RUNNER: Final = "runner"
EVERYBODY: Final = "everybody"

DEPENDENCIES: Final = {
    CUSTOMER: ("chain", "ipfs", "server"),
    "indexer": ("chain", "postgres", "ipfs"),
    "server": ("chain", "postgres", "ipfs"),
    RUNNER: ("chain", "ipfs", "engine", "server"),
}
"""What each of our processes depends on. The chain is one node here; elsewhere it is many, so it is cut off and never killed."""
PARTS: Final = ("postgres", "ipfs", "engine")
"""What is killed besides."""
_SHORTEST_S, _LONGEST_S = 3.0, 6.0


class Step(Enum):
    """A step of a task with two seats; its value is what has just happened when the fault comes."""

    ORDERING = "before the order"
    OPEN = "ordered"
    CLAIMED = "first seat claimed"
    COMMITTED = "first answer committed"
    REVEALED = "first answer revealed"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Fault:
    """A process that is killed without warning, or, with a `dependency`, cut off from it."""

    process: str
    dependency: str | None = None

    @property
    def name(self) -> str:
        """Return the fault in words."""
        if self.dependency is None:
            return f"kill -9 of {self.process}"
        return f"{self.process} cut off from {self.dependency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault at one step, lasting `down_s` seconds; `how` is meant for cuts. A runner is the first to reach the step."""

    fault: Fault
    step: Step
    how: Cut
    down_s: float

    @property
    def key(self) -> str:
        """Name the cell."""
        return f"{self.fault.name}: {self.step.value}"


def faults() -> Iterator[Fault]:
    """List all faults."""
    for process in (*DEPENDENCIES, *PARTS):
        yield Fault(process)
    for process, needed in DEPENDENCIES.items():
        for dependency in needed:
            yield Fault(process, dependency)
    yield Fault(EVERYBODY, "chain")


def cells(seed: int) -> list[Cell]:
    """List all cells in the order in which they are tried, which is random so that a part of them says something of all."""
    chance = random.Random(seed)  # noqa: S311 (a rehearsal must be the same again)
    made = [
        Cell(
            fault=fault,
            step=step,
            how=chance.choice(list(Cut)),
            down_s=round(chance.uniform(_SHORTEST_S, _LONGEST_S), 1),
        )
        for fault in faults()
        for step in Step
    ]
    chance.shuffle(made)
    return made
