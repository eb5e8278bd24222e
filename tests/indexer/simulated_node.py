"""A node whose chain a test bends at will: reorganisations of any shape, null rounds, limits, and wrong answers.

anvil makes none of the last three, so this serves the real client over real HTTP from a chain kept in memory.
"""

import hashlib
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.indexer.contract_events import Emitted
from tests.indexer.transactions import opening, random_tx
from tests.indexer.world import Refused, Tx, World
from tests.loopback import serve

GENESIS_TIME = 1_700_000_000


@dataclass
class Block:
    number: int
    hash: bytes
    parent: "Block | None"
    txs: list[tuple[Tx, list[Emitted]]]
    world: World

    @property
    def timestamp(self) -> int:
        return GENESIS_TIME + 30 * self.number


@dataclass
class Faults:
    """What the node does wrong. `null_dialect`: error, null or previous; `lies`: its next results by method."""

    null_dialect: str = "error"
    max_range: int | None = None
    range_text: str = "block range exceeds maximum of {cap} (got {width})"
    failures: list[int] = field(default_factory=list)
    error_texts: list[str] = field(default_factory=list)
    log_timestamps: bool = True
    finalized_depth: int | None = None
    lies: dict[str, list[Any]] = field(default_factory=dict)


class SimulatedNode:
    """The chain and its JSON-RPC."""

    def __init__(self, *, seed: int = 0) -> None:
        self.rng = random.Random(seed)
        self.nonce = 0
        genesis = Block(0, hashlib.sha256(b"genesis").digest(), None, [], World())
        self.head = genesis
        self.by_hash = {genesis.hash: genesis}
        self.pool: list[Tx] = []
        self.faults = Faults()
        self.requests: list[str] = []

    # the chain

    def mine(self, txs: Iterable[Tx], *, skip: int = 0) -> Block:
        """Add a block after `skip` null rounds; transactions that the contracts refuse emit nothing."""
        number = self.head.number + 1 + skip
        world, included = self.head.world, []
        for tx in txs:
            try:
                world, events = world.apply(tx, block=number)
            except Refused:
                events = []
            included.append((tx, events))
        self.nonce += 1
        seed = repr((self.head.hash, number, self.nonce)).encode()
        block = Block(number, hashlib.sha256(seed).digest(), self.head, included, world)
        self.head = self.by_hash[block.hash] = block
        return block

    def open(self) -> None:
        self.mine(opening())

    def grow(self, blocks: int, *, nulls: float = 0.2, per_block: int = 6) -> None:
        """Add random blocks, some empty, some after null rounds, some with orphaned transactions."""
        for _ in range(blocks):
            skip = self.rng.randrange(1, 4) if self.rng.random() < nulls else 0
            txs = []
            world = self.head.world
            for _ in range(self.rng.randrange(per_block) if self.rng.random() < 0.7 else 0):
                if self.pool and self.rng.random() < 0.5:
                    tx = self.pool.pop(self.rng.randrange(len(self.pool)))
                else:
                    self.nonce += 1
                    tx = random_tx(self.rng, world, self.nonce)
                try:
                    world, _events = world.apply(tx, block=self.head.number + 1 + skip)
                except Refused:
                    continue
                txs.append(tx)
            self.mine(txs, skip=skip)

    def drop(self, depth: int) -> None:
        """Orphan the last `depth` blocks; their transactions wait to be included elsewhere."""
        for _ in range(depth):
            if self.head.parent is None or self.head.number <= 1:
                return
            self.pool += [tx for tx, events in self.head.txs if events]
            self.head = self.head.parent

    def chain(self) -> list[Block]:
        blocks, block = [], self.head
        while block is not None:
            blocks.append(block)
            block = block.parent  # type: ignore[assignment]
        return blocks[::-1]

    # its JSON-RPC

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        application = web.Application(client_max_size=2**26)
        application.router.add_post("/", self._handle)
        async with serve(application) as url:
            yield f"{url}/"

    async def _handle(self, request: web.Request) -> web.Response:
        if self.faults.failures:
            return web.Response(status=self.faults.failures.pop(0), headers={"Retry-After": "0"})
        body = await request.json()
        if isinstance(body, list):
            return web.json_response([self._answer(entry) for entry in body])
        return web.json_response(self._answer(body))

    def _answer(self, entry: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(entry["method"])
        if self.faults.error_texts:
            return _error(entry, -32000, self.faults.error_texts.pop(0))
        if lies := self.faults.lies.get(entry["method"]):
            return {"jsonrpc": "2.0", "id": entry["id"], "result": lies.pop(0)}
        try:
            result = getattr(self, "_" + entry["method"])(*entry.get("params", []))
        except RpcFailure as failure:
            return _error(entry, failure.code, failure.text)
        return {"jsonrpc": "2.0", "id": entry["id"], "result": result}

    def _eth_chainId(self) -> str:
        return hex(31337)

    def _eth_blockNumber(self) -> str:
        return hex(self.head.number)

    def _eth_getBlockByHash(self, block_hash: str, _full: bool) -> dict[str, Any] | None:
        block = self.by_hash.get(bytes.fromhex(block_hash[2:]))
        return block_answer(block) if block else None

    def _eth_getBlockByNumber(self, tag: str, _full: bool) -> dict[str, Any] | None:
        if tag == "latest":
            return block_answer(self.head)
        if tag == "finalized":
            if self.faults.finalized_depth is None:
                raise RpcFailure(-32602, "invalid block tag: finalized")
            number = max(0, self.head.number - self.faults.finalized_depth)
            return block_answer([block for block in self.chain() if block.number <= number][-1])
        number = int(tag, 16)
        if number > self.head.number:
            return None
        below = [block for block in self.chain() if block.number <= number]
        if below[-1].number == number:
            return block_answer(below[-1])
        if self.faults.null_dialect == "error":
            raise RpcFailure(12, f"requested epoch was a null round ({number})")
        return block_answer(below[-1]) if self.faults.null_dialect == "previous" else None

    def _eth_getLogs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in query:
            block = self.by_hash.get(bytes.fromhex(query["blockHash"][2:]))
            if block is None:
                raise RpcFailure(-32000, "unknown block")
            blocks = [block]
            removed = block not in self.chain()
        else:
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            width = last - first
            if self.faults.max_range is not None and width > self.faults.max_range:
                raise RpcFailure(
                    -32005, self.faults.range_text.format(cap=self.faults.max_range, width=width)
                )
            if last > self.head.number:
                raise RpcFailure(-32000, "events for the requested block are not yet available")
            blocks = [block for block in self.chain() if first <= block.number <= last]
            removed = False
        wanted = set(query["address"])
        logs = [log for block in blocks for log in self._logs(block, removed=removed)]
        return [log for log in logs if log["address"] in wanted]

    def _logs(self, block: Block, *, removed: bool) -> list[dict[str, Any]]:
        logs: list[dict[str, Any]] = []
        for tx_index, (tx, events) in enumerate(block.txs):
            for event in events:
                entry = {
                    "address": "0x" + event.address.hex(),
                    "topics": ["0x" + topic.hex() for topic in event.topics],
                    "data": "0x" + event.data.hex(),
                    "blockNumber": hex(block.number),
                    "blockHash": "0x" + block.hash.hex(),
                    "transactionHash": "0x" + tx.hash.hex(),
                    "transactionIndex": hex(tx_index),
                    "logIndex": hex(len(logs)),
                    "removed": removed,
                }
                if self.faults.log_timestamps:
                    entry["blockTimestamp"] = hex(block.timestamp)
                logs.append(entry)
        return logs


class RpcFailure(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def _error(entry: dict[str, Any], code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": entry["id"], "error": {"code": code, "message": text}}


def block_answer(block: Block) -> dict[str, Any]:
    return {
        "number": hex(block.number),
        "hash": "0x" + block.hash.hex(),
        "parentHash": "0x" + (block.parent.hash if block.parent else bytes(32)).hex(),
        "timestamp": hex(block.timestamp),
    }
