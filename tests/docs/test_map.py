"""The drawing of the rooms is the code's."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_rooms_are_drawn_as_they_import_each_other() -> None:
    ran = subprocess.run([ROOT / "toolchain/map", "--check"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
