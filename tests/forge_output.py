"""What forge makes of a contract, on a fresh clone too, where nobody has called it yet."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def built(source: str) -> dict[str, Any]:
    """Return the artifact of the contract that a file under contracts/ is named for."""
    path = ROOT / "contracts" / source
    artifact = ROOT / ".parity/forge/out" / path.name / f"{path.stem}.json"
    if not artifact.exists():
        subprocess.run([ROOT / "toolchain/forge", "build", "--quiet", path], cwd=ROOT, check=True)
    document: dict[str, Any] = json.loads(artifact.read_text(encoding="utf-8"))
    return document
