"""The command as a process of its own, on a terminal, where a person answers or presses Ctrl-C."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest

from client.money import read_balance
from tests.client.seats import NAME

ROOT = Path(__file__).parents[2]


class Terminal:
    """A pseudo-terminal with one command on it; what it shows is kept in `shown`."""

    def __init__(self, env: Mapping[str, str], *argv: str) -> None:
        self._argv = [sys.executable, "-m", "client", *argv]
        self._env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", **env}
        self.shown = ""

    async def __aenter__(self) -> Self:
        self._ours, theirs = pty.openpty()
        self.process = await asyncio.create_subprocess_exec(
            *self._argv, env=self._env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        os.close(self._ours)

    async def see(self, text: str) -> None:
        """Read until the terminal has shown a text."""
        async with asyncio.timeout(30):
            while text not in self.shown:
                self.shown += (await asyncio.to_thread(os.read, self._ours, 4096)).decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()


@pytest.mark.parametrize(("typed", "moved"), [("n\n", 0), ("\n", 0), ("y\n", 10**18)])
async def test_nothing_is_signed_without_a_yes(shell, chain, accounts, typed, moved):
    before = await read_balance(chain, accounts.client.address)

    async with Terminal(shell().env, "deposit", "--amount", "1") as terminal:
        await terminal.see("Sign and send? [y/N]")
        terminal.type(typed)
        await terminal.see("deposited 1 USDFC" if moved else "nothing was signed")
        ended = await terminal.ended()

    after = await read_balance(chain, accounts.client.address)
    assert ended == (0 if moved else 1)
    assert after.free - before.free == moved


async def test_a_typed_password_is_not_shown(offline, home):
    async with Terminal({**offline.env, "PARITY_PASSWORD_FILE": ""}, "auth", "--new") as terminal:
        await terminal.see("Password for the new key file: ")
        terminal.type("hush hush\n")
        await terminal.see("Once more: ")
        terminal.type("hush hush\n")
        await terminal.see("is stored, encrypted")

    assert "hush" not in terminal.shown
    assert (home / "keystore.json").exists()


async def test_a_typed_key_is_not_shown(offline, home):
    async with Terminal(offline.env, "auth") as terminal:
        await terminal.see("Private key (not shown): ")
        terminal.type("42" * 32 + "\n")
        await terminal.see("is stored, encrypted")

    assert "42" * 32 not in terminal.shown


async def test_ctrl_c_while_waiting_exits_at_once_and_the_task_goes_on(shell, parity, runners):
    order = await parity.submit_prompt("What is the capital of France?", model=NAME)
    name = "0x" + order.task_id.hex()

    async with Terminal(shell().env, "llm", "get", name, "--wait") as terminal:
        await terminal.see("open: 0 of 1 seats claimed")
        terminal.process.send_signal(signal.SIGINT)
        await terminal.see("interrupted; what was sent to the chain goes on by itself")
        code = await terminal.ended()
    await runners.answer(order.task_id)

    assert code == 130
    assert (await shell()("llm", "get", name)).out == "Paris.\n"
