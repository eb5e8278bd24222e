"""Every line of the documentation that calls the client calls a command that exists, with options that it has."""

import itertools
import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from client.commands.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"^(?:\./)?parity-client (.*)$", re.MULTILINE)
ENDS = {"|", "||", "&&", "&", ";", ">", ">>"}


def calls(path: Path) -> list[str]:
    blocks = (block.replace("\\\n", " ") for block in BLOCK.findall(path.read_text()))
    return [call for block in blocks for call in CALL.findall(block)]


def words_of(call: str) -> list[str]:
    """Cut a call into words as a shell does, up to a comment, a pipe or the next command."""
    return list(itertools.takewhile(lambda word: word not in ENDS, shlex.split(call, comments=True)))


@pytest.mark.parametrize("path", [path for path in PAGES if calls(path)], ids=lambda path: path.name)
def test_every_client_command_of_a_page_exists_with_its_options(path: Path) -> None:
    for call in calls(path):
        command, words = get_command(app), words_of(call)
        while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
            name = words.pop(0)
            assert name in command.commands, f"{path.name}: parity-client {call}: no command {name!r}"
            command = command.commands[name]
        known = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= known | {"--help", "-h"}, f"{path.name}: parity-client {call}"
