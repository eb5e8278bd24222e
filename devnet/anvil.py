"""A local chain: anvil, as a child process."""

import contextlib
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from devnet.accounts import ACCOUNT_COUNT, MNEMONIC
from devnet.paths import anvil_binary
from devnet.ports import LOOPBACK
from devnet.process import Launch, Process
from protocol.errors import ChainError

_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")


STATES_KEPT = 600
"""Past states that can be read; without a limit anvil keeps each block's in a file, gigabytes in an hour."""


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running chain. Use `async with Anvil.start(...)`."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @staticmethod
    @asynccontextmanager
    async def start(
        *,
        port: int = 0,
        chain_id: int = 31337,
        block_time_s: float | None = None,
        at_once: bool = True,
        load_state: Path | None = None,
        dump_state: Path | None = None,
        dump_every_s: int | None = None,
        log: Path | None = None,
    ) -> AsyncIterator["Anvil"]:
        """Run a chain until the block is left.

        `port` 0 takes a free one. Without `block_time_s` a block is mined for each transaction; with it, one each
        so many seconds besides, or instead if not `at_once`. `load_state` is read at the start when it exists; `dump_state` is written at the
        end and, with `dump_every_s`, in between. Raises ProcessFailed when anvil does not come up.
        """
        with contextlib.ExitStack() as scratch:
            if log is None:
                folder = scratch.enter_context(tempfile.TemporaryDirectory(prefix="parity-anvil-"))
                log = Path(folder) / "anvil.log"
            log.unlink(missing_ok=True)
            argv = _argv(
                port=port,
                chain_id=chain_id,
                block_time_s=block_time_s,
                at_once=at_once,
                load_state=load_state,
                dump_state=dump_state,
                dump_every_s=dump_every_s,
            )
            # SIGINT is the signal at which anvil writes its state.
            launch = Launch(name="anvil", argv=argv, log=log, stop_signal=signal.SIGINT)
            process = await Process.start(launch)
            try:
                await process.ready(partial(_is_listening, log))
                yield Anvil(process, _port_in(log))
            finally:
                await process.stop(grace_s=30)

    async def rpc(self, method: str, *params: object) -> Any:
        """Call a JSON-RPC method of the node and return its result. Raises ChainError with the node's message."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with httpx.AsyncClient() as client:
            answer = (await client.post(self.url, json=request, timeout=30)).json()
        if "error" in answer:
            raise ChainError(f"{method} failed: {answer['error']['message']}")
        return answer["result"]

    async def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks at once."""
        await self.rpc("anvil_mine", hex(blocks))

    async def block_number(self) -> int:
        return int(await self.rpc("eth_blockNumber"), 16)


def _argv(
    *,
    port: int,
    chain_id: int,
    block_time_s: float | None,
    at_once: bool,
    load_state: Path | None,
    dump_state: Path | None,
    dump_every_s: int | None,
) -> list[str]:
    argv = [
        str(anvil_binary()),
        *("--host", LOOPBACK),
        *("--port", str(port)),
        *("--chain-id", str(chain_id)),
        *("--accounts", str(ACCOUNT_COUNT)),
        *("--mnemonic", MNEMONIC),
        *("--prune-history", str(STATES_KEPT)),
    ]
    if block_time_s is not None:
        argv += ["--block-time", f"{block_time_s:g}", *(["--mixed-mining"] if at_once else [])]
    if load_state is not None and load_state.exists():
        argv += ["--load-state", str(load_state)]
    if dump_state is not None:
        argv += ["--dump-state", str(dump_state)]
        if dump_every_s is not None:
            argv += ["--state-interval", str(dump_every_s)]
    return argv


async def _is_listening(log: Path) -> bool:
    return _listening(log) is not None


def _port_in(log: Path) -> int:
    found = _listening(log)
    assert found is not None, "called once `_is_listening` holds"
    return int(found[1])


def _listening(log: Path) -> re.Match[bytes] | None:
    return _LISTENING.search(log.read_bytes())
