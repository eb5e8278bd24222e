"""The API's benchmark runs, at a size that says nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.api_bench.queries import NAMED

ROOT = Path(__file__).parents[2]


def test_the_benchmark_measures_every_query_at_every_number_of_clients() -> None:
    options = ["--tasks", "300", "--seconds", "0.1", "--alone"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api_bench", *options],
        cwd=ROOT,
        env=os.environ | {"JSON": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout.splitlines()[-1])
    assert {(row["query"], row["clients"]) for row in document["rows"]} == {
        (named.name, clients) for named in NAMED for clients in (1, 16, 128)
    }
    assert all(row["parity"]["rate"] > 0 for row in document["rows"])
