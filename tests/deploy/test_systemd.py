"""The units of systemd: systemd itself reads them, and finds them shut."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
DROP_INS = {"parity-runner-commands.conf": "parity-runner", "relayer.conf": "parity-server"}
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def placed(folder: Path, *, drop_ins: bool) -> list[Path]:
    """Copy the units to `folder` with the programs of this checkout."""
    paths = [folder / unit.name for unit in UNITS]
    for unit, path in zip(UNITS, paths, strict=True):
        path.write_text(unit.read_text().replace("/opt/parity/bin", str(ROOT / ".venv/bin")))
    for name, unit_name in DROP_INS.items() if drop_ins else ():
        place = folder / f"{unit_name}.service.d"
        place.mkdir()
        shutil.copy(ROOT / "deploy/systemd" / name, place)
    return paths


def test_there_is_a_unit_for_each_process_that_stays() -> None:
    assert [unit.stem for unit in UNITS] == ["parity-indexer", "parity-runner", "parity-server"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    started = re.search(r"^ExecStart=/opt/parity/bin/(\S+) (\S+)$", unit.read_text(), flags=re.MULTILINE)
    assert started
    ran = subprocess.run(
        [ROOT / ".venv/bin" / started[1], started[2], "--help"], capture_output=True, check=False
    )
    assert ran.returncode == 0


@needs_systemd
@pytest.mark.parametrize("drop_ins", [False, True])
def test_systemd_reads_the_units_without_complaint(tmp_path: Path, *, drop_ins: bool) -> None:
    argv = ["systemd-analyze", "verify", "--man=no", *placed(tmp_path, drop_ins=drop_ins)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", [unit.name for unit in UNITS])
def test_systemd_finds_little_that_a_unit_leaves_open(tmp_path: Path, name: str) -> None:
    placed(tmp_path, drop_ins=False)
    argv = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", tmp_path / name]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-300:]
