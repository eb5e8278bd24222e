"""What the dashboard asks is what the schema has, and what it tells people to run exists."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from devnet.paths import VENV_BIN

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "api" / "dashboard" / "src"
SCHEMA = build_schema((ROOT / "docs" / "reference" / "schema.graphql").read_text())
ROW = (SOURCE / "queries" / "task-row.graphql").read_text()
QUERIES = sorted(path for path in (SOURCE / "queries").glob("*.graphql") if path.name != "task-row.graphql")
COMMAND = re.compile(r"command=(?:\"([^\"]+)\"|\{\s*['`]([^'`]+)['`]\s*\})")


def commands() -> list[str]:
    found = (match for path in SOURCE.rglob("*.tsx") for match in COMMAND.finditer(path.read_text()))
    return sorted({re.sub(r"\$\{[^}]*\}", "0x" + "ab" * 32, match[1] or match[2]) for match in found})


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_is_valid(path: Path) -> None:
    text = path.read_text()
    document = parse(text + (ROW if "...TaskRow" in text else ""))
    assert validate(SCHEMA, document) == []


@pytest.mark.parametrize("command", [one for one in commands() if one.startswith("parity-")])
def test_a_command_that_an_empty_page_shows_exists_with_its_options(command: str) -> None:
    program, *words = shlex.split(command)
    options = [word for word in words if word.startswith("--") and word != "--help"]
    first = next((place for place, word in enumerate(words) if word.startswith(("-", "0x"))), len(words))
    ran = subprocess.run(
        [VENV_BIN / program, *words[:first], "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "200"},
    )
    assert ran.returncode == 0, f"there is no command {command}"
    for option in options:
        assert option in ran.stdout, f"{command}: no option {option}"


def test_there_are_commands_to_check() -> None:
    assert len(commands()) >= 5
