"""A child process with a log file, that cannot outlive its parent.

The network's processes are started in sessions of their own, so that a Ctrl-C in the terminal reaches only the
supervisor, which then stops them in order; and with Linux's parent-death signal, so that a killed supervisor
leaves nothing behind.
"""

import asyncio
import contextlib
import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypedDict

import psutil

from devnet.errors import ProcessFailed

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.05
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(stop_signal: signal.Signals, parent: int) -> None:
    """Ask the kernel to send `stop_signal` to this process when its parent ends. Called between fork and exec."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal))
    if os.getppid() != parent:  # the parent was gone before the request could count
        os.kill(os.getpid(), stop_signal)


class _Account(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def account_of(user: str | None) -> _Account:
    """Return what `subprocess` needs to run a program as `user`, with that account's group and no other."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to run. `env` is the whole environment of the process; `user` is an account to run it as (root only)."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None


class Process:
    """A running child. `ready` waits until it serves, `stop` ends it, kindly first."""

    def __init__(self, launch: Launch, child: asyncio.subprocess.Process) -> None:
        self.launch = launch
        self._child = child

    @classmethod
    async def start(cls, launch: Launch) -> Self:
        """Start `launch`, its output appended to its log. Raises ProcessFailed when it cannot even begin."""
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        parent = os.getpid()
        with launch.log.open("ab") as log:
            try:
                child = await asyncio.create_subprocess_exec(
                    *launch.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=dict(launch.env),
                    cwd=launch.cwd,
                    **account_of(launch.user),
                    start_new_session=True,
                    preexec_fn=lambda: die_with_parent(launch.stop_signal, parent),
                )
            except OSError as error:
                what = f"could not be started ({error})"
                raise ProcessFailed(launch.name, what, log=launch.log, tail="") from error
        return cls(launch, child)

    @property
    def name(self) -> str:
        return self.launch.name

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        return self._child.returncode

    @property
    def started_at(self) -> float | None:
        """The start time as the system has it, which with the pid names a process for good."""
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.pid).create_time()
        return None

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log."""
        return log_tail(self.launch.log, lines)

    def failed(self, what: str) -> ProcessFailed:
        """Build the error that tells what happened to this process, with the tail of its log."""
        return ProcessFailed(self.name, what, log=self.launch.log, tail=self.tail())

    async def ready(
        self, check: Callable[[], Awaitable[bool]], *, timeout_s: float = 120, every_s: float = _POLL_S
    ) -> None:
        """Wait until `check`, tried `every_s` seconds, holds. Raises ProcessFailed when the process ends first, or after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await check():
                    if self.returncode is not None:
                        raise self.failed(f"ended with status {self.returncode} before it was ready")
                    await asyncio.sleep(every_s)
        except TimeoutError:
            raise self.failed(f"was not ready after {timeout_s:g} s") from None

    async def wait(self) -> int:
        """Wait for the end of the process and return its status."""
        return await self._child.wait()

    async def stop(self, *, grace_s: float = 10) -> None:
        """End the process: its stop signal first, SIGKILL to its whole group after `grace_s` seconds."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(self.launch.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._child.wait(), grace_s)
        # Whatever the process itself started is in its group, and may have been left behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._child.wait()

    async def hang(self, seconds: float) -> None:
        """Keep the process and its children from running for some seconds: connections stay open, and nothing answers."""
        with contextlib.suppress(psutil.NoSuchProcess):
            ours = psutil.Process(self.pid)
            stopped = [ours, *ours.children(recursive=True)]
            try:
                for one in stopped:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.suspend()
                await asyncio.sleep(seconds)
            finally:
                for one in stopped:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.resume()

    async def kill(self) -> None:
        """End the process as a crash would: SIGKILL, no warning."""
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        await self._child.wait()


def log_tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file, or an empty text when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 64 * 1024))
        text = file.read().decode(errors="replace")
    return "\n".join(text.rstrip().splitlines()[-lines:])
