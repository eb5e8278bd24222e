"""Every command that a page shows is one that there is, with options that it has."""

import importlib.util
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
from typer._click.exceptions import ClickException  # typer carries a click of its own

import api.__main__
import client.commands.app
import devnet.__main__
import indexer.__main__
import runner.__main__
from tests.docs.shell_blocks import Shown, blocks, commands

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("CONTRIBUTING.md")), *sorted((ROOT / "docs").rglob("*.md"))]
WITH_COMMANDS = [page for page in PAGES if list(commands(page))]
COMPLAINTS = (AssertionError, click.ClickException, ClickException)
PROGRAMS = {
    "parity-client": client.commands.app.app,
    "parity-runner": runner.__main__.app,
    "parity-server": api.__main__.app,
    "parity-indexer": indexer.__main__.app,
    "parity-devnet": devnet.__main__.app,
}


@cache
def program(name: str) -> Any:
    return typer.main.get_command(PROGRAMS[name])


@cache
def script(name: str) -> Any:
    path = ROOT / "scripts" / f"{name}.py"
    assert path.exists(), f"there is no script {name}"
    specification = importlib.util.spec_from_file_location(f"scripts.{name.replace('-', '_')}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.cli


@cache
def targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def check(command: Any, words: tuple[str, ...], *, whole: bool) -> None:
    """Find the subcommand and read the options; nothing is run and no value is looked at."""
    while hasattr(command, "commands"):
        if not words or words[0] in {"--help", "--version", "--install-completion"}:
            return
        assert words[0] in command.commands, f"{command.name} has no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    context = click.Context(command, info_name=command.name)
    found, left, _order = command.make_parser(context).parse_args(list(words))
    if not whole or "help" in found:
        return
    assert not left, f"{left} is more than it takes"
    for parameter in command.params:
        given = found.get(parameter.name) not in (None, ())
        assert given or not parameter.required or parameter.envvar, f"{parameter.name} is missing"


def check_shown(shown: Shown) -> None:
    name, *rest = shown.words
    words = tuple(rest)
    if name in PROGRAMS:
        check(program(name), words, whole=shown.whole)
    elif name == "make":
        wanted = {word for word in words if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")}
        assert wanted <= targets(), f"the Makefile lacks {wanted - targets()}"
    elif (name, words[:1]) == ("ape", ("run",)):
        check(script(words[1]), words[2:], whole=shown.whole)


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_page_is_one_that_there_is(path: Path) -> None:
    wrong = []
    for shown in commands(path):
        try:
            check_shown(shown)
        except COMPLAINTS as error:
            wrong.append(f"{shown}: {getattr(error, 'message', error)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_of_a_page_is_something_that_bash_can_read(path: Path) -> None:
    for block in blocks(path):
        ran = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{block}\n{ran.stderr}"


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_that_makes_a_password_leaves_one_alone_that_is_there(path: Path, tmp_path: Path) -> None:
    """A reader of two tutorials would lose the first one's wallet."""
    makers = [line for block in blocks(path) for line in block.splitlines() if "urandom" in line]
    for line in makers:
        made = []
        for _ in range(2):
            ran = subprocess.run(
                ["bash", "-ec", line], env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, check=False
            )
            assert ran.returncode == 0
            (file,) = (tmp_path / ".parity").iterdir()
            assert file.stat().st_mode & 0o777 == 0o600
            made.append(file.read_text())
        assert made[0] == made[1]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("parity-client fly", "no command fly"),
        ("parity-client balance --colour", "No such option: --colour"),
        ("sudo X=1 parity-runner drain now", "more than it takes"),
        ("true && parity-client deposit --yes", "amount is missing"),
        ("make haste", "lacks {'haste'}"),
        ("ape run deploy --moon", "No such option: --moon"),
        ("docker compose exec runner parity-runner status --xml", "No such option: --xml"),
    ],
)
def test_a_command_that_is_not_there_is_found(line: str, complaint: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```bash\n{line}\n```\n")
    last = list(commands(page))[-1]
    with pytest.raises(COMPLAINTS) as raised:
        check_shown(last)
    assert complaint in getattr(raised.value, "message", str(raised.value))
