"""Work out what a million runners would need, and write docs/explanation/scaling.md.

Usage: python -m benchmarks.scaling [--write | --check | --measure]
"""

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks.scaling.measured import Measured, measure
from benchmarks.scaling.page import plot, render
from devnet.paths import ROOT
from protocol.log import configure_logging

PAGE = Path("docs/explanation/scaling.md")
PLOT = Path("docs/images/scaling-gas.svg")


def main() -> int:
    """Print the page, write it, or compare it with the one that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the page and its plot")
    parser.add_argument("--check", action="store_true", help="fail when they say otherwise")
    parser.add_argument(
        "--measure", action="store_true", help="measure again, which takes minutes, and write all"
    )
    asked = parser.parse_args()
    if asked.measure:
        configure_logging("benchmark", level="error")
        measured: Measured = asyncio.run(measure())
        measured.write()
    made = {PAGE: render(), PLOT: plot()}
    if asked.check:
        behind = [
            str(path) for path, text in made.items() if (ROOT / path).read_text(encoding="utf-8") != text
        ]
        sys.stderr.writelines(
            f"{path} is behind. Run python -m benchmarks.scaling --write.\n" for path in behind
        )
        return int(bool(behind))
    if asked.write or asked.measure:
        for path, text in made.items():
            (ROOT / path).write_text(text, encoding="utf-8")
    else:
        print(made[PAGE])
    return 0


if __name__ == "__main__":
    sys.exit(main())
