"""One run of a command in a box, seen from outside: its process, its control group, and what it hands out.

The box is not trusted with more than it needs: what it prints is read piece by piece and never more than was allowed.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runner.errors import SandboxUnavailable
from runner.sandbox.cgroups import Hierarchy, Limits
from runner.sandbox.plan import Outcome, Parcel, Plan

LAUNCHER = (sys.executable, "-I", "-m", "runner.sandbox.launcher")
_OWN_BYTES = 96 << 20
"""Memory of the box's own three processes, and of what they read and write: it is not taken from the command's."""
_OWN_PROCESSES = 3
_SPARE_S = 90.0
_MOST_LINE = 1 << 20
_PIECE = 1 << 18
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": "/tmp",  # noqa: S108 (the box's own)
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
}
"""All that a command's environment ever holds; nothing of the runner's is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command and what it may use: sizes in bytes, `wall_s` seconds; `inputs` a folder, `image` a tar file of a root."""

    argv: tuple[str, ...]
    inputs: Path
    image: Path | None
    memory_bytes: int
    disk_bytes: int
    output_bytes: int
    processes: int
    cpus: float
    wall_s: float
    files: int


class Delivery:
    """What a run came to. The streams and files are read once, in the order of `parcel`."""

    def __init__(self, parcel: Parcel, source: asyncio.StreamReader) -> None:
        self.parcel = parcel
        self._source = source

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        """Yield the next `size` bytes in pieces of one content block each. `SandboxUnavailable` if the box breaks off."""
        left = size
        while left:
            try:
                piece = await self._source.readexactly(min(_PIECE, left))
            except asyncio.IncompleteReadError as error:
                raise _broken("it broke off while handing out files") from error
            yield piece
            left -= len(piece)


@asynccontextmanager
async def run(job: Job, hierarchy: Hierarchy) -> AsyncIterator[Delivery]:
    """Run a command in a box of its own and give what it came to; nothing of it is left afterwards.

    Raises `SandboxUnavailable` when there is no box to be had, which is never the command's doing.
    """
    image_bytes = job.image.stat().st_size if job.image else 0
    limits = Limits(
        # Both scratch folders and the root lie in memory, and the kernel counts them there.
        memory_bytes=job.memory_bytes + 2 * job.disk_bytes + image_bytes + _OWN_BYTES,
        processes=job.processes + _OWN_PROCESSES,
        cpus=job.cpus,
    )
    with tempfile.TemporaryDirectory(prefix="parity-box-") as work, hierarchy.group(limits) as group:
        process = await asyncio.create_subprocess_exec(
            *LAUNCHER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
            limit=_MOST_LINE,
        )
        try:
            async with asyncio.timeout(job.wall_s + _SPARE_S):
                parcel, source = await _started(process, _plan(job, work), join=group.add)
                if group.ran_out_of_memory:
                    parcel = Parcel(outcome=Outcome.MEMORY)
                if parcel is None:
                    raise _broken("it ended without a word")
                if parcel.broken:
                    raise _broken(parcel.broken)
                yield Delivery(parcel, source)
        except TimeoutError as error:
            raise _broken("it does not end") from error
        finally:
            await asyncio.shield(_end(process, group.remove))


async def _started(
    process: asyncio.subprocess.Process, plan: Plan, *, join: Callable[[int], None]
) -> tuple[Parcel | None, asyncio.StreamReader]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        join(process.pid)  # before the plan is sent: until then the launcher only waits
    except OSError as error:
        raise _broken(f"it cannot be put into its control group: {error}") from error
    process.stdin.write(plan.to_text().encode())
    process.stdin.close()
    try:
        line = await process.stdout.readline()
        return (Parcel.from_line(line) if line else None), process.stdout
    except (ValueError, KeyError, TypeError) as error:
        raise _broken("what it says cannot be read") from error


async def _end(process: asyncio.subprocess.Process, remove: Callable[[], None]) -> None:
    if process.returncode is None:
        process.kill()
    await asyncio.to_thread(remove)
    assert process.stdout is not None
    while await process.stdout.read(
        _PIECE
    ):  # whoever wrote is dead; a process counts as ended once its pipes are empty
        pass
    await process.wait()


def _plan(job: Job, work: str) -> Plan:
    return Plan(
        argv=job.argv,
        environment=ENVIRONMENT,
        work=work,
        inputs=str(job.inputs),
        image=str(job.image) if job.image else None,
        disk_bytes=job.disk_bytes,
        output_bytes=job.output_bytes,
        wall_s=job.wall_s,
        files=job.files,
    )


_broken = partial(
    SandboxUnavailable, hint="See what is missing with `parity-runner doctor`; the command is not at fault."
)
