"""Whether a box holds on this machine: run one, and let the kernel say from the inside what is left of a process's powers."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.errors import SandboxUnavailable
from runner.sandbox.box import Job, run
from runner.sandbox.cgroups import Hierarchy, find
from runner.sandbox.plan import NOBODY, Outcome

Level = Literal["namespaces"]
LEVEL: Level = "namespaces"
"""What commands are kept in: see docs/explanation/sandbox.md."""

_SCRIPT = """
while read -r line; do echo "$line"; done < /proc/self/status
while read -r line; do echo "net $line"; done < /proc/self/net/dev
(: > /usr/parity-probe) 2>/dev/null && echo "wrote /usr"
(: > /parity-probe) 2>/dev/null && echo "wrote /"
(: > /in/parity-probe) 2>/dev/null && echo "wrote /in"
: > /out/written && echo "out is writable"
exit 0
"""
_EXPECTED = {
    "NoNewPrivs:\t1": "it could gain privileges",
    "Seccomp:\t2": "its system calls are not filtered",
    "CapEff:\t0000000000000000": "it has capabilities",
    "CapBnd:\t0000000000000000": "it can regain capabilities",
    f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}": "it is not nobody",
    "out is writable": "it cannot write its results",
}
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box that was seen to hold. `version` is that of the control groups."""

    level: Level
    hierarchy: Hierarchy

    @property
    def version(self) -> int:
        """Return the version of the control groups."""
        return self.hierarchy.version


async def probe(cgroup: Path | None = None) -> Box:
    """Run a box that looks at itself. `SandboxUnavailable` says what does not hold, and what to do about it."""
    hierarchy = find(cgroup)
    with tempfile.TemporaryDirectory(prefix="parity-probe-") as inputs:
        job = Job(
            argv=("sh", "-c", _SCRIPT),
            inputs=Path(inputs),
            image=None,
            memory_bytes=64 * _MEBIBYTE,
            disk_bytes=_MEBIBYTE,
            output_bytes=64 * 1024,
            processes=16,
            cpus=1.0,
            wall_s=10.0,
            files=4,
        )
        async with run(job, hierarchy) as delivery:
            parcel = delivery.parcel
            if parcel.outcome is not Outcome.EXITED or parcel.code != 0:
                raise SandboxUnavailable(f"a box's first command ended as {parcel.outcome} ({parcel.code})")
            said = b"".join([piece async for piece in delivery.pieces(parcel.stdout)]).decode()
    _check(said)
    return Box(level=LEVEL, hierarchy=hierarchy)


def _check(said: str) -> None:
    lines = said.splitlines()
    faults = [fault for line, fault in _EXPECTED.items() if line not in lines]
    faults += [f"it {line}" for line in lines if line.startswith("wrote ")]
    networks = [line.split()[1] for line in lines if line.startswith("net ") and ":" in line]
    faults += [f"it sees the network {name}" for name in networks if name != "lo:"]
    if faults:
        raise SandboxUnavailable(
            f"a command in a box is not confined: {'; '.join(faults)}",
            hint="Report this: no command is run here.",
        )
