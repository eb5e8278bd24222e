"""Race the indexer against Ponder and against the raw bound, over the same chains and database. See docs/benchmarks.md.

python benchmarks/indexing                 the whole race: three runs each, medians
python benchmarks/indexing --smoke         seconds: tiny chains, no Ponder; fails when rows are missing
python benchmarks/indexing --only growth   the index at 10 and 100 times its size, instead of the race
JSON=1 python benchmarks/indexing          one JSON document a line
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from chains import ROOT, BenchChain, Shape, chain_of
from contestants import AS_INSTALLED, Contestant, backfill_cost, ours, ponder
from growth import Size
from growth import measure as growth_of
from latency import latencies_ms, percentile
from metering import Cost, cpu_s, metered, peak_mib

from devnet.postgres import Postgres

DENSE = Shape(name="dense", events=200_000, per_block=200)
SPARSE = Shape(name="sparse", events=20_000, per_block=4)
SMOKE = [Shape(name="dense", events=4_000, per_block=200), Shape(name="sparse", events=400, per_block=4)]
PONDERS = ("1.0.0", "0.17.7")
RUNS = 3
LATENCY_SAMPLES = 100
MiB_LIMIT = 250
OUR_TASKS = "SELECT count(*) FROM public.tasks"
PONDERS_TASKS = "SELECT count(*) FROM bench.tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure; `ratio` says how much better ours is, above 1 being better."""

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str


@dataclass(slots=True)
class Race:
    """What is shared by all contestants of one chain."""

    chain: BenchChain
    postgres: Postgres
    folder: Path
    runs: int
    number: int = 0

    async def lane(self) -> tuple[str, Path]:
        """Return an empty database and an empty folder."""
        self.number += 1
        name = f"bench_{self.chain.shape.name}_{self.number}"
        folder = self.folder / name
        folder.mkdir()
        return await self.postgres.create_database(name), folder

    @property
    def servers(self) -> list[int]:
        """Processes that all contestants use."""
        return [self.postgres.process.pid, self.chain.anvil.process.pid]

    async def cost(self, make: Callable[[str, Path], Contestant]) -> Cost:
        """Index the chain once."""
        database_url, folder = await self.lane()
        contestant = make(database_url, folder)
        cost = await backfill_cost(
            contestant, self.chain, database_url, servers=self.servers, log=folder / "log.txt"
        )
        await self.postgres.drop_database(f"bench_{self.chain.shape.name}_{self.number}")
        return cost

    async def raw_cost(self) -> Cost:
        """Fetch, decode and COPY the chain once."""
        database_url, folder = await self.lane()
        ours(self.chain, database_url, folder)  # writes the deployment
        blocks = await self.chain.anvil.block_number()
        width = max(1, 2_000 // self.chain.shape.per_block)
        argv = [str(Path(__file__).with_name("raw_bound.py")), self.chain.url, database_url, str(folder)]
        cost = Cost()
        with metered(cost, servers=self.servers):
            process = await asyncio.create_subprocess_exec(
                sys.executable, *argv, str(blocks), str(width), env={**os.environ, **AS_INSTALLED}
            )
            while process.returncode is None:
                cost.peak_mib = max(cost.peak_mib, peak_mib(process.pid))
                cost.own_cpu_s = max(cost.own_cpu_s, cpu_s([process.pid]))
                await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=0.05)
        if process.returncode:
            raise RuntimeError(f"the raw bound ended with {process.returncode}")
        await self.postgres.drop_database(f"bench_{self.chain.shape.name}_{self.number}")
        return cost

    async def medians(self, contestants: dict[str, Callable[[], Awaitable[Cost]]]) -> dict[str, Cost]:
        """Run all in turn, some times, so that a busy moment of the machine meets all alike; give the medians."""
        costs: dict[str, list[Cost]] = {name: [] for name in contestants}
        for _ in range(self.runs):
            for name, once in contestants.items():
                cost = await once()
                load = os.getloadavg()[0]
                say(
                    f"  {self.chain.shape.name:7} {name:16} {cost.wall_s:7.2f} s wall {cost.own_cpu_s:6.2f} s own CPU"
                    f" {cost.servers_cpu_s:6.2f} s servers {cost.peak_mib:6.0f} MiB  load {load:.1f}"
                )
                costs[name].append(cost)
        return {name: middle_of(found) for name, found in costs.items()}


