"""Running a command as a person would, in this process, and seeing all that it wrote."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from client.commands.app import app

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Cli:
    """A person's shell: their environment, and the commands they type in it."""

    env: Mapping[str, str]

    async def __call__(self, *argv: str, stdin: str = "", **env: str) -> Ran:
        return await asyncio.to_thread(self.run, *argv, stdin=stdin, **env)

    def run(self, *argv: str, stdin: str = "", **env: str) -> Ran:
        result = CliRunner().invoke(app, list(argv), input=stdin, env={**self.env, **env})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)
