"""What `pip install .` brings: the programs, and the files that they read."""

import configparser
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CARRIED = ("api", "client", "devnet", "indexer", "learning", "protocol", "runner")
READ_AT_RUN_TIME = {
    "api/dashboard/routes.json",
    "indexer/schema.sql",
    "protocol/abi/TaskEscrow.json",
    "runner/schema.sql",
    *(f"{room}/py.typed" for room in CARRIED),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what git knows: a folder beside it must not creep in."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *CARRIED, "pyproject.toml", "README.md", "LICENSE"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    argv = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*argv, "--wheel-dir", folder, folder / "source"], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_bears_the_projects_name_and_version(wheel: Path) -> None:
    assert wheel.name == f"{PROJECT['name']}-{PROJECT['version']}-py3-none-any.whl"


def test_the_wheel_carries_what_the_processes_read(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= READ_AT_RUN_TIME
    assert not [
        name
        for name in names
        if name.split("/")[0] not in {*CARRIED, wheel.name.rsplit("-", 3)[0] + ".dist-info"}
    ]
    assert not [name for name in names if "node_modules" in name or "/dashboard/src/" in name]


def test_an_installation_gives_the_programs(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    uv = [ROOT / ".venv/bin/uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    subprocess.run([*uv, "--python", tmp_path / "venv/bin/python", wheel], check=True)
    installed = {path.name for path in (tmp_path / "venv/bin").glob("parity-*")}
    assert installed == set(PROJECT["scripts"])
    entry_points = configparser.ConfigParser()
    metadata = next((tmp_path / "venv").rglob("parity-*.dist-info"))
    entry_points.read(metadata / "entry_points.txt")
    assert dict(entry_points["console_scripts"]) == PROJECT["scripts"]


def test_the_changelog_begins_with_what_is_not_released_and_knows_this_version() -> None:
    titles = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert titles[0] == "Unreleased"
    assert any(title.startswith(PROJECT["version"]) for title in titles) or PROJECT["version"] == "0.1.0"