def middle_of(costs: list[Cost]) -> Cost:
    """Return the median of each figure, and the highest peak of memory."""
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs),
        own_cpu_s=statistics.median(cost.own_cpu_s for cost in costs),
        servers_cpu_s=statistics.median(cost.servers_cpu_s for cost in costs),
        peak_mib=max(cost.peak_mib for cost in costs),
    )


def say(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr, flush=True)


async def race_on(
    shape: Shape, postgres: Postgres, folder: Path, *, peers: list[str], runs: int
) -> list[Line]:
    """Index one chain by everybody in turn."""
    async with chain_of(shape) as chain:
        race = Race(chain, postgres, folder, runs)
        contestants: dict[str, Callable[[], Awaitable[Cost]]] = {
            "parity-indexer": lambda: race.cost(lambda url, lane: ours(chain, url, lane)),
            "raw bound": race.raw_cost,
        }
        for version in peers:
            contestants[f"ponder {version}"] = lambda version=version: race.cost(  # type: ignore[misc]
                lambda url, lane: ponder(version, chain, url, lane)
            )
        costs = await race.medians(contestants)
        mine = costs.pop("parity-indexer")
        lines = [Line(name=f"{shape.name}, events", ours=chain.events, peer=None, ratio=None, unit="events")]
        for peer, theirs in costs.items():
            name = f"{shape.name}, {peer}"
            lines += [
                compared(name, mine.wall_s, theirs.wall_s, unit="s"),
                compared(f"{name}, CPU", cpu(mine), cpu(theirs), unit="CPU s"),
                compared(f"{name}, peak memory", mine.peak_mib, theirs.peak_mib, unit="MiB"),
            ]
        lines.append(compared(f"{shape.name}, peak memory limit", mine.peak_mib, MiB_LIMIT, unit="MiB"))
        return lines


def cpu(cost: Cost) -> float:
    """Return the CPU time of the contestant and of what the chain and the database did for it."""
    return cost.own_cpu_s + cost.servers_cpu_s


def compared(name: str, mine: float, theirs: float, *, unit: str) -> Line:
    """Set a figure beside the peer's; less is better."""
    return Line(
        name=name, ours=round(mine, 2), peer=round(theirs, 2), ratio=round(theirs / mine, 2), unit=unit
    )


async def live(postgres: Postgres, folder: Path, *, peers: list[str], samples: int) -> list[Line]:
    """Measure how long a committed transaction takes to be seen."""
    lines = []
    mine: list[float] = []
    for name in ("ours", *peers):
        async with chain_of(Shape(name="live", events=500, per_block=25)) as chain:
            database = f"bench_live_{name.replace('.', '_')}"
            url = await postgres.create_database(database)
            lane = folder / database
            lane.mkdir()
            is_ours = name == "ours"
            contestant = ours(chain, url, lane) if is_ours else ponder(name, chain, url, lane, ws=True)
            found = await latencies_ms(
                contestant,
                chain,
                url,
                samples=samples,
                first=chain.shape.events,
                rows=OUR_TASKS if is_ours else PONDERS_TASKS,
                log=lane / "log.txt",
            )
            say(
                f"  live    {contestant.name:16} p50 {percentile(found, 0.5):.1f} ms p95 {percentile(found, 0.95):.1f} ms"
            )
            mine = found if is_ours else mine
            for share, label in ((0.5, "p50"), (0.95, "p95")):
                if is_ours and not peers:
                    value = round(percentile(found, share), 1)
                    lines.append(Line(name=f"live, {label}", ours=value, peer=None, ratio=None, unit="ms"))
                elif not is_ours:
                    row = compared(
                        f"live, {label}, ponder {name} with ws",
                        percentile(mine, share),
                        percentile(found, share),
                        unit="ms",
                    )
                    lines.append(row)
    return lines


