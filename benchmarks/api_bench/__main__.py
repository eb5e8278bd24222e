"""Measure the API beside PostGraphile; `make bench-api`, or with `--tasks 2000 --seconds 0.3 --alone` as a smoke test."""

import argparse
import asyncio
import json
import os
import random
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.api_bench.contestants import Contestant, install_peer, ours, postgraphile
from benchmarks.api_bench.kept import filled
from benchmarks.api_bench.load import Measured, measure, warm
from benchmarks.api_bench.queries import NAMED, Question

CLIENTS = (1, 16, 128)
_DIFFERENT = 2_000
"""Requests with different variables that are asked in turn."""
_WARMED_A_SECOND = 400
"""How many of them are asked before anything is measured, for each second of a measurement."""


def main() -> None:
    """Read the command line, measure, and print a table (or a document, with JSON=1)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each query and number of clients")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="this query alone; may be repeated", metavar="QUERY")
    asked = parser.parse_args()
    rows = asyncio.run(
        run(asked.tasks, seconds=asked.seconds, alone=asked.alone, seed=asked.seed, only=asked.only)
    )
    if os.environ.get("JSON"):
        print(json.dumps({"tasks": asked.tasks, "rows": rows}))
    else:
        print("\n".join(table(rows)))


async def run(
    tasks: int,
    *,
    seconds: float,
    alone: bool,
    seed: int,
    only: Sequence[str] | None = None,
    clients: Sequence[int] = CLIENTS,
) -> list[dict[str, Any]]:
    """Measure every query at every number of clients; contestants take turns, so that both see the same machine."""
    rows: list[dict[str, Any]] = []
    async with _contestants(tasks, alone=alone) as contestants:
        for named in NAMED:
            if only and named.name not in only:
                continue
            asked = {
                name: _bodies(named.ours if name == "parity" else named.peer, tasks, seed=seed)
                for name in contestants
            }
            # Who is asked first would fetch from the disk what the other then finds in memory.
            for name, contestant in contestants.items():
                await warm(contestant.url, asked[name][: int(_WARMED_A_SECOND * seconds)])
            for many in clients:
                row: dict[str, Any] = {"query": named.name, "clients": many}
                order = list(contestants.items())
                for name, contestant in order if len(rows) % 2 else reversed(order):
                    row[name] = await _measured(contestant, asked[name], clients=many, seconds=seconds)
                rows.append(row)
    return rows


@asynccontextmanager
async def _contestants(tasks: int, *, alone: bool) -> AsyncIterator[dict[str, Contestant]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-bench-")))
        url = await stack.enter_async_context(filled(tasks))
        found = {"parity": await stack.enter_async_context(ours(url, folder))}
        if not alone:
            peer = await asyncio.to_thread(install_peer)
            found["postgraphile"] = await stack.enter_async_context(postgraphile(url, peer))
        yield found


def _bodies(question: Question, tasks: int, *, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    return [
        json.dumps({"query": question.query, "variables": question.variables(chance, tasks)}).encode()
        for _ in range(_DIFFERENT)
    ]


async def _measured(
    contestant: Contestant, bodies: list[bytes], *, clients: int, seconds: float
) -> dict[str, float]:
    before_s = contestant.processor_s()
    measured = await measure(contestant.url, bodies, clients=clients, seconds=seconds)
    # The first answer of each client is not among the measured ones, but costs the same.
    cpu_ms = 1000 * (contestant.processor_s() - before_s) / (measured.answers + clients)
    return _plain(measured) | {"cpu_ms": round(cpu_ms, 2)}


def _plain(measured: Measured) -> dict[str, float]:
    return {
        "rate": round(measured.rate, 1),
        "p50_ms": round(measured.p50_ms, 2),
        "p99_ms": round(measured.p99_ms, 2),
    }


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Write the rows as Markdown."""
    names = [name for name in ("parity", "postgraphile") if rows and name in rows[0]]
    yield (
        "| query | clients | "
        + " | ".join(f"{name}: answers/s, p50, p99, processor ms" for name in names)
        + " |"
    )
    yield "|---|---|" + "---|" * len(names)
    for row in rows:
        figures = [
            f"{row[n]['rate']:.0f}, {row[n]['p50_ms']:.1f}, {row[n]['p99_ms']:.1f}, {row[n]['cpu_ms']:.2f}"
            for n in names
        ]
        yield f"| {row['query']} | {row['clients']} | " + " | ".join(figures) + " |"


if __name__ == "__main__":
    main()
