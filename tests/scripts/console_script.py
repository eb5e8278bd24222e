"""What the console script `ape` does, in a process that has been forked for it (see ape.py, which gives the names below)."""

# ruff: noqa: F821 (declared here, given by run_path)

import os
import sys
from pathlib import Path

COMMAND: list[str]
ENVIRONMENT: dict[str, str]
OUT: Path
ERR: Path

os.environ.clear()
os.environ.update(ENVIRONMENT)
sys.argv = COMMAND
for number, file in ((0, Path(os.devnull)), (1, OUT), (2, ERR)):
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    os.dup2(descriptor, number)
    os.close(descriptor)

from ape._cli import cli  # noqa: E402 (what it imports reads the environment)

cli()
