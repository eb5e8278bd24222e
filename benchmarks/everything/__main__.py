"""Run every benchmark, keep the figures, and write the table at the head of docs/benchmarks.md.

Usage: python -m benchmarks.everything [--quick] [--runs N] [--only NAME,…] [--table]
"""

import argparse
import datetime as dt
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.everything.figures import Figure, keep, load, medians, read_documents
from benchmarks.everything.suites import SUITES, Suite
from benchmarks.everything.table import write
from devnet.paths import ROOT

RUNS = 3


def machine() -> str:
    """Name this machine, and say how busy it is."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    memory_gb = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores of {model}, {memory_gb:.0f} GiB, {platform.system()}"


def measure(suite: Suite, *, runs: int, quick: bool) -> list[Figure]:
    """Run one benchmark as often as it needs; RuntimeError with the end of what it said when it fails."""
    found = []
    for _ in range(1 if suite.repeats else runs):
        done = subprocess.run(
            suite.command(quick=quick),
            cwd=ROOT,
            env={**os.environ, "JSON": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{suite.name} ended with {done.returncode}: {done.stdout[-500:]}")
        found.append(read_documents(suite.name, done.stdout))
    where, when = machine(), dt.datetime.now(tz=dt.UTC).date().isoformat()
    return [replace(one, machine=where, on=when, quick=quick) for one in medians(suite.name, found)]


def main() -> int:
    """Run, and say which benchmarks failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small runs: minutes; the table says so")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each, for medians (default {RUNS})")
    parser.add_argument("--only", default="", help=f"of {', '.join(suite.name for suite in SUITES)}")
    parser.add_argument("--table", action="store_true", help="only write the table from the record")
    asked = parser.parse_args()
    wanted = [suite for suite in SUITES if not asked.only or suite.name in asked.only.split(",")]
    failed = [] if asked.table else [suite.name for suite in wanted if not _kept(suite, asked)]
    write(load())
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _kept(suite: Suite, asked: argparse.Namespace) -> bool:
    began = time.monotonic()
    print(f"{suite.name}: load of the machine {os.getloadavg()[0]:.1f} …", file=sys.stderr, flush=True)
    try:
        figures = measure(suite, runs=asked.runs, quick=asked.quick)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return False
    keep(figures)
    print(
        f"{suite.name}: {len(figures)} figures in {time.monotonic() - began:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
