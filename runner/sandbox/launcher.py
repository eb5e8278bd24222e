"""The box: run as a process of its own, with the plan on standard input and the parcel on standard output.

Three processes build it. The outermost stays on the host, writes the user map and has the last word on time. The second
leaves every namespace. The third is the first process of the new process namespace: it builds the root, runs the
command as its child, and when that is over kills whatever is left, packs and ends. Each dies with its parent, so a
killed runner leaves nothing running.
"""

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from runner.sandbox import kernel, parcel, privileges, root
from runner.sandbox.plan import Outcome, Parcel, Plan

_WIRE = 1
_SPACES = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)  # fmt: skip
_GRACE_S = 60
"""Seconds beyond the wall limit in which the box is built and packed."""
_NOT_RUN = 127


def main() -> NoReturn:
    """Read a plan, run it in a box, write the parcel."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    text = sys.stdin.read()
    if not text:
        os._exit(1)  # the runner is gone
    plan = Plan.from_text(text)
    signal.alarm(int(plan.wall_s) + _GRACE_S)
    left, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _guarded(lambda: _second(plan, left=left[1], mapped=mapped[0]))
    os.close(left[1])
    os.close(mapped[0])
    if os.read(left[0], 1):
        try:
            privileges.map_users(child)
            os.write(mapped[1], b".")
        except OSError as error:
            _report(f"the users of a new namespace cannot be mapped: {error}")
    os.close(mapped[1])
    os.waitpid(child, 0)
    os._exit(0)


def _second(plan: Plan, *, left: int, mapped: int) -> None:
    kernel.unshare(_SPACES)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # leaving a user namespace has cleared it
    socket.sethostname("parity")
    os.write(left, b".")
    os.close(left)
    if not os.read(mapped, 1):
        os._exit(1)
    child = os.fork()
    if child == 0:
        _guarded(lambda: _first(plan))
    os.waitpid(child, 0)


def _first(plan: Plan) -> None:
    """Be the first process inside: build, run, clean up, pack."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if os.geteuid() == 0:
        os.setgroups([])
    os.umask(0o022)
    try:
        root.enter(plan)
    except root.ImageUnusable:
        return _send(Parcel(outcome=Outcome.IMAGE))
    run = _run(plan)
    _clear()
    for stream in run.streams:
        stream.drain()
    return _pack(plan, run)


@dataclass(slots=True)
class _Stream:
    source: int
    most: int
    content: bytearray = field(default_factory=bytearray)

    @property
    def is_over(self) -> bool:
        return len(self.content) > self.most

    def read(self) -> bool:
        """Read what is there; say whether more may come."""
        try:
            piece = os.read(self.source, 1 << 16)
        except BlockingIOError:
            return True
        self.content += piece[: self.most + 1 - len(self.content)]
        return bool(piece)

    def drain(self) -> None:
        """Read what a pipe still holds; nobody can write to it any more."""
        while not self.is_over and self.read():
            pass


@dataclass(slots=True)
class _Run:
    streams: tuple[_Stream, _Stream]
    outcome: Outcome = Outcome.EXITED
    code: int | None = None


def _run(plan: Plan) -> _Run:
    pipes = [os.pipe() for _ in range(2)]
    started = os.pipe()
    child = os.fork()
    if child == 0:
        _become(plan, streams=[write for _, write in pipes], started=started[1])
    os.close(started[1])
    for _, write in pipes:
        os.close(write)
    for read, _ in pipes:
        os.set_blocking(read, False)
    out, errors = (_Stream(read, plan.output_bytes) for read, _ in pipes)
    run = _Run(streams=(out, errors))
    failed = os.read(started[0], 256)
    os.close(started[0])
    if failed.startswith(b"box:"):
        raise OSError(failed.decode(errors="replace"))
    if failed:
        run.outcome = Outcome.MISSING
    _follow(run, child, until=time.monotonic() + plan.wall_s)
    return run


def _become(plan: Plan, *, streams: list[int], started: int) -> NoReturn:
    """Turn into the command. Says over `started`, which closes by itself, what kept it from that."""
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(streams[0], 1)
        os.dup2(streams[1], 2)
        os.dup2(started, 3, inheritable=False)
        os.closerange(4, 4_096)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python
            signal.signal(ignored, signal.SIG_DFL)
        os.chdir("/out")
        privileges.lay_down(disk_bytes=plan.disk_bytes)
    except OSError as error:
        os.write(3, f"box: {error}".encode())
        os._exit(_NOT_RUN)
    try:
        os.execvpe(plan.argv[0], plan.argv, plan.environment)  # noqa: S606 (a list, no shell)
    except (OSError, ValueError):
        os.write(3, b"missing")
    os._exit(_NOT_RUN)


def _follow(run: _Run, child: int, *, until: float) -> None:
    """Read what the command prints until it ends, prints too much or its time is up."""
    with selectors.DefaultSelector() as selector:
        for stream in run.streams:
            selector.register(stream.source, selectors.EVENT_READ, stream)
        while True:
            if _has_ended(run, child):
                return
            if time.monotonic() >= until:
                run.outcome = Outcome.WALL_TIME
                return
            for key, _ in selector.select(timeout=0.02):
                if not key.data.read():
                    selector.unregister(key.fd)
            if not selector.get_map():
                time.sleep(0.02)
            if any(stream.is_over for stream in run.streams):
                run.outcome = Outcome.OUTPUT
                return


def _has_ended(run: _Run, child: int) -> bool:
    """Bury who has died, orphans among them; say whether the command is one of these."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if process == 0:
            return False
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            run.code = abs(code)
            if code < 0:
                run.outcome = Outcome.SIGNALLED
            return True


def _clear() -> None:
    """Kill everything in the box but this process, and see it gone."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _pack(plan: Plan, run: _Run) -> None:
    if any(stream.is_over for stream in run.streams):
        run.outcome = Outcome.OUTPUT
    found = parcel.Found()
    if run.outcome.has_output:
        try:
            found = parcel.look(most_files=plan.files, most_bytes=plan.disk_bytes)
        except parcel.TooMuch:
            run.outcome = Outcome.OUTPUT
    if not run.outcome.has_output:
        return _send(Parcel(outcome=run.outcome))
    out, errors = (bytes(stream.content) for stream in run.streams)
    table = Parcel(
        outcome=run.outcome,
        code=run.code,
        stdout=len(out),
        stderr=len(errors),
        files=tuple(found.files),
        left_out=found.left_out,
    )
    _send(table)
    parcel.write(_WIRE, out)
    parcel.write(_WIRE, errors)
    return parcel.send(found, _WIRE)


def _send(table: Parcel) -> None:
    parcel.write(_WIRE, table.to_line())


def _report(why: str) -> None:
    """Report that the box failed, which is no fault of the command."""
    _send(Parcel(outcome=Outcome.EXITED, broken=why))


def _guarded(part: Callable[[], None]) -> NoReturn:
    """Run one process's part. The border of that process: whatever goes wrong is said on the wire."""
    try:
        part()
    except BaseException as error:  # noqa: BLE001 (the border)
        _report(f"{type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
