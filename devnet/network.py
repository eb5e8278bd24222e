"""The whole network: every part started in order, watched, and stopped in the opposite order."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Self

from devnet import services
from devnet.anvil import Anvil
from devnet.deploy import deploy_unless_there
from devnet.engine import Engine
from devnet.ipfs import IpfsNode
from devnet.plan import Plan
from devnet.ports import LOOPBACK
from devnet.postgres import Postgres
from devnet.process import Launch, Process
from devnet.progress import Progress
from devnet.records import Record, Records
from devnet.seed import seed
from devnet.services import Endpoints
from devnet.together import together
from protocol.chain import Chain
from protocol.deployment import Deployment

_DUMP_EVERY_S = 60
_WATCH_EVERY_S = 0.5
_START_TIMEOUT_S = 180
_DATABASE = "parity"


@dataclass(frozen=True, slots=True)
class Service:
    """One of the network's own processes: how it is started, and when it is ready."""

    launch: Launch
    is_ready: Callable[[Process], Awaitable[bool]]


class Network:
    """A running network. Use `async with Network.up(plan, progress)`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.processes: dict[str, Process] = {}
        self._records = Records(plan.state)
        self.anvil: Anvil
        self.endpoints: Endpoints
        self.deployment: Deployment

    @classmethod
    @asynccontextmanager
    async def up(cls, plan: Plan, progress: Progress) -> AsyncIterator[Self]:
        """Start everything, and stop it when the block is left. Raises ProcessFailed for what does not come up."""
        network = cls(plan)
        try:
            async with AsyncExitStack() as stack:
                await network._start(stack, progress)
                yield network
        finally:
            network._records.forget()

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead any Parity command to this network."""
        return self.endpoints.environment(self.plan, self.deployment)

    def settings_of(self, name: str) -> dict[str, str]:  # noqa: ARG002 (not all networks are the same for all)
        """Return the settings that lead the process of this name to what it depends on."""
        return self.environment

    async def first_end(self) -> Process:
        """Wait until a process ends by itself, and return it. It is not watched any longer."""
        while True:
            for name, process in self.processes.items():
                if process.returncode is not None:
                    return self.processes.pop(name)
            await asyncio.sleep(_WATCH_EVERY_S)

    async def start_runner(self, number: int) -> None:
        """Start local runner `number`, counted from 0, again after it has ended."""
        await self._begin(self._runner(number))

    async def start_again(self, name: str) -> None:
        """Start the indexer, the server or a runner ("runner-1" is the first) again after it has ended."""
        own = {"indexer": self._indexer, "server": self._server}
        await self._begin(own[name]() if name in own else self._runner(services.runner_number(name)))

    def kill(self) -> None:
        """Kill all processes at once, for somebody who does not want to wait."""
        for process in self.processes.values():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    async def _start(self, stack: AsyncExitStack, progress: Progress) -> None:
        plan = self.plan
        with progress.step("chain, Postgres, IPFS node and model engine"):
            self.endpoints = await self._start_parts(stack)
        with progress.step("contracts"):
            self.deployment = await deploy_unless_there(plan, self.endpoints.chain)
        with progress.step(f"accounts, stakes, {plan.runners} registered runners"):
            async with Chain.connect(self.endpoints.chain, self.deployment) as chain:
                await seed(chain, runners=plan.runners)
        with progress.step("indexer"):
            await stack.enter_async_context(self._running([self._indexer()]))
        with progress.step("API server and runners"):
            runners = [self._runner(number) for number in range(plan.runners)]
            await stack.enter_async_context(self._running([self._server(), *runners]))

    async def _start_parts(self, stack: AsyncExitStack) -> Endpoints:
        plan, ports = self.plan, self.plan.ports
        state = plan.state / "chain.json"
        anvil = Anvil.start(
            port=ports.chain,
            block_time_s=plan.block_time_s,
            at_once=plan.at_once,
            load_state=state,
            dump_state=state,
            dump_every_s=_DUMP_EVERY_S,
            log=plan.log("anvil"),
        )
        postgres = Postgres.start(folder=plan.state / "postgres", log=plan.log("postgres"))
        ipfs = IpfsNode.start(folder=plan.state / "ipfs", port=ports.ipfs, log=plan.log("ipfs"))
        async with together() as group:
            chain = group.create_task(stack.enter_async_context(anvil))
            database = group.create_task(stack.enter_async_context(postgres))
            content = group.create_task(stack.enter_async_context(ipfs))
            engine = group.create_task(self._start_engine(stack))
        self.anvil = chain.result()
        for part in (chain.result(), database.result(), content.result()):
            self._note(part.process)
        return Endpoints(
            chain=chain.result().url,
            ipfs=content.result().api,
            engine=engine.result(),
            server=f"http://{LOOPBACK}:{ports.server}",
            indexer=f"http://{LOOPBACK}:{ports.indexer}",
            database=await database.result().create_database(_DATABASE),
        )

    async def _start_engine(self, stack: AsyncExitStack) -> str:
        if self.plan.ollama_url is not None:
            return self.plan.ollama_url
        starting = Engine.start(port=self.plan.ports.engine, log=self.plan.log("engine"))
        engine = await stack.enter_async_context(starting)
        self._note(engine.process)
        return engine.url

    def _indexer(self) -> Service:
        launch = services.indexer(self.plan, self.settings_of("indexer"))
        url = f"{self.endpoints.indexer}/ready"
        return Service(launch, lambda _: services.answers_ok(url))

    def _server(self) -> Service:
        launch = services.server(self.plan, self.settings_of("server"))
        url = f"{self.endpoints.server}/ready"
        return Service(launch, lambda _: services.answers_ok(url))

    def _runner(self, number: int) -> Service:
        launch = services.runner(self.plan, self.settings_of(services.runner_name(number)), number)
        home = services.runner_home(self.plan, number)
        chain_id = self.deployment.chain_id
        return Service(launch, partial(services.runner_is_ready, home=home, chain_id=chain_id))

    @asynccontextmanager
    async def _running(self, wanted: list[Service]) -> AsyncIterator[None]:
        """Have these services running, started and stopped all at once, while the block runs."""
        try:
            async with together() as group:
                for service in wanted:
                    group.create_task(self._begin(service))
            yield
        finally:
            async with together() as group:
                for service in wanted:
                    if process := self.processes.pop(service.launch.name, None):
                        group.create_task(process.stop())

    async def _begin(self, service: Service) -> None:
        process = await Process.start(service.launch)
        self._note(process)
        await process.ready(partial(service.is_ready, process), timeout_s=_START_TIMEOUT_S, every_s=0.2)

    def _note(self, process: Process) -> None:
        self.processes[process.name] = process
        if (started_at := process.started_at) is not None:
            self._records.add(Record(process.name, process.pid, started_at))
