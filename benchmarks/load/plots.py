"""Plots of the load: latency by the number of runners, and how far behind full blocks the index is over time."""

from typing import Any, Final

from benchmarks.load.pressure import Pressure
from benchmarks.scaling.plot import Line, even, log_log

RUNNERS_PLOT: Final = "load-runners.svg"
BLOCKS_PLOT: Final = "load-full-blocks.svg"
_DRAWN: Final = {
    "blocks from the draw to the claim, p50": "draw to claim, p50, blocks",
    "blocks from the draw to the claim, p95": "draw to claim, p95, blocks",
    "block mined to indexed, p50": "mined to indexed, p50, ms",
    "block mined to indexed, p95": "mined to indexed, p95, ms",
}


def plot_runners(rows: list[dict[str, Any]]) -> str:
    """Draw what a claim and the index wait, by the number of runners."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        size, _, kind = row["name"].partition(" runners: ")
        if kind in _DRAWN:
            lines.setdefault(_DRAWN[kind], []).append((float(size.replace(",", "")), row["ours"]))
    return log_log(
        "Waiting, by the number of runners",
        bottom="runners",
        lines=[Line(name, points) for name, points in lines.items()],
    )


def plot_blocks(pressure: Pressure) -> str:
    """Draw for each full block how long the index took to have it."""
    points = [(float(number), lag) for number, lag in enumerate(pressure.lags_ms, start=1)]
    return even(
        "Index behind blocks that stay full", bottom="block", lines=[Line("mined to indexed, ms", points)]
    )
