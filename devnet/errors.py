"""What can go wrong while the local network starts, runs or stops.

::

    ParityError
    └── DevnetError
        ├── PreflightFailed     2   something must be changed before anything is started
        ├── ProcessFailed       1   a process ended, or never became ready; carries the tail of its log
        └── DemoFailed          1   the demonstration job ran, and a check on it did not hold
"""

from pathlib import Path

from protocol.errors import ParityError


class DevnetError(ParityError):
    """The local network could not do what was asked."""


class PreflightFailed(DevnetError):
    """The machine is not ready; the message says what to change. Nothing was started."""

    exit_code = 2


class ProcessFailed(DevnetError):
    """A process of the network ended or did not get ready. The message ends with the last lines of its log."""

    def __init__(self, name: str, what: str, *, log: Path, tail: str) -> None:
        shown = f"\n{tail}" if tail else " (the log is empty)"
        super().__init__(f"{name} {what}. The end of {log}:{shown}", hint=f"The whole log is in {log}.")
        self.name = name


class DemoFailed(DevnetError):
    """The demonstration job did not come out as it must."""
