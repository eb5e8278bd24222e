"""Lines over two logarithmic axes, as SVG."""

import math
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, TOP = 680, 320, 70, 34
INK, GRID = "#57606a", "#d0d7de"
COLOURS = ("#8250df", "#0969da", "#bf8700", "#57606a", "#1a7f37")


@dataclass(frozen=True, slots=True)
class Line:
    """A named line through points of positive numbers."""

    name: str
    points: list[tuple[float, float]]


def log_log(title: str, *, bottom: str, lines: list[Line]) -> str:
    """Draw lines; the axes begin and end at powers of ten."""
    right, low = WIDTH - 190, HEIGHT - 50
    xs = _decades([x for line in lines for x, _ in line.points])
    ys = _decades([y for line in lines for _, y in line.points])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - xs[0]) / max(xs[-1] - xs[0], 1)
        up = (math.log10(y) - ys[0]) / max(ys[-1] - ys[0], 1)
        return LEFT + across * (right - LEFT), low - up * (low - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f'<style>text{{font:12px sans-serif;fill:{INK}}}</style><text x="{LEFT}" y="18">{title}</text>',
    ]
    for power in ys:
        x, y = place(10 ** xs[0], 10**power)
        parts.append(f'<line x1="{x:.1f}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(f'<text text-anchor="end" x="{LEFT - 8}" y="{y + 4:.1f}">{10.0**power:,g}</text>')
    for power in xs:
        x, _ = place(10**power, 10 ** ys[0])
        parts.append(f'<text text-anchor="middle" x="{x:.1f}" y="{low + 20}">{10**power:,}</text>')
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


def _decades(values: list[float]) -> list[int]:
    return list(range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1))
