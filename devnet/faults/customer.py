"""A customer of the rehearsal: `parity-client` as a process, which orders an answer and does not give up before it has it."""

import asyncio
import contextlib
import json
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from client.logs import Span, read_events
from devnet.accounts import LOCAL
from devnet.faults.matrix import CUSTOMER
from devnet.process import Launch, Process
from devnet.services import base_environment
from protocol.chain import Chain
from protocol.keystore import create_keystore

REPLICAS: Final = 2
_QUESTION: Final = "Say one thing about {}."
_SUBJECTS: Final = ("tea", "rain", "Rome", "owls", "bread", "the moon", "chess", "salt", "rivers", "glass")
_PAUSE_S: Final = 0.5
_TIMEOUT_S: Final = 120


@dataclass
class Customer:
    """Wants one answer. `errors` are what the command said when it failed, each once; `answer` is what it gave in the end."""

    chain: Chain
    environment: dict[str, str]
    folder: Path
    model: str
    since: int
    errors: list[str] = field(default_factory=list)
    answer: str = ""
    _there: asyncio.Event = field(default_factory=asyncio.Event)
    _running: Process | None = None

    def __post_init__(self) -> None:
        self._there.set()

    async def run(self) -> None:
        """Order, wait, and after a failure look for the order on chain: go on with it, or order again."""
        self._prepare()
        while not self.answer:
            ordered = await self.orders()
            document = await self._command(*(self._waiting(ordered[0]) if ordered else self._ordering()))
            if document:
                self.answer = json.loads(document)["answer"]["output"]
            await asyncio.sleep(_PAUSE_S)

    async def orders(self) -> list[bytes]:
        """Return the ids of the orders that were placed, oldest first, whether or not the customer knows of them."""
        span = Span(self.since, await self.chain.block_number())
        events = await read_events(self.chain, "TaskEscrow", names=("TaskSubmitted",), span=span)
        return [bytes(event.arguments["taskId"]) for event in events]

    async def kill(self) -> None:
        """End the command that runs now as a crash would; no other is started before `back`."""
        self._there.clear()
        if self._running is not None:
            await self._running.kill()

    def back(self) -> None:
        """Let the customer go on."""
        self._there.set()

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        keystore, password = self.folder / "keystore.json", self.folder / "password"
        if not keystore.exists():
            password.touch(mode=0o600)
            password.write_text(secrets.token_hex())
            create_keystore(keystore, bytes(LOCAL.client.key), password.read_text())
        self.environment |= {"PARITY_KEYSTORE": str(keystore), "PARITY_PASSWORD_FILE": str(password)}

    def _ordering(self) -> list[str]:
        question = _QUESTION.format(_SUBJECTS[self.since % len(_SUBJECTS)])
        return [
            *("submit", "--prompt", question, "--model", self.model, "--max-tokens", "8"),
            *("--replicas", str(REPLICAS), "--quorum", str(REPLICAS), "--relay", "--yes"),
        ]

    def _waiting(self, task_id: bytes) -> list[str]:
        return ["get", "0x" + task_id.hex()]

    async def _command(self, *argv: str) -> str | None:
        """Run one command; give what it printed, or nothing when it failed or was killed."""
        await self._there.wait()
        log = self.folder / "command.log"
        log.unlink(missing_ok=True)
        common = ["--wait", "--timeout", str(_TIMEOUT_S), "--json"]
        self._running = await Process.start(
            Launch(
                name=CUSTOMER,
                argv=[sys.executable, "-m", "client", "llm", *argv, *common],
                log=log,
                env={**base_environment(), **self.environment},
                cwd=self.folder,
            )
        )
        try:
            status = await self._running.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                await self._running.kill()
        said = log.read_text(encoding="utf-8", errors="replace")
        if status == 0:
            return said[said.index("{") :]
        error = next((line for line in said.splitlines() if line.startswith("error:")), "")
        if error and error not in self.errors:
            self.errors.append(error)
        return None
