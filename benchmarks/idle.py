"""What runners cost that have nothing to do: calls of their node, and processor time, by block.

Registered runners with all their duties (tasks, audits, monitoring, learning) on a chain where nobody orders anything. The
peer is the same with another checkout's runner, where `--beside` names one, or else what an idle runner may cost.

Usage: python -m benchmarks.idle [--runners N] [--blocks N] [--beside CHECKOUT]      JSON=1 prints one document a line
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import ClientSession, web

from devnet import services
from devnet.anvil import Anvil
from devnet.deploy import deployed_state
from devnet.engine import Engine
from devnet.ipfs import IpfsNode
from devnet.plan import Plan
from devnet.ports import LOOPBACK, free_port
from devnet.process import Process
from devnet.seed import seed
from devnet.services import Endpoints
from protocol.chain import Chain
from protocol.deployment import save_deployment
from protocol.log import configure_logging

BLOCK_TIME_S = 0.5
MOST_CALLS = 2.0
MOST_SHARE = 0.03
_SETTLING_BLOCKS = 20
_TICKS_S = os.sysconf("SC_CLK_TCK")


class Counted:
    """Between a runner and its node: counts the calls of each method."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.calls: Counter[str] = Counter()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Counted"]:
        """Serve on a free port of loopback."""
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/", self._pass_on)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        self.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        try:
            async with ClientSession() as self._session:
                yield self
        finally:
            await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        asked = json.loads(body)
        self.calls.update(one["method"] for one in (asked if isinstance(asked, list) else [asked]))
        headers = {"Content-Type": "application/json"}
        async with self._session.post(self._upstream, data=body, headers=headers) as response:
            return web.Response(body=await response.read(), content_type="application/json")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one runner cost on average: calls a block by method, and its share of a core."""

    calls: dict[str, float]
    share: float

    @property
    def total(self) -> float:
        """Sum the calls of a block."""
        return sum(self.calls.values())


async def measure(runners: int, blocks: int, *, checkout: Path | None) -> Cost:
    """Let runners, of this checkout or another, watch so many blocks in which nothing is ordered."""
    made = await deployed_state()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-idle-")))
        plan = Plan(state=folder, runners=runners)
        save_deployment(made.deployment, folder=plan.deployments)
        anvil = await stack.enter_async_context(
            Anvil.start(load_state=made.state, block_time_s=BLOCK_TIME_S, at_once=True)
        )
        ipfs = await stack.enter_async_context(IpfsNode.start(folder=folder / "ipfs"))
        engine = await stack.enter_async_context(Engine.start(log=folder / "engine.log"))
        async with Chain.connect(anvil.url, made.deployment) as chain:
            await seed(chain, runners=runners)
        counters, processes = [], []
        for number in range(runners):
            counter = await stack.enter_async_context(Counted(anvil.url).serving())
            ends = Endpoints(
                chain=counter.url, ipfs=ipfs.api, engine=engine.url, server="", indexer="", database=""
            )
            launch = services.runner(plan, ends.environment(plan, made.deployment), number)
            own = {"PYTHONPATH": str(checkout)} if checkout else {}
            own |= {"RUNNER_PORT": str(free_port()), "RUNNER_LEARNING": "true"}
            process = await Process.start(replace(launch, env={**launch.env, **own}))
            stack.push_async_callback(process.stop, grace_s=5)
            counters.append(counter)
            processes.append(process)
        for number, process in enumerate(processes):
            home = services.runner_home(plan, number)
            ready = _ready(process, home, chain_id=made.deployment.chain_id)
            await process.ready(ready, timeout_s=120)
        await _blocks(anvil, _SETTLING_BLOCKS)
        for counter in counters:
            counter.calls.clear()
        before = [_cpu_s(process) for process in processes]
        loop = asyncio.get_running_loop()
        began, first = loop.time(), await anvil.block_number()
        await _blocks(anvil, blocks)
        seen, passed_s = await anvil.block_number() - first, loop.time() - began
        used = [_cpu_s(process) - was for process, was in zip(processes, before, strict=True)]
    total = sum((counter.calls for counter in counters), Counter())
    return Cost(
        calls={method: count / runners / seen for method, count in total.most_common()},
        share=sum(used) / runners / passed_s,
    )


def _ready(process: Process, home: Path, *, chain_id: int):  # noqa: ANN202 (a closure for `ready`)
    async def ready() -> bool:
        return await services.runner_is_ready(process, home, chain_id=chain_id)

    return ready


async def _blocks(anvil: Anvil, count: int) -> None:
    until = await anvil.block_number() + count
    while await anvil.block_number() < until:  # noqa: ASYNC110 (the chain is another process)
        await asyncio.sleep(BLOCK_TIME_S)


def _cpu_s(process: Process) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def rows(ours: Cost, peer: Cost | None) -> list[dict[str, object]]:
    """Return the documents."""
    beside = (peer.total, 100 * peer.share) if peer else (MOST_CALLS, 100 * MOST_SHARE)
    figures = (
        ("idle runner: calls of its node", ours.total, beside[0], "a block"),
        ("idle runner: processor at two blocks a second", 100 * ours.share, beside[1], "% of a core"),
    )
    return [
        {"name": name, "ours": mine, "peer": theirs, "ratio": mine / theirs, "unit": unit}
        for name, mine, theirs, unit in figures
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runners", type=int, default=6)
    parser.add_argument("--blocks", type=int, default=120, help="blocks to watch (default 120, a minute)")
    parser.add_argument(
        "--beside", type=Path, metavar="CHECKOUT", help="measure this checkout's runner as the peer"
    )
    asked = parser.parse_args()
    configure_logging("bench", level="error")
    peer = asyncio.run(measure(asked.runners, asked.blocks, checkout=asked.beside)) if asked.beside else None
    ours = asyncio.run(measure(asked.runners, asked.blocks, checkout=None))
    for row in rows(ours, peer):
        if os.environ.get("JSON"):
            print(json.dumps(row))
        else:
            print(f"{row['name']!s:<48}{row['ours']:>8.2f}{row['peer']:>8.2f}   {row['unit']}")
    if not os.environ.get("JSON"):
        for who, cost in (("ours", ours), ("peer", peer)):
            if cost is not None:
                told = ", ".join(f"{method} {count:.2f}" for method, count in cost.calls.items())
                print(f"{who}: {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
