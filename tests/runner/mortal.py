"""Runners' daemons in processes of their own that start in a moment, so that they can be killed a hundred times.

Run as a program, this imports the daemon once; for each line of JSON on its standard input it forks, says the child's
process id, and lets the child be the daemon with these settings.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Self

from devnet.accounts import LOCAL
from protocol.log import configure_logging
from runner.daemon import run_daemon
from runner.settings import RunnerSettings


class Mother:
    """Bears daemons of runner 0. Use it as a context manager, which ends the last one too."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._child: int | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log.open("ab"),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._child is not None:
            await self.kill()
        self._process.kill()
        await self._process.wait()

    async def bear(self, settings: dict[str, Any]) -> None:
        """Start a daemon."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(settings, default=str).encode() + b"\n")
        self._child = int(await self._process.stdout.readline())

    @property
    def has_a_living_child(self) -> bool:
        return self._child is not None and Path(f"/proc/{self._child}").exists()

    async def kill(self) -> None:
        """Kill it with signal 9, and wait until it is gone."""
        assert self._child is not None
        os.kill(self._child, signal.SIGKILL)
        while self.has_a_living_child:  # noqa: ASYNC110 (a process rings no bell here)
            await asyncio.sleep(0.01)
        self._child = None


def main() -> None:
    """Fork at each line; nobody waits for the children."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    configure_logging("runner", level="warning", json=True)
    account = LOCAL.node(0)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asyncio.run(run_daemon(RunnerSettings(_env_file=None, **json.loads(line)), account))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
