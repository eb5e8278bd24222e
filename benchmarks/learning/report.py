"""What a benchmark found, as a table for people or one document a line."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside a named peer's; the median of `runs`."""

    benchmark: str
    case: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    runs: int = 1


def show(rows: Iterable[Row]) -> None:
    """Print rows as they come."""
    for row in rows:
        if os.environ.get("JSON") == "1":
            print(json.dumps(asdict(row)), flush=True)
        else:
            peer = "" if row.peer_value is None else f"   {row.peer}: {row.peer_value:g}"
            print(f"{row.benchmark:<12}{row.case:<44}{row.value:>12.4f} {row.unit:<10}{peer}", flush=True)
