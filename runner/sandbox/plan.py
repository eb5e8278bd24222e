"""What the process outside tells the box, and what it hears back. Standard library only: the box has nothing else."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

NOBODY = 65_534
"""User and group of a command. The host's `nobody`, or mapped to the runner's own when it is not root."""


class Outcome(StrEnum):
    """How a command ended. All but EXITED and SIGNALLED carry no output: what was reached by then differs by machine."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    MISSING = "missing"
    """There is no such program, or it cannot be run."""
    IMAGE = "image"
    """The image cannot be unpacked."""
    WALL_TIME = "wall-time"
    MEMORY = "memory"
    OUTPUT = "output"
    """It printed or wrote more than may be returned."""

    @property
    def has_output(self) -> bool:
        """Return whether what was printed and written counts."""
        return self in (Outcome.EXITED, Outcome.SIGNALLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. `image` is a tar file of a root folder, or None for the host's tools; paths are the host's.

    Sizes are bytes: `disk_bytes` for each of /tmp and /out, `output_bytes` for each of both streams; `files` the most
    that may lie in /out.
    """

    argv: tuple[str, ...]
    environment: dict[str, str]
    work: str
    inputs: str
    image: str | None
    disk_bytes: int
    output_bytes: int
    wall_s: float
    files: int

    def to_text(self) -> str:
        """Write it for the launcher."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Plan":
        """Read what `to_text` wrote."""
        values = json.loads(text)
        return cls(**values | {"argv": tuple(values["argv"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """The table of contents of what follows it on the wire: stdout, stderr, then the files in this order.

    `code` is the exit code or the signal's number; `files` are path, size in bytes, and whether it may be executed;
    `left_out` counts what lies in /out and is no plain file; `broken` says that the box itself failed, and why.
    """

    outcome: Outcome
    code: int | None = None
    stdout: int = 0
    stderr: int = 0
    files: tuple[tuple[str, int, bool], ...] = ()
    left_out: int = 0
    broken: str | None = None

    def to_line(self) -> bytes:
        """Write it as the wire's first line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Parcel":
        """Read what `to_line` wrote; ValueError, KeyError or TypeError if it is something else."""
        values: dict[str, Any] = json.loads(line)
        files = tuple((str(path), int(size), bool(executable)) for path, size, executable in values["files"])
        return cls(**values | {"outcome": Outcome(values["outcome"]), "files": files})
