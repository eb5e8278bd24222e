"""A small learning session as a person creates it, and a table of numbers to create it on."""

import csv
import io
from pathlib import Path

import numpy as np

from tests.client.cli import Cli, Ran

SMALL = (
    "--name",
    "Small",
    "--total-rounds",
    "2",
    "--min-participants",
    "2",
    "--max-participants",
    "3",
    "--seed",
    "1",
)


def table(rows: int, features: int, *, classes: int = 10) -> str:
    """Write rows of numbers from 0 to 16 under a header, the label first as in the well-known files."""
    rng = np.random.Generator(np.random.PCG64(7))
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(["label", *(f"pixel{i}" for i in range(features))])
    for row in range(rows):
        lines.writerow([row % classes, *rng.integers(0, 17, features)])
    return out.getvalue()


async def create(cli: Cli, data: Path, *more: str) -> Ran:
    """Create the small session on a file."""
    return await cli("fl", "create-session-with-data", str(data), *SMALL, *more, "--yes", "--json")
