"""What a contestant costs: wall and CPU seconds, and the most memory that its processes held."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil


@dataclass(slots=True)
class Cost:
    """`wall_s` from the start of the process; CPU in seconds; memory in MiB (2^20 bytes)."""

    wall_s: float = 0.0
    own_cpu_s: float = 0.0
    servers_cpu_s: float = 0.0
    peak_mib: float = 0.0


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and everything below it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_s(pids: list[int]) -> float:
    """Return the CPU time of processes and of everything below them, those that ended included."""
    total = 0.0
    for pid in pids:
        for process in tree(pid):
            with suppress(psutil.NoSuchProcess):
                spent = process.cpu_times()
                total += spent.user + spent.system
        with suppress(psutil.NoSuchProcess):
            spent = psutil.Process(pid).cpu_times()
            total += spent.children_user + spent.children_system
    return total


def peak_mib(pid: int) -> float:
    """Return the sum of the processes' high-water marks as the kernel keeps them."""
    total = 0
    for process in tree(pid):
        with suppress(OSError, psutil.NoSuchProcess), open(f"/proc/{process.pid}/status") as status:
            total += next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    return total / 1024


@contextmanager
def metered(cost: Cost, *, servers: list[int]) -> Iterator[None]:
    """Fill in the wall time, and the CPU time that the shared servers (chain, database) spent meanwhile."""
    before, began = cpu_s(servers), time.monotonic()
    yield
    cost.wall_s = time.monotonic() - began
    cost.servers_cpu_s = cpu_s(servers) - before
