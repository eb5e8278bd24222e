"""Load the network: thin runners on one chain with an indexer behind it, blocks that stay full, and subscribers of one API server.

Usage: python -m benchmarks.load [--quick] [--only NAME] [--runners N] [--blocks N] [--subscribers N] [--plots FOLDER]
JSON=1 prints one document a line.

Runners are measured at a tenth, three tenths and the whole of their number, subscribers at a hundredth, a tenth and the whole;
a document's peer is the smallest.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from benchmarks.load import subscribers
from benchmarks.load.crowd import Crowd, Day
from benchmarks.load.following import Follower
from benchmarks.load.plots import BLOCKS_PLOT, RUNNERS_PLOT, plot_blocks, plot_runners
from benchmarks.load.pool import Pool
from benchmarks.load.pressure import Pressure, press
from benchmarks.load.subscribers import Told
from devnet import services
from devnet.anvil import Anvil
from devnet.deploy import deployed_state
from devnet.plan import Plan, Ports
from devnet.ports import LOOPBACK
from devnet.postgres import Postgres
from devnet.process import Launch, Process
from devnet.services import Endpoints, answers_ok
from protocol.chain import Chain
from protocol.deployment import Deployment, save_deployment
from protocol.log import configure_logging

_UP_S = 90
_BLOCK_GAS = 60_000_000
"""About what a Filecoin epoch carries of this gas, by throughput."""
_SIZES = ("tasks", "runners")
"""Units of figures that say how large a run is: more of them is neither better nor worse."""


class Stand:
    """A chain in the deployed state, Postgres, an indexer and an API server. `settled` counts tasks in the index."""

    def __init__(self, anvil: Anvil, deployment: Deployment, ends: Endpoints) -> None:
        self.anvil, self.deployment, self.ends = anvil, deployment, ends

    async def settled(self) -> int:
        """Count the tasks that the index has as final."""
        connection = await asyncpg.connect(self.ends.database)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM public.tasks WHERE status = 'final'"))
        finally:
            await connection.close()


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """Run one until the block is left."""
    made = await deployed_state()
    plan = Plan(ports=Ports.free(), runners=1, state=folder)
    save_deployment(made.deployment, folder=plan.deployments)
    async with AsyncExitStack() as stack:
        anvil = await stack.enter_async_context(Anvil.start(load_state=made.state))
        await anvil.rpc("evm_setAutomine", False)
        await anvil.rpc("anvil_setBlockGasLimit", hex(_BLOCK_GAS))
        database = await stack.enter_async_context(Postgres.start(folder=folder / "postgres", durable=False))
        ends = Endpoints(
            chain=anvil.url,
            ipfs=f"/ip4/{LOOPBACK}/tcp/1/http",
            engine="http://127.0.0.1:9",
            server=f"http://{LOOPBACK}:{plan.ports.server}",
            indexer=f"http://{LOOPBACK}:{plan.ports.indexer}",
            database=await database.create_database("load"),
        )
        environment = {**ends.environment(plan, made.deployment), "RATE_LIMIT": "0"}
        for launch, url in (
            (services.indexer(plan, environment), ends.indexer),
            (services.server(plan, environment), ends.server),
        ):
            await stack.enter_async_context(_running(launch, f"{url}/ready"))
        yield Stand(anvil, made.deployment, ends)


@asynccontextmanager
async def _running(launch: Launch, ready: str) -> AsyncIterator[None]:
    process = await Process.start(launch)
    try:
        await process.ready(lambda: answers_ok(ready), timeout_s=_UP_S, every_s=0.2)
        yield
    finally:
        await process.stop()


async def crowd_rows(count: int, *, tasks: int) -> list[dict[str, Any]]:
    """Have a crowd do some tasks; give its rows. Raises `TimeoutError` where the index does not follow."""
    with tempfile.TemporaryDirectory(prefix="parity-load-") as scratch:
        async with (
            stand(Path(scratch)) as place,
            aiohttp.ClientSession() as session,
            Chain.connect(place.anvil.url, place.deployment) as chain,
        ):
            crowd = Crowd(chain, Pool(place.anvil, session), count)
            await crowd.enlist()
            began, said = time.monotonic(), await place.settled()
            with Follower.of(place.ends.database) as follower:
                day = await crowd.work(tasks, a_block=max(1, tasks // 10))
                worked_s = time.monotonic() - began
                await follower.reach(max(day.mined))
            if await place.settled() < said + tasks:
                raise RuntimeError("the index has the last block, and not all that was settled in it")
    return list(_crowd_rows(day, worked_s=worked_s, lags_ms=follower.lags_ms(day.mined)))


def _crowd_rows(day: Day, *, worked_s: float, lags_ms: list[float]) -> list[dict[str, Any]]:
    at = f"{day.runners:,} runners"
    return [
        _row(f"{at}: tasks", day.tasks, "tasks"),
        _row(f"{at}: settled", day.tasks / worked_s, "1/s"),
        _row(f"{at}: claims mined for nothing", 100 * day.wasted / max(day.claims, 1), "%"),
        _row(f"{at}: blocks from the draw to the claim, p50", part_of(day.waits, 0.5), "blocks"),
        _row(f"{at}: blocks from the draw to the claim, p95", part_of(day.waits, 0.95), "blocks"),
        _row(f"{at}: blocks from the draw to the claim, max", max(day.waits), "blocks"),
        _row(f"{at}: gas a task", day.gas / day.tasks, "gas"),
        _row(f"{at}: runners that had work", day.workers, "runners"),
        _row(f"{at}: block mined to indexed, p50", part_of(lags_ms, 0.5), "ms"),
        _row(f"{at}: block mined to indexed, p95", part_of(lags_ms, 0.95), "ms"),
    ]


async def pressed(blocks: int, *, every_s: float) -> Pressure:
    """Fill blocks to their gas limit, and watch the index follow."""
    with tempfile.TemporaryDirectory(prefix="parity-load-") as scratch:
        async with (
            stand(Path(scratch)) as place,
            aiohttp.ClientSession() as session,
            Chain.connect(place.anvil.url, place.deployment) as chain,
        ):
            pool = Pool(place.anvil, session)
            return await press(place.anvil, chain, pool, place.ends.database, blocks=blocks, every_s=every_s)


def pressure_rows(pressure: Pressure) -> list[dict[str, Any]]:
    """Return the rows of full blocks."""
    at = f"{pressure.blocks} full blocks"
    return [
        _row(f"{at}: of the gas limit, the least full", 100 * pressure.filled, "%"),
        _row(f"{at}: seconds between them", pressure.seconds / pressure.blocks, "s"),
        _row(f"{at}: transactions in each", pressure.transactions / pressure.blocks, "transactions"),
        _row(f"{at}: events in each", pressure.logs / pressure.blocks, "events"),
        *(
            _row(f"{at}: {what}, {name}", part_of(values, part), unit)
            for what, values, unit in (
                ("mined to indexed", pressure.lags_ms, "ms"),
                ("index behind at a new block", pressure.behind, "blocks"),
            )
            for name, part in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
        ),
        _row(f"{at}: index whole after the last", pressure.caught_up_ms, "ms"),
    ]


def part_of(values: Sequence[float], part: float) -> float:
    """Return the value that `part` of all values (0 to 1) do not exceed."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


