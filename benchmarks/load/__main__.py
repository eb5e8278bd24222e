"""Load the network: thin runners on one chain with an indexer behind it, and subscribers of one API server.

Usage: python -m benchmarks.load [--quick] [--runners N] [--subscribers N]      JSON=1 prints one document a line

Each is measured at a hundredth, a tenth and the whole of its size; a document's peer is the hundredth.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from benchmarks.load import subscribers
from benchmarks.load.crowd import Crowd, Day
from benchmarks.load.pool import Pool
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
    """Have a crowd do some tasks; give its rows."""
    with tempfile.TemporaryDirectory(prefix="parity-load-") as scratch:
        async with (
            stand(Path(scratch)) as place,
            aiohttp.ClientSession() as session,
            Chain.connect(place.anvil.url, place.deployment) as chain,
        ):
            crowd = Crowd(chain, Pool(place.anvil, session), count)
            await crowd.enlist()
            began, said = time.monotonic(), await place.settled()
            day = await crowd.work(tasks, a_block=max(1, tasks // 10))
            worked_s, ended = time.monotonic() - began, time.monotonic()
            while await place.settled() < said + tasks:  # noqa: ASYNC110 (it happens in the indexer)
                await asyncio.sleep(0.02)
            lag_ms = 1000 * (time.monotonic() - ended)
    return list(_crowd_rows(day, worked_s=worked_s, lag_ms=lag_ms))


def _crowd_rows(day: Day, *, worked_s: float, lag_ms: float) -> list[dict[str, Any]]:
    at = f"{day.runners:,} runners, {day.tasks:,} tasks"
    return [
        _row(f"{at}: settled", day.tasks / worked_s, "1/s"),
        _row(f"{at}: claims mined for nothing", 100 * day.wasted / max(day.claims, 1), "%"),
        _row(f"{at}: blocks from the draw to the claim, median", day.median_wait, "blocks"),
        _row(f"{at}: gas a task", day.gas / day.tasks, "gas"),
        _row(f"{at}: runners that had work", day.workers, "runners"),
        _row(f"{at}: index behind the last block", lag_ms, "ms"),
    ]


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
    """Put the same figure of the smallest size beside each figure of a larger one."""
    first: dict[str, float] = {}
    for row in rows:
        kind = row["name"].partition(":")[2]
        if first.get(kind):
            row |= {"peer": first[kind], "ratio": round(row["ours"] / first[kind], 3)}
        first.setdefault(kind, row["ours"])
    return rows


def sizes(whole: int) -> list[int]:
    """Give a hundredth, a tenth and the whole."""
    return sorted({max(1, whole // 100), max(1, whole // 10), whole})


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runners", type=int, default=1_000)
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="a tenth of both")
    asked = parser.parse_args()
    configure_logging("benchmark", level="error")
    part = 10 if asked.quick else 1
    shown = show if os.environ.get("JSON") == "1" else show_table
    for count in sizes(asked.runners // part):
        say(f"{count} runners …")
        shown(asyncio.run(crowd_rows(count, tasks=max(10, count // 2))))
    say(f"{asked.subscribers // part} subscribers …")
    shown(
        beside_smallest(
            asyncio.run(subscriber_rows(sizes(asked.subscribers // part), blocks=subscribers.BLOCKS))
        )
    )
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
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
