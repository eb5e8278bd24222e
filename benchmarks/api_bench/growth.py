"""The six queries over ever more tasks, at 16 clients: a table, and with --write docs/images/api-growth.svg.

Usage: python -m benchmarks.api_bench.growth [--write] [--seconds S] [--tasks N ...]      JSON=1 prints a document a line

A document's peer is the same query over the fewest tasks.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.api_bench.__main__ import run
from benchmarks.api_bench.queries import NAMED
from benchmarks.scaling.plot import Line, log_log

SIZES = (10_000, 100_000, 1_000_000)
CLIENTS = 16
PLOT = Path("docs/images/api-growth.svg")

Figures = Mapping[str, Mapping[int, Mapping[str, float]]]
"""By query and number of tasks: what was measured."""


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help=f"draw {PLOT}")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each query and size")
    parser.add_argument("--tasks", type=int, nargs="+", default=list(SIZES), metavar="N")
    asked = parser.parse_args()
    sizes = sorted(asked.tasks)
    figures = measured(sizes, seconds=asked.seconds)
    if asked.write:
        PLOT.write_text(drawn(figures), encoding="utf-8")
    shown = documents(figures, sizes) if os.environ.get("JSON") else table(figures, sizes)
    print("\n".join(shown))


def measured(sizes: Sequence[int], *, seconds: float) -> Figures:
    """Measure our server over each size."""
    figures: dict[str, dict[int, Mapping[str, float]]] = {named.name: {} for named in NAMED}
    for tasks in sizes:
        rows: list[dict[str, Any]] = asyncio.run(
            run(tasks, seconds=seconds, alone=True, seed=1, clients=[CLIENTS])
        )
        for row in rows:
            figures[row["query"]][tasks] = row["parity"]
    return figures


def table(figures: Figures, sizes: Sequence[int]) -> Iterator[str]:
    """Write p50, p99 and answers a second as Markdown."""
    yield "| query | " + " | ".join(f"{tasks:,} tasks: p50, p99 ms, answers/s" for tasks in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for name, by_size in figures.items():
        cells = (
            f"{one['p50_ms']:.1f}, {one['p99_ms']:.1f}, {one['rate']:.0f}"
            for one in (by_size[tasks] for tasks in sizes)
        )
        yield f"| {name} | " + " | ".join(cells) + " |"


def documents(figures: Figures, sizes: Sequence[int]) -> Iterator[str]:
    """Write one document for each query, size and figure."""
    for name, by_size in figures.items():
        for tasks in sizes:
            for figure in ("p50_ms", "p99_ms"):
                ours, peer = by_size[tasks][figure], by_size[sizes[0]][figure]
                yield json.dumps(
                    {
                        "name": f"{name}, {tasks} tasks, {figure.removesuffix('_ms')}",
                        "ours": ours,
                        "peer": peer,
                        "ratio": round(peer / ours, 3),
                        "unit": "ms",
                    }
                )


def drawn(figures: Figures) -> str:
    """Draw the 99th percentile of each query by the number of tasks."""
    lines = [
        Line(name, [(float(tasks), one["p99_ms"]) for tasks, one in sorted(by_size.items())])
        for name, by_size in figures.items()
    ]
    return log_log(f"p99 of an answer in ms, {CLIENTS} clients", bottom="tasks in the index", lines=lines)


if __name__ == "__main__":
    main()
