"""Draw two plots from the benchmarks' documents: `python -m benchmarks.learning.plots FOLDER < documents`."""

import json
import sys
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP = 640, 300, 60, 30
INK, GRID = "#57606a", "#d0d7de"
COLOURS = ("#8250df", "#0969da", "#bf8700", "#57606a", "#1a7f37")
Series = dict[str, list[tuple[float, float]]]


def chart(title: str, labels: dict[float, str], series: Series) -> str:
    """Return a line chart as SVG: accuracy from 0 to 1 upwards, `labels` name places along the bottom."""
    right, bottom = WIDTH - 150, HEIGHT - 40
    low, high = min(labels), max(labels)

    def at(x: float, y: float) -> str:
        return f"{LEFT + (x - low) / (high - low) * (right - LEFT):.1f},{bottom - y * (bottom - TOP):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        f'<style>text{{font:12px sans-serif;fill:{INK}}}</style><text x="{LEFT}" y="18">{title}</text>',
    ]
    for tenth in range(0, 11, 2):
        x, y = at(low, tenth / 10).split(",")
        parts.append(f'<line x1="{x}" x2="{right}" y1="{y}" y2="{y}" stroke="{GRID}"/>')
        parts.append(f'<text x="{LEFT - 34}" y="{float(y) + 4}">{tenth / 10:.1f}</text>')
    for place, label in labels.items():
        parts.append(
            f'<text text-anchor="middle" x="{at(place, 0).split(",")[0]}" y="{bottom + 20}">{label}</text>'
        )
    for number, (name, points) in enumerate(series.items()):
        colour, line = COLOURS[number % len(COLOURS)], " ".join(at(x, y) for x, y in sorted(points))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{line}"/>')
        y = TOP + 12 + 20 * number
        parts.append(
            f'<line x1="{right + 14}" x2="{right + 34}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<text x="{right + 40}" y="{y + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def robustness(rows: list[dict[str, str]]) -> str:
    """Draw each rule's accuracy under its worst attack, by the number of hostile participants."""
    worst: dict[str, dict[float, float]] = {}
    for row in rows:
        rule, *rest = row["case"].split(", ")
        hostile = 0 if rest == ["clean"] else int(rest[-1].split()[0]) if len(rest) == 2 else None
        if hostile is not None:
            found = worst.setdefault(rule, {})
            found[hostile] = min(found.get(hostile, 1.0), float(row["value"]))
    series = {rule: list(points.items()) for rule, points in worst.items()}
    labels = {float(n): f"{10 * n} % hostile" for n in range(4)}
    return chart("Accuracy on digits under each rule's worst attack", labels, series)


def privacy(rows: list[dict[str, str]]) -> str:
    """Draw accuracy by ε, a line for each number of participants."""
    series: Series = {}
    epsilons: dict[float, str] = {}
    for row in rows:
        if ", noise of " in row["case"]:
            epsilon, people = row["case"].removeprefix("epsilon ").split(", noise of ")
            epsilons[float(epsilon)] = f"ε {epsilon}"
            series.setdefault(people, []).append((float(epsilon), float(row["value"])))
    return chart("Accuracy on digits after 10 rounds, by ε at δ 1e-5", epsilons, series)


def main() -> None:
    """Read documents, write both plots."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    for name, draw in (("robustness", robustness), ("privacy", privacy)):
        mine = [row for row in rows if row["benchmark"] == name]
        if mine:
            (folder / f"learning-{name}.svg").write_text(draw(mine))


if __name__ == "__main__":
    main()
