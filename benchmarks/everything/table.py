"""The table at the head of docs/benchmarks.md: all recorded figures that are compared with a peer's."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.everything.figures import Figure
from benchmarks.everything.suites import SUITES, Suite
from devnet.paths import ROOT

PAGE = ROOT / "docs/benchmarks.md"
BEGIN = "<!-- Written by `make bench-all`. -->\n"
END = "<!-- End of the table. -->\n"


def render(figures: list[Figure]) -> str:
    """Return the table with its marks."""
    return BEGIN + "\n".join(_lines(figures)) + "\n" + END


def write(figures: list[Figure], page: Path = PAGE) -> None:
    """Replace the table of the page."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    page.write_text(before + render(figures) + rest.split(END, 1)[1], encoding="utf-8")


def _lines(figures: list[Figure]) -> Iterator[str]:
    yield ""
    yield "Ratios above 1 mean that Parity is better, below 1 that the peer is. Figures from a busy machine or a small run are marked as such in the sections below."
    yield "`runs` is the number of runs that a figure is the median of, or how the benchmark repeats itself."
    yield ""
    yield "| | ratio | ours | peer | unit | compared with | runs | measured |"
    yield "|---|---|---|---|---|---|---|---|"
    for suite in SUITES:
        for figure in figures:
            is_rivals = not suite.rivals or figure.peer_name in suite.rivals
            if figure.suite == suite.name and is_rivals and figure.times_better is not None:
                yield _row(figure, suite)
    for machine in sorted({figure.machine for figure in figures if figure.machine}):
        yield ""
        yield f"Machine: {machine}."


def _row(figure: Figure, suite: Suite) -> str:
    ratio = figure.times_better
    assert ratio is not None, "only figures compared with a peer's have a row"
    shown = [
        f"{figure.suite}: {figure.name.removeprefix(figure.suite + ': ')}",
        f"**{ratio:.2f}**" if ratio >= 1 else f"{ratio:.2f}",
        _number(figure.ours),
        _number(figure.peer or 0.0),
        figure.unit,
        figure.peer_name or suite.beside,
        f"{figure.runs if figure.runs > 1 else suite.repeats or 1}{', small' if figure.quick else ''}",
        figure.on,
    ]
    return "| " + " | ".join(shown) + " |"


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
