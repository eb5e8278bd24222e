"""Limits over everything in a box together: memory, processes, processor time. See cgroups(7).

Version 2 where its controllers are, version 1 where these are mounted instead. Without memory and process limits there
is no box: one command could take the machine down.
"""

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import SandboxUnavailable

_PERIOD_US = 100_000
_CONTROLLERS = ("memory", "pids", "cpu")
_GONE_WITHIN_S = 10.0
_REMEDY = (
    "Start the runner as root, or with a control group of its own: systemd's Delegate=yes and RUNNER_CGROUP."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all processes of a box may have together. `cpus` may be a fraction."""

    memory_bytes: int
    processes: int
    cpus: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """Where groups may be made: one folder for each controller; under version 2 they are the same."""

    version: int
    folders: dict[str, Path]

    @contextlib.contextmanager
    def group(self, limits: Limits) -> Iterator["Group"]:
        """Make a group, and kill and remove whatever is in it at the end. `SandboxUnavailable` if it cannot be made."""
        name = f"parity-{os.getpid()}-{secrets.token_hex(8)}"  # whose box it is, for who looks
        folders = {controller: parent / name for controller, parent in self.folders.items()}
        group = Group(version=self.version, folders=folders)
        try:
            try:
                group.make(limits)
            except OSError as error:
                raise SandboxUnavailable(f"no control group can be made: {error}", hint=_REMEDY) from error
            yield group
        finally:
            group.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One box's group."""

    version: int
    folders: dict[str, Path]

    def make(self, limits: Limits) -> None:
        """Make the folders and write the limits; OSError."""
        for folder in set(self.folders.values()):
            folder.mkdir()
        memory, pids, cpu = (self.folders[name] for name in _CONTROLLERS)
        (pids / "pids.max").write_text(str(limits.processes))
        quota_us = int(limits.cpus * _PERIOD_US)
        if self.version == 2:
            (memory / "memory.max").write_text(str(limits.memory_bytes))
            _write_if_there(memory / "memory.swap.max", "0")
            (cpu / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}")
        else:
            (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
            _write_if_there(memory / "memory.memsw.limit_in_bytes", str(limits.memory_bytes))
            (cpu / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (cpu / "cpu.cfs_quota_us").write_text(str(quota_us))

    def add(self, pid: int) -> None:
        """Put a process, and so all its children to come, into the group; OSError."""
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    @property
    def ran_out_of_memory(self) -> bool:
        """Return whether the kernel killed somebody for the group's memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        with contextlib.suppress(OSError):
            for line in (self.folders["memory"] / name).read_text().splitlines():
                if line.split()[0] == "oom_kill":
                    return int(line.split()[1]) > 0
        return False

    def processes(self) -> list[int]:
        """List who is in the group."""
        with contextlib.suppress(OSError):
            return [int(line) for line in (self.folders["pids"] / "cgroup.procs").read_text().split()]
        return []

    def remove(self) -> None:
        """Kill whoever is left, and remove the folders."""
        until = time.monotonic() + _GONE_WITHIN_S
        while (left := self.processes()) and time.monotonic() < until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        for folder in set(self.folders.values()):
            with contextlib.suppress(OSError):
                folder.rmdir()


def find(own: Path | None = None) -> Hierarchy:
    """Find where this process may make groups: in `own` (version 2), else below where it is itself.

    Raises `SandboxUnavailable` with the reason and the remedy.
    """
    if own is not None:
        return _unified(own)
    places = _own_places(Path("/proc/self/cgroup").read_text())
    mounts = _mounts(Path("/proc/self/mountinfo").read_text())
    if all(name in mounts and name in places for name in _CONTROLLERS):
        folders = {name: _within(mounts[name], places[name]) for name in _CONTROLLERS}
        missing = [name for name, folder in folders.items() if not os.access(folder, os.W_OK)]
        if missing:
            raise SandboxUnavailable(f"control groups ({', '.join(missing)}) are not ours", hint=_REMEDY)
        return Hierarchy(version=1, folders=folders)
    if "" in mounts and "" in places:
        return _unified(_within(mounts[""], places[""]))
    raise SandboxUnavailable("no control groups are mounted", hint="Mount cgroup2 at /sys/fs/cgroup.")


def _unified(folder: Path) -> Hierarchy:
    """Let groups below `folder` have limits. A group with processes may have none below it, so ours moves down first."""
    try:
        offered = (folder / "cgroup.controllers").read_text().split()
        missing = [name for name in _CONTROLLERS if name not in offered]
        if missing:
            raise SandboxUnavailable(
                f"{folder} has no control over {', '.join(missing)}", hint=_REMEDY
            )  # a session's slice often lacks some
        switch = folder / "cgroup.subtree_control"
        if not set(_CONTROLLERS) <= set(switch.read_text().split()):
            if str(os.getpid()) in (folder / "cgroup.procs").read_text().split():
                leaf = folder / "runner"
                leaf.mkdir(exist_ok=True)
                (leaf / "cgroup.procs").write_text(str(os.getpid()))
            switch.write_text(" ".join(f"+{name}" for name in _CONTROLLERS))
    except OSError as error:
        raise SandboxUnavailable(
            f"control groups below {folder} cannot be used: {error}", hint=_REMEDY
        ) from error
    return Hierarchy(version=2, folders=dict.fromkeys(_CONTROLLERS, folder))


def _own_places(text: str) -> dict[str, str]:
    """Read /proc/self/cgroup: where this process is, by controller; version 2 by the name ''."""
    places: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, place = line.split(":", 2)
        for name in controllers.split(","):
            places[name] = place
    return places


def _mounts(text: str) -> dict[str, Path]:
    """Read /proc/self/mountinfo: where each controller is mounted; version 2 by the name ''."""
    found: dict[str, Path] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        where = Path(before.split()[4])
        if kind == "cgroup2":
            found.setdefault("", where)
        elif kind == "cgroup":
            for option in options.split(","):
                if option in _CONTROLLERS:
                    found.setdefault(option, where)
    return found


def _within(mount: Path, place: str) -> Path:
    """Return this process's folder; in a container its own group is what is mounted."""
    below = mount / place.lstrip("/")
    return below if below.is_dir() else mount


def _write_if_there(file: Path, text: str) -> None:
    # Some kernels count no swap, and one without swap has nothing to limit.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        file.write_text(text)
