"""Processor time of a process and all that it has begun."""

import contextlib

import psutil


def cpu_s(pid: int) -> float:
    """Return the seconds spent so far by a process and everything below it, ended children included."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        for process in (top, *top.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                spent = process.cpu_times()
                total += spent.user + spent.system + spent.children_user + spent.children_system
    return total
