"""A network in which every process reaches each of its dependencies through a cable of its own."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg

from devnet.engine.process import answers
from devnet.faults.cable import Cable, Cut
from devnet.faults.matrix import DEPENDENCIES, EVERYBODY, PARTS, RUNNER, Fault
from devnet.ipfs import IpfsNode
from devnet.network import Network
from devnet.ports import LOOPBACK
from devnet.process import Process
from devnet.services import Endpoints, runner_name

_PART_TIMEOUT_S: Final = 60
_SOCKET: Final = ".s.PGSQL.5432"
_DATABASE: Final = "database"


class WiredNetwork(Network):
    """Use `async with WiredNetwork.up(plan, progress)`."""

    _cables: dict[tuple[str, str], Cable]
    _near: dict[str, dict[str, str]]

    def settings_of(self, name: str) -> dict[str, str]:
        """Lead a process through its own cables."""
        return replace(self.endpoints, **self._near[name]).environment(self.plan, self.deployment)

    def cut(self, fault: Fault, *, runner: str, how: Cut) -> None:
        """Cut what the fault is about; `runner` is the one that is meant where it is about a runner."""
        for cable in self._of(fault, runner):
            cable.cut(how)

    def mend(self, fault: Fault, *, runner: str) -> None:
        """Mend what `cut` has cut."""
        for cable in self._of(fault, runner):
            cable.mend()

    async def kill_one(self, name: str) -> None:
        """End a process or a part as a crash of it would."""
        process = self.processes[name]
        if name in PARTS:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # Postgres is a family
        await process.kill()

    async def bring_back(self, name: str) -> None:
        """Start what `kill_one` has ended, and wait until it serves. Raises ProcessFailed."""
        if name not in PARTS:
            await self.start_again(name)
            return
        process = await Process.start(self.processes[name].launch)
        self._note(process)
        await process.ready(self._check_of(name, process), timeout_s=_PART_TIMEOUT_S)

    async def _start_parts(self, stack: AsyncExitStack) -> Endpoints:
        endpoints = await super()._start_parts(stack)
        stack.push_async_callback(self._stop_parts)
        self._cables, self._near = {}, {}
        for name, needed in self._wanted():
            self._near[name] = {
                field: near
                for dependency in needed
                for field, near in [await self._lay(stack, endpoints, name, dependency)]
            }
        return endpoints

    def _wanted(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for process, needed in DEPENDENCIES.items():
            names = map(runner_name, range(self.plan.runners)) if process == RUNNER else [process]
            for name in names:
                yield name, needed

    async def _lay(
        self, stack: AsyncExitStack, endpoints: Endpoints, name: str, dependency: str
    ) -> tuple[str, str]:
        """Lay one cable; give the field of Endpoints that it stands for, and its near end's address."""
        if dependency == "postgres":
            url, _, folder = endpoints.database.rpartition("=")
            near = self.plan.state / "cables" / name / _SOCKET
            far = Path(folder) / _SOCKET
            self._cables[name, dependency] = await stack.enter_async_context(Cable.unix(far, near))
            return _DATABASE, f"{url}={near.parent}"
        far_port = getattr(self.plan.ports, dependency)
        cable, port = await stack.enter_async_context(Cable.tcp(far_port))
        self._cables[name, dependency] = cable
        return dependency, getattr(endpoints, dependency).replace(str(far_port), str(port))

    def _of(self, fault: Fault, runner: str) -> list[Cable]:
        dependency = fault.dependency
        assert dependency is not None, "a kill cuts nothing"
        if fault.process == EVERYBODY:
            return [cable for (_, needed), cable in self._cables.items() if needed == dependency]
        return [self._cables[runner if fault.process == RUNNER else fault.process, dependency]]

    def _check_of(self, name: str, process: Process) -> Callable[[], Awaitable[bool]]:
        ports = self.plan.ports
        if name == "ipfs":
            return IpfsNode(process, ports.ipfs).answers
        if name == "engine":
            return lambda: answers(f"http://{LOOPBACK}:{ports.engine}")
        return self._postgres_answers

    async def _postgres_answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.endpoints.database, timeout=5)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    async def _stop_parts(self) -> None:
        """Stop the parts that run now; those that were started first may have been killed."""
        await asyncio.gather(*(self.processes[name].stop() for name in PARTS))