async def race(arguments: argparse.Namespace) -> list[Line]:
    """Run everything that was asked for."""
    peers = [] if arguments.smoke or arguments.alone else list(arguments.peers or PONDERS)
    shapes = SMOKE if arguments.smoke else [DENSE, SPARSE]
    runs = 1 if arguments.smoke else arguments.runs
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as scratch:
        folder = Path(scratch)
        async with Postgres.start(folder=folder / "data") as postgres:
            for shape in shapes:
                if not arguments.only or shape.name in arguments.only:
                    lines += await race_on(shape, postgres, folder, peers=peers, runs=runs)
            if not arguments.only or "live" in arguments.only:
                samples = 10 if arguments.smoke else LATENCY_SAMPLES
                lines += await live(postgres, folder, peers=peers, samples=samples)
            if "growth" in (arguments.only or []):
                lines += await growth(postgres, folder, samples=LATENCY_SAMPLES, plot=arguments.plot)
    return lines


async def growth(postgres: Postgres, folder: Path, *, samples: int, plot: Path | None) -> list[Line]:
    """Measure the same at ten and a hundred times the size; `ratio` is how much of the first size's speed is left."""
    sizes = await growth_of(postgres, folder, factors=[1, 10, 100], samples=samples)
    if plot is not None:
        draw(sizes, plot)
    first = sizes[0]
    lines = []
    for size in sizes:
        name = f"{size.events:,} events, {size.table_mib:,.0f} MiB"
        lines += [
            compared(f"{name}, live p50", size.p50_ms, first.p50_ms, unit="ms"),
            compared(f"{name}, live p95", size.p95_ms, first.p95_ms, unit="ms"),
            compared(f"{name}, CPU of a bulk", size.cpu_us, first.cpu_us, unit="us an event"),
            Line(
                name=f"{name}, bulk",
                ours=size.events_per_s,
                peer=first.events_per_s,
                ratio=round(size.events_per_s / first.events_per_s, 2),
                unit="events/s",
            ),
        ]
    return lines


def draw(sizes: list[Size], target: Path) -> None:
    """Draw latencies and cost by the size of the index."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.scaling.plot import Line as Drawn  # noqa: PLC0415 (found from here on only)
    from benchmarks.scaling.plot import log_log  # noqa: PLC0415

    lines = [
        Drawn("live, p95 ms", [(size.events, size.p95_ms) for size in sizes]),
        Drawn("live, p50 ms", [(size.events, size.p50_ms) for size in sizes]),
        Drawn("bulk, CPU µs an event", [(size.events, size.cpu_us) for size in sizes]),
    ]
    target.write_text(log_log("The indexer as its tables grow", bottom="events in the index", lines=lines))


def show(lines: list[Line]) -> None:
    """Print the table, or with JSON=1 one document a line."""
    for line in lines:
        if os.environ.get("JSON") == "1":
            document = {
                "name": f"indexer: {line.name}",
                "ours": line.ours,
                "peer": line.peer,
                "ratio": line.ratio,
                "unit": line.unit,
            }
            print(json.dumps(document))
        else:
            peer = "" if line.peer is None else f"{line.peer:,.2f}"
            ratio = "" if line.ratio is None else f"{line.ratio:.2f}x"
            print(f"{line.name:44} {line.ours:>12,.2f} {peer:>12} {ratio:>9}  {line.unit}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="tiny chains, one run, no Ponder")
    parser.add_argument("--alone", action="store_true", help="full chains, no Ponder")
    parser.add_argument("--only", action="append", choices=["dense", "sparse", "live", "growth"])
    parser.add_argument("--peers", action="append", choices=PONDERS)
    parser.add_argument("--plot", type=Path, help="draw the growth into this file")
    parser.add_argument("--runs", type=int, default=RUNS)
    show(asyncio.run(race(parser.parse_args())))


if __name__ == "__main__":
    main()
