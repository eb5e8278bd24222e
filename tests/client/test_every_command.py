"""What holds of every command of every program, found by walking their trees."""

import importlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from tests.client.cli import Cli

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "parity-client": "client.commands.app",
    "parity-runner": "runner.__main__",
    "parity-server": "api.__main__",
    "parity-indexer": "indexer.__main__",
    "parity-devnet": "devnet.__main__",
}
ID, ADDRESS = "0x" + "12" * 32, "0x" + "34" * 20
CID = "bafkreihlrkmuwn2p5q72kggqnoqvm3yoosa62p47nxlwz43qywy6acsuci"
KEPT_RUNNING = {"parity-client gateway"}
"""What serves until it is stopped; tests of its own start and stop it."""
WITHOUT_JSON = {
    "parity-runner runner": "serves until it is stopped; its log is JSON already",
    "parity-server server": "serves until it is stopped; its log is JSON already",
    "parity-indexer run": "serves until it is stopped; its log is JSON already",
    "parity-devnet up": "serves until it is stopped, for people at a terminal",
    "parity-devnet down": "ends what `up` shows to people",
    "parity-server schema": "prints a document of its own format",
    "parity-server routes": "prints a document of its own format",
    "parity-indexer schema-docs": "prints a document of its own format",
}


@dataclass(frozen=True)
class Leaf:
    path: tuple[str, ...]
    command: Any

    @property
    def name(self) -> str:
        return " ".join(self.path)

    @property
    def example(self) -> str:
        return (self.command.epilog or "").removeprefix("Example: ")

    def takes(self, option: str) -> bool:
        return any(option in parameter.opts for parameter in self.command.params)


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[Leaf]:
    if not hasattr(command, "commands"):
        yield Leaf(path, command)
        return
    if command.invoke_without_command and len(path) > 1:
        yield Leaf(path, command)
    for name, child in command.commands.items():
        yield from leaves(child, (*path, name))


def apps() -> dict[str, Any]:
    return {name: importlib.import_module(module).app for name, module in PROGRAMS.items()}


EVERY = [leaf for name, app in apps().items() for leaf in leaves(typer.main.get_command(app), (name,))]
CLIENTS = [leaf for leaf in EVERY if leaf.path[0] == "parity-client" and leaf.name not in KEPT_RUNNING]


@pytest.mark.parametrize("leaf", EVERY, ids=lambda leaf: leaf.name)
def test_help_describes_and_shows_the_command(leaf: Leaf) -> None:
    program, *words = leaf.path
    for option in ("-h", "--help"):
        ran = CliRunner().invoke(apps()[program], [*words, option])
        assert ran.exit_code == 0, ran.output
    assert leaf.command.help
    assert leaf.name in leaf.example
    assert "Example:" in ran.stdout


@pytest.mark.parametrize("leaf", EVERY, ids=lambda leaf: leaf.name)
def test_a_command_that_prints_a_result_can_print_it_as_json(leaf: Leaf) -> None:
    assert leaf.takes("--json") != (leaf.name in WITHOUT_JSON)


def spoken(leaf: Leaf, folder: Path) -> list[str]:
    """Return the example's words after the program, with files and ids that could be."""
    (folder / "photos").mkdir()
    (folder / "names.txt").write_text("b\na\n")
    (folder / "digits.csv").write_text("label,x\n1,2\n0,3\n" * 30)
    (folder / "test.csv").write_text("label,x\n1,2\n")
    (folder / "model_config.json").write_text('{"hidden_size": 8}')
    address_options = {"--runner-id", "--monitor"}
    words: list[str] = []
    for word in shlex.split(leaf.example)[1:]:
        wants_address = bool(words) and words[-1] in address_options
        stand_in = {"0x…": ADDRESS if wants_address else ID, "bafkrei…": CID, "Qm…": CID, "7751…": "7751"}
        words.append(stand_in.get(word, word))
    return [word for word in words if word not in {"--wait", "--json", "--yes"}]


@pytest.mark.parametrize("leaf", CLIENTS, ids=lambda leaf: leaf.name)
def test_with_no_network_json_stays_json_and_the_error_is_said_with_its_code(
    leaf: Leaf, offline: Cli, key_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = spoken(leaf, tmp_path)
    monkeypatch.chdir(tmp_path)
    keystore = tmp_path / "new.json" if leaf.name == "parity-client auth" else key_files["client"]
    yes = ["--yes"] if leaf.takes("--yes") else []
    ran = offline.run(*words, *yes, "--json", PARITY_KEYSTORE=str(keystore))
    assert ran.code in {0, 1, 2}
    if ran.out:
        json.loads(ran.out)
    if ran.code:
        assert "error: " in ran.err or ran.out, "a failure is said in words, or is what the document says"
        assert "Traceback" not in ran.err
    if ran.code == 2:
        assert "hint: " in ran.err


def test_watching_a_session_loads_no_trainer() -> None:
    """Torch and scikit-learn take seconds, in which Ctrl-C is not heard."""
    program = (
        "import sys, client.federated.sessions; print({'torch', 'sklearn'} & set(sys.modules) or 'neither')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip() == "neither"
