"""Which benchmarks there are, how each is run, whole and small, and beside whom."""

import sys
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A benchmark.

    `repeats`: how it repeats itself, for one that takes its own medians or comes out the same every time.
    `rivals`: the peers whose rows the one table has, where others are limits or say how much an attack costs; else all.
    """

    name: str
    beside: str
    argv: tuple[str, ...]
    quick: tuple[str, ...] = ()
    repeats: str = ""
    rivals: tuple[str, ...] = ()

    def command(self, *, quick: bool) -> list[str]:
        """Return the command to run."""
        return [*self.argv, *(self.quick if quick else ())]


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"benchmarks.{name}")


SUITES: Final = (
    Suite(name="gas", beside="iExec PoCo", argv=("toolchain/gas",), repeats="exact"),
    Suite(
        name="indexer",
        beside="Ponder; the raw bound",
        argv=(sys.executable, "benchmarks/indexing"),
        quick=("--smoke",),
        repeats="3",
    ),
    Suite(
        name="api",
        beside="PostGraphile",
        argv=_module("api_bench"),
        quick=("--tasks", "20000", "--seconds", "1", "--alone"),
    ),
    Suite(
        name="streaming",
        beside="the bare engine",
        argv=_module("streaming"),
        quick=("--rounds", "3"),
        repeats="9 answers",
    ),
    Suite(
        name="learning",
        beside="a bare torch loop; Flower",
        argv=_module("learning"),
        quick=("--tiny", "training", "aggregation", "secagg", "privacy", "robustness", "cheats"),
        repeats="its seeds",
        rivals=("bare torch loop", "Flower", "Flower deployed", "Flower, 10M", "Flower, 1M x 10"),
    ),
    Suite(
        name="verification",
        beside="comparing texts",
        argv=(*_module("verification"), "--pairs", "100"),
        quick=("--pairs", "20"),
        repeats="100 prompts",
    ),
    Suite(
        name="economics",
        beside="honest runners",
        argv=_module("economics"),
        quick=("--seeds", "1"),
        repeats="5 seeds",
    ),
    Suite(
        name="idle",
        beside="what an idle runner may cost",
        argv=_module("idle"),
        quick=("--runners", "3", "--blocks", "40"),
    ),
    Suite(
        name="load",
        beside="itself at its smallest size",
        argv=_module("load"),
        quick=("--quick",),
    ),
    Suite(name="up", beside="a cold start", argv=_module("everything.starting")),
)
