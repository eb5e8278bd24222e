"""Commands in boxes on this machine, and what they came to."""

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.sandbox.box import Job, run
from runner.sandbox.cgroups import Hierarchy
from runner.sandbox.plan import Outcome

MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Came:
    """What a run came to, read to its end."""

    outcome: Outcome
    code: int | None
    out: str
    errors: str
    files: dict[str, bytes]
    left_out: int


class Boxes:
    """Runs commands in boxes."""

    def __init__(self, hierarchy: Hierarchy, folder: Path) -> None:
        self.hierarchy = hierarchy
        self.inputs = folder / "in"
        self.inputs.mkdir()

    def job(self, *argv: str, **changes: object) -> Job:
        job = Job(
            argv=argv,
            inputs=self.inputs,
            image=None,
            memory_bytes=64 * MEBIBYTE,
            disk_bytes=4 * MEBIBYTE,
            output_bytes=64 * 1024,
            processes=24,
            cpus=1.0,
            wall_s=20.0,
            files=16,
        )
        return replace(job, **changes)  # type: ignore[arg-type]

    async def run(self, *argv: str, **changes: object) -> Came:
        async with run(self.job(*argv, **changes), self.hierarchy) as delivery:
            parcel = delivery.parcel

            async def read(size: int) -> bytes:
                return b"".join([piece async for piece in delivery.pieces(size)])

            out, errors = await read(parcel.stdout), await read(parcel.stderr)
            files = {path: await read(size) for path, size, _ in parcel.files}
        return Came(
            outcome=parcel.outcome,
            code=parcel.code,
            out=out.decode(),
            errors=errors.decode(),
            files=files,
            left_out=parcel.left_out,
        )

    async def sh(self, script: str, **changes: object) -> Came:
        return await self.run("sh", "-c", script, **changes)

    async def python(self, program: str, **changes: object) -> Came:
        """Run a program in the host's own Python, whatever that is; skip where there is none in the box."""
        came = await self.run("python3", "-c", program, **changes)
        if came.outcome is Outcome.MISSING:
            pytest.skip("the host has no python3 in /usr")
        return came

    def groups(self) -> set[str]:
        """Name the control groups of this process; other tests have theirs at the same time."""
        return {path.name for path in self.hierarchy.folders["pids"].glob(f"parity-{os.getpid()}-*")}


def sleepers(mark: str) -> list[str]:
    """List the processes of this machine that sleep for a time which begins with `mark`."""
    seen = subprocess.run(["ps", "-eo", "comm,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in seen.splitlines() if line.split()[:1] == ["sleep"] and f"sleep {mark}" in line]