async def subscriber_rows(counts: list[int], *, blocks: int) -> list[dict[str, Any]]:
    """Time deliveries to more and more subscribers of one server."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="parity-load-") as scratch:
        async with stand(Path(scratch)) as place:
            for count in counts:
                told = await subscribers.measure(place.anvil, place.ends.server, count, blocks=blocks)
                rows += _told_rows(told)
    return rows


def _told_rows(told: Told) -> list[dict[str, Any]]:
    at = f"{told.subscribers} subscribers"
    return [
        _row(f"{at}: block mined to told, p50", told.p50_ms, "ms"),
        _row(f"{at}: block mined to told, p99", told.p99_ms, "ms"),
        _row(f"{at}: blocks missed", told.missed, "blocks"),
    ]


def _row(name: str, ours: float, unit: str) -> dict[str, Any]:
    return {"name": name, "ours": round(ours, 3), "peer": None, "ratio": None, "unit": unit}


def beside_smallest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the same figure of the smallest size beside each figure of a larger one that is no part of the size itself."""
    first: dict[str, float] = {}
    for row in rows:
        kind = row["name"].partition(":")[2]
        if row["unit"] in _SIZES:
            continue
        if first.get(kind):
            row |= {"peer": first[kind], "ratio": round(row["ours"] / first[kind], 3)}
        first.setdefault(kind, row["ours"])
    return rows


def sizes(whole: int, *parts: float) -> list[int]:
    """Return these parts of a whole, and the whole."""
    return sorted({*(max(1, round(whole * part)) for part in parts), whole})


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("runners", "blocks", "subscribers"))
    parser.add_argument("--runners", type=int, default=1_000)
    parser.add_argument("--blocks", type=int, default=150)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between blocks, if the node can")
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--plots", type=Path, help="folder to write plots to")
    asked = parser.parse_args()
    configure_logging("benchmark", level="error")
    part = 10 if asked.quick else 1
    shown = show if os.environ.get("JSON") == "1" else show_table
    if asked.only in (None, "runners"):
        rows = []
        for count in sizes(asked.runners // part, 0.1, 0.3):
            say(f"{count} runners …")
            rows += asyncio.run(crowd_rows(count, tasks=max(10, count // 2)))
        shown(beside_smallest(rows))
        if asked.plots:
            asked.plots.mkdir(parents=True, exist_ok=True)
            (asked.plots / RUNNERS_PLOT).write_text(plot_runners(rows), encoding="utf-8")
    if asked.only in (None, "blocks"):
        say(f"{asked.blocks // part} full blocks …")
        pressure = asyncio.run(pressed(asked.blocks // part, every_s=asked.every))
        shown(pressure_rows(pressure))
        if asked.plots:
            (asked.plots / BLOCKS_PLOT).write_text(plot_blocks(pressure), encoding="utf-8")
    if asked.only in (None, "subscribers"):
        say(f"{asked.subscribers // part} subscribers …")
        counts = sizes(asked.subscribers // part, 0.01, 0.1)
        shown(beside_smallest(asyncio.run(subscriber_rows(counts, blocks=subscribers.BLOCKS))))
    return 0


def show(rows: list[dict[str, Any]]) -> None:
    """Print one document a line."""
    for row in rows:
        print(json.dumps(row), flush=True)


def show_table(rows: list[dict[str, Any]]) -> None:
    """Print a table."""
    for row in rows:
        print(f"{row['name']:<66}{row['ours']:>14,.2f}  {row['unit']}", flush=True)


def say(text: str) -> None:
    """Print how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
