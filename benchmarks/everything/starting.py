"""How long the whole network takes from the command to the first settled prompt: cold, with nothing deployed, and warm.

Usage: python -m benchmarks.everything.starting      JSON=1 prints one document a line
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from devnet.paths import ROOT
from devnet.plan import Ports


def seconds(state: Path) -> float:
    """Bring the network up with its state in this folder, answer a prompt, check every token, stop. Give the time of it all."""
    ports = ",".join(f"{name}={port}" for name, port in asdict(Ports.free()).items())
    argv = [sys.executable, "-m", "devnet", "up", "--demo", "--state-dir", str(state), "--ports", ports]
    began = time.monotonic()
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    """Start twice and print both."""
    with tempfile.TemporaryDirectory(prefix="parity-up-") as scratch:
        cold, warm = (seconds(Path(scratch) / "network") for _ in range(2))
    rows = [
        {"name": "make demo, cold", "ours": round(cold, 1), "peer": None, "ratio": None, "unit": "s"},
        {
            "name": "make demo, warm",
            "ours": round(warm, 1),
            "peer": round(cold, 1),
            "ratio": round(cold / warm, 2),
            "unit": "s",
        },
    ]
    for row in rows:
        print(json.dumps(row) if os.environ.get("JSON") == "1" else f"{row['name']:<20}{row['ours']:>8} s")


if __name__ == "__main__":
    main()
