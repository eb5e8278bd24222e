"""Run the benchmarks of federated learning: all, or those named. `--tiny` shows in seconds that they run."""

import argparse

from benchmarks.learning import (
    aggregation,
    cheats,
    privacy_curve,
    robustness,
    secure,
    session,
    training,
)
from benchmarks.learning.report import show

BENCHMARKS = {
    "training": training.bench,
    "aggregation": aggregation.bench,
    "secagg": secure.bench,
    "privacy": privacy_curve.bench,
    "robustness": robustness.bench,
    "cheats": cheats.bench,
    "session": session.bench,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="|".join(BENCHMARKS))
    parser.add_argument("--tiny", action="store_true", help="a smoke run: its figures mean nothing")
    arguments = parser.parse_args()
    for name in arguments.names or BENCHMARKS:
        show(BENCHMARKS[name](tiny=arguments.tiny))


if __name__ == "__main__":
    main()
