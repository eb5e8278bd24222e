"""What a running network leaves on disk about itself, so that a later one can find it, or what is left of it."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from devnet.errors import PreflightFailed

_SAME_START_S = 0.05


@dataclass(frozen=True, slots=True)
class Record:
    """A process for good: its pid alone would be used again by the system one day."""

    name: str
    pid: int
    started_at: float

    def process(self) -> psutil.Process | None:
        """Return the process if it still runs and is the one that was meant."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at) < _SAME_START_S
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


class Records:
    """The file of processes that this network has started."""

    def __init__(self, state: Path) -> None:
        self._file = state / "pids.json"

    def read(self) -> list[Record]:
        try:
            return [Record(**row) for row in json.loads(self._file.read_text())]
        except (FileNotFoundError, ValueError, TypeError):
            return []

    def add(self, record: Record) -> None:
        """Note a process, in one step: a reader sees the old file or the new one."""
        rows = [asdict(kept) for kept in (*self.read(), record)]
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(rows, indent=1))
        fresh.replace(self._file)

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def reap(self, *, grace_s: float = 5) -> list[Record]:
        """Stop every noted process that still runs, and return what was stopped."""
        found = [(record, process) for record in self.read() if (process := record.process())]
        for _, process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs([process for _, process in found], timeout=grace_s)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=grace_s)
        self.forget()
        return [record for record, _ in found]


def is_ours(state: Path) -> bool:
    """Return whether `state` may be filled and emptied: a local network's folder, or nothing yet."""
    return (state / "lock").exists() or not state.exists() or not any(state.iterdir())


def running_pid(state: Path) -> int | None:
    """Return the pid of the network that runs on `state` now, or None."""
    lock = state / "lock"
    if not lock.exists():
        return None
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read() or 0)
    return None


@contextmanager
def hold_lock(state: Path) -> Iterator[None]:
    """Be the only network on `state` while the block runs.

    Raises PreflightFailed when another one is, or when the folder holds other things.

    The kernel releases the lock with the process, however it ends.
    """
    if not is_ours(state):
        raise foreign(state)
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PreflightFailed(
                f"a local network already runs on {state} (pid {running_pid(state)})",
                hint="Use it, stop it with Ctrl-C or `make down`, or start another with --state-dir and --ports.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def foreign(state: Path) -> PreflightFailed:
    """Build the refusal to touch a folder that is not a local network's."""
    return PreflightFailed(
        f"{state} holds other things than a local network",
        hint="Choose a new or an empty folder with --state-dir.",
    )
