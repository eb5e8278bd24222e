import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("training", "aggregation", "secagg", "privacy", "robustness", "cheats")


def test_every_benchmark_that_needs_no_network_runs_and_prints_documents():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.learning", "--tiny", *NAMES],
        cwd=ROOT,
        env={**os.environ, "JSON": "1", "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["benchmark"] for row in rows} == set(NAMES)
    assert all(isinstance(row["value"], float | int) for row in rows)
