"""The figures of docs/explanation/verification.md are what the formulas beside them give."""

import math
import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs/explanation/verification.md").read_text()


def rows(pattern: str) -> list[tuple[float, ...]]:
    return [tuple(float(cell) for cell in row) for row in re.findall(pattern, TEXT, flags=re.MULTILINE)]


def captured(runners: int, group: int, panel: int) -> float:
    """Return the probability that a group has the majority of a panel drawn without replacement (hypergeometric)."""
    ways = (
        math.comb(group, seats) * math.comb(runners - group, panel - seats)
        for seats in range(panel // 2 + 1, panel + 1)
    )
    return sum(ways) / math.comb(runners, panel)


def test_the_chances_of_seeing_a_wrong_place() -> None:
    table = rows(r"^\| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$")
    assert len(table) == 4
    for share, *shown in table:
        told = [round(100 * (1 - (1 - share / 100) ** places), 1) for places in (4, 12, 24)]
        assert shown == told


def test_the_chances_of_capturing_a_panel() -> None:
    table = rows(r"^\| (\d+) \| (\d+) \| ([\d.]+) % \| ([\d.]+) % \|$")
    assert len(table) == 9
    for runners, group, three, five in table:
        assert three == round(100 * captured(int(runners), int(group), 3), 2)
        assert five == round(100 * captured(int(runners), int(group), 5), 2)


def test_the_chance_of_surviving_fifty_audits() -> None:
    assert f"{0.95**50:.1%}".replace("%", " %") in TEXT
