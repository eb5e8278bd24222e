"""Lines over two axes, both logarithmic or both even, as SVG."""

import math
from collections.abc import Callable
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, TOP = 680, 320, 70, 34
INK, GRID = "#57606a", "#d0d7de"
COLOURS = ("#8250df", "#0969da", "#bf8700", "#57606a", "#1a7f37", "#cf222e")
_STEPS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A named line through points; of positive numbers where axes are logarithmic."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where numbers are marked, and how far along the axis, from 0 to 1, a number lies."""

    marks: list[float]
    along: Callable[[float], float]


def log_log(title: str, *, bottom: str, lines: list[Line]) -> str:
    """Draw lines; the axes begin and end at powers of ten."""
    across, upwards = _values(lines)
    return _drawn(title, bottom=bottom, lines=lines, x_axis=_decades(across), y_axis=_decades(upwards))


def even(title: str, *, bottom: str, lines: list[Line]) -> str:
    """Draw lines; the axes begin at 0 and end at round numbers."""
    across, upwards = _values(lines)
    return _drawn(title, bottom=bottom, lines=lines, x_axis=_evenly(across), y_axis=_evenly(upwards))


def _drawn(title: str, *, bottom: str, lines: list[Line], x_axis: _Axis, y_axis: _Axis) -> str:
    right, low = WIDTH - 190, HEIGHT - 50

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + x_axis.along(x) * (right - LEFT), low - y_axis.along(y) * (low - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f'<style>text{{font:12px sans-serif;fill:{INK}}}</style><text x="{LEFT}" y="18">{title}</text>',
    ]
    for mark in y_axis.marks:
        x, y = place(x_axis.marks[0], mark)
        parts.append(f'<line x1="{x:.1f}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(f'<text text-anchor="end" x="{LEFT - 8}" y="{y + 4:.1f}">{mark:,g}</text>')
    for mark in x_axis.marks:
        x, _ = place(mark, y_axis.marks[0])
        parts.append(f'<text text-anchor="middle" x="{x:.1f}" y="{low + 20}">{mark:,g}</text>')
    parts.append(f'<text text-anchor="middle" x="{(LEFT + right) / 2}" y="{low + 40}">{bottom}</text>')
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in line.points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{drawn}"/>')
        y = TOP + 12 + 20 * number
        parts.append(
            f'<line x1="{right + 14}" x2="{right + 34}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<text x="{right + 40}" y="{y + 4}">{line.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _values(lines: list[Line]) -> tuple[list[float], list[float]]:
    return [x for line in lines for x, _ in line.points], [y for line in lines for _, y in line.points]


def _decades(values: list[float]) -> _Axis:
    powers = list(range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1))
    span = max(powers[-1] - powers[0], 1)
    return _Axis([10.0**power for power in powers], lambda value: (math.log10(value) - powers[0]) / span)


def _evenly(values: list[float]) -> _Axis:
    """Mark four to ten multiples of 1, 2 or 5 times a power of ten."""
    highest = max(*values, 1e-9)
    power = 10.0 ** math.floor(math.log10(highest / _STEPS))
    step = next(power * times for times in (1, 2, 5, 10) if highest <= power * times * 2 * _STEPS)
    marks = [step * number for number in range(math.ceil(highest / step) + 1)]
    return _Axis(marks, lambda value: value / marks[-1])
