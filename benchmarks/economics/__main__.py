"""Play cheats, lazy auditors and a ring against honest runners over 10,000 audited tasks, and print profit by strategy.

The rules and their parameters are the contracts' on Filecoin; what they cannot know is assumed and printed: work costs 60 %
of the reward, an audit 2 %, an auditor who looks errs on one bad answer in a hundred and one good one in a thousand.

Usage: python -m benchmarks.economics [--seeds N] [--tasks N]      JSON=1 prints one document a line
"""

import argparse
import dataclasses
import json
import os
import statistics
from collections.abc import Iterator

from benchmarks.economics.market import Market, Result, World
from protocol.money import USDFC


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One strategy over several seeds: medians; amounts in USDFC for each player, `beside_honest` its profit over theirs."""

    strategy: str
    players: int
    answered: float
    cheated: float
    caught: float
    pay: float
    wages: float
    lost: float
    cost: float
    profit: float
    beside_honest: float


def rows(world: World, *, seeds: int) -> Iterator[Row]:
    """Play once for each seed, and take medians."""
    plays = [list(Market(world, seed=seed).run().results()) for seed in range(seeds)]
    honest = statistics.median(play[0].profit for play in plays)
    for results in zip(*plays, strict=True):
        yield _row(results, honest=honest)


def _row(results: tuple[Result, ...], *, honest: float) -> Row:
    players = results[0].players

    def each(name: str, unit: int = 1) -> float:
        return statistics.median(getattr(result, name) for result in results) / unit / players

    profit = statistics.median(result.profit for result in results)
    return Row(
        strategy=results[0].strategy,
        players=players,
        answered=each("answered"),
        cheated=each("cheated"),
        caught=each("caught"),
        pay=each("pay", USDFC),
        wages=each("wages", USDFC),
        lost=each("lost", USDFC),
        cost=each("cost", USDFC),
        profit=profit / USDFC,
        beside_honest=profit / honest,
    )


def main() -> None:
    """Print the table, or with JSON=1 one document a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.economics")
    parser.add_argument("--seeds", type=int, default=5, help="plays of which medians are taken")
    parser.add_argument("--tasks", type=int, default=10_000)
    arguments = parser.parse_args()
    found = rows(World(tasks=arguments.tasks), seeds=arguments.seeds)
    if os.environ.get("JSON") == "1":
        for row in found:
            print(json.dumps(dataclasses.asdict(row)))
        return
    names = ("answered", "cheated", "caught", "pay", "wages", "lost", "cost", "profit", "beside_honest")
    print(f"{'strategy':<34}{'players':>8}" + "".join(f"{name.replace('_', ' '):>14}" for name in names))
    for row in found:
        figures = "".join(f"{getattr(row, name):>14.3f}" for name in names)
        print(f"{row.strategy:<34}{row.players:>8}{figures}")


if __name__ == "__main__":
    main()
