"""Secrets that must be in no process's log: every key of the local chain, and every prompt and answer on it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from devnet.accounts import ACCOUNT_COUNT, MNEMONIC, account
from devnet.network import Network
from protocol.chain import Chain
from protocol.content import IpfsStore
from protocol.documents import LlmResult, LlmSpec, parse_document
from protocol.errors import ParityError

SHORTEST = 12
"""Characters of a text that would not be in a log by chance."""
OURS = ("indexer", "server", "runner-*", "engine")
"""The logs of processes that are Parity's: the chain's prints the keys that the whole world knows."""


def keys() -> dict[str, str]:
    """Name every key of the local chain, as hex without a prefix."""
    found = {f"key {index}": account(index).key.hex().removeprefix("0x") for index in range(ACCOUNT_COUNT)}
    return found | {"mnemonic": MNEMONIC}


async def texts(network: Network) -> dict[str, str]:
    """Return every prompt that was ordered on the chain so far, and every answer, by what it is of."""
    found: dict[str, str] = {}
    store = IpfsStore(network.environment["IPFS_API"], timeout_s=10)
    async with Chain.connect(network.environment["FILECOIN_RPC"], network.deployment) as chain:
        submitted = await chain.escrow.events.TaskSubmitted.get_logs(from_block=0)
        revealed = await chain.escrow.events.SeatRevealed.get_logs(from_block=0)
    for log in submitted:
        document = await _document(store, bytes(log["args"]["order"]["spec"]))
        if isinstance(document, LlmSpec):
            found[f"prompt of {log['args']['taskId'].hex()}"] = document.prompt
            found[f"system prompt of {log['args']['taskId'].hex()}"] = document.system or ""
    for log in revealed:
        document = await _document(store, bytes(log["args"]["result"]))
        if isinstance(document, LlmResult):
            found[f"answer to {log['args']['taskId'].hex()}"] = document.output
    return {name: text for name, text in found.items() if len(text.strip()) >= SHORTEST}


async def _document(store: IpfsStore, digest: bytes) -> object:
    try:
        return parse_document(await store.get(digest))
    except ParityError:
        return None  # some tests order what nobody can read


def logs_of(network: Network) -> list[Path]:
    """List the logs of our own processes."""
    folder = network.plan.log("x").parent
    return sorted({path for name in OURS for path in folder.glob(f"{name}.log")})


def leaks(logs: Iterable[Path], secrets: dict[str, str]) -> Iterator[str]:
    """Name each secret that a log holds, as it is or as JSON writes it, and the log."""
    for log in logs:
        text = log.read_text(encoding="utf-8", errors="replace").lower()
        for name, secret in secrets.items():
            if secret.lower() in text or json.dumps(secret)[1:-1].lower() in text:
                yield f"{log.name}: {name}"
