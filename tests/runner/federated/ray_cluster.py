"""A Ray cluster on this machine, as its owner would have begun it, and how it is killed from outside.

Ray listens beyond loopback, so a test that begins a cluster is marked `@in_a_network_of_its_own`.
"""

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

from devnet.faults.waiting import until
from devnet.paths import ROOT
from devnet.process import die_with_parent

ADDRESS = "127.0.0.1:6379"
_THERE = "TEST_IN_A_NETWORK_OF_ITS_OWN"
_TRAINS = "ray::done_by_a_node"


class Cluster:
    """A cluster of one node. Use it as a context manager, which ends it; `start` begins it, and again once it is killed."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets want short paths
        self._head: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Begin the cluster, with nothing of a runner's in its environment; it answers some seconds later."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": self._folder,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # else the work waits for whatever else the machine does
            "SPT_NOENV": "1",  # keep what /proc tells of workers' environments
        }
        argv = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--port=6379"),
            *("--num-cpus=2", "--node-ip-address=127.0.0.1", f"--temp-dir={self._folder}"),
            *("--include-dashboard=false", "--object-store-memory=100000000"),
        ]
        with Path(self._folder, "log").open("ab") as log:
            self._head = subprocess.Popen(
                argv,
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=functools.partial(  # noqa: PLW1509 (it only asks the kernel)
                    die_with_parent, signal.SIGTERM, os.getpid()
                ),
            )

    def kill(self) -> None:
        """Kill every process of the cluster, none of which is asked, and wait until the last has let go of its port."""
        if self._head is not None:
            killed = [psutil.Process(self._head.pid), *self.processes()]
            for process in killed:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._head.wait(60)
            self._head = None
            for process in killed:
                while is_alive(process):
                    time.sleep(0.05)

    def processes(self) -> list[psutil.Process]:
        """Return the cluster's processes, but for the one that began it."""
        assert self._head is not None
        return psutil.Process(self._head.pid).children(recursive=True)

    def training(self) -> list[psutil.Process]:
        """Return the workers that do a piece of a runner's work."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if " ".join(process.cmdline()).startswith(_TRAINS):
                    found.append(process)
        return found

    async def busy(self, *, workers: int) -> list[psutil.Process]:
        """Wait until that many workers train, and give them."""

        async def as_many() -> bool:
            return len(self.training()) == workers

        async with asyncio.timeout(120):
            await until(as_many)
        return self.training()


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process is there, and not only waits to be forgotten."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def in_a_network_of_its_own(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Run a test by a pytest of its own that sees nothing but loopback. It is skipped where Ray is not installed."""

    @functools.wraps(test)
    async def run(*arguments: Any, **named: Any) -> None:
        pytest.importorskip("ray", reason="the extra `ray` is not installed")
        if _THERE in os.environ:
            await test(*arguments, **named)
            return
        node = os.environ["PYTEST_CURRENT_TEST"].removesuffix(" (call)")
        # Not in pytest's own folder, which the next session started closes to a server's unprivileged account.
        with tempfile.TemporaryDirectory(prefix="parity-ray-") as folder:
            os.chmod(folder, 0o755)
            status, said = await pytest_says(
                *("-m", "slow", f"--basetemp={folder}/tests", node),
                within=(*_NETWORK, sys.executable),
                **{_THERE: "yes"},
            )
        assert status == 0, said
        assert "1 passed" in said

    return run


_NETWORK = (sys.executable, "-m", "benchmarks.learning.network_of_its_own")


async def pytest_says(
    *arguments: str, within: tuple[str, ...] = (sys.executable,), **environment: str
) -> tuple[int, str]:
    """Run pytest as a process; gives its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(*within, "-m", "pytest", "-p", "no:cacheprovider", *arguments),
        env={**os.environ, **environment},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
    assert process.returncode is not None
    return process.returncode, said.decode()
