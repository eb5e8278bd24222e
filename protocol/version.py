"""Which Parity this is, for every program's `--version`."""

import sys
from importlib.metadata import version


def print_version(wanted: bool) -> None:
    """Print the version and end the program, if that is wanted; an option's callback."""
    if wanted:
        sys.stdout.write(f"parity {version('parity')}\n")
        raise SystemExit(0)
