"""Chains to index: whole task lives, many events a block (dense) or few (sparse), on anvil."""

import asyncio
import json
import os
import secrets
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from devnet.anvil import Anvil
from protocol.deployment import Deployment

ROOT = Path(__file__).resolve().parents[2]
SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
FINALITY_BLOCKS = 64
"""Empty blocks on top, more than either indexer leaves to its live mode."""
TRANSACTIONS_AT_ONCE = 200
GAS = 29_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many events a chain holds, and how many are in each block, all of one transaction."""

    name: str
    events: int
    per_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchChain:
    """A chain that runs, and what an index of it must hold."""

    anvil: Anvil
    shape: Shape
    deployment: Deployment
    stream: str
    events: int
    finished_tasks: int

    @property
    def url(self) -> str:
        """JSON-RPC over HTTP; the same port takes WebSockets."""
        return self.anvil.url

    async def emit(self, session: aiohttp.ClientSession, first: int, count: int) -> None:
        """Send a transaction that emits `count` events of the stream from `first` on; anvil mines it at once."""
        request = {"from": SENDER, "to": self.stream, "gas": hex(GAS), "data": run_call(first, count)}
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction", "params": [request]}
        async with session.post(self.url, json=call) as response:
            answer = await response.json()
        assert "error" not in answer, answer


def compiled() -> str:
    """Compile EventStream.sol with the project's forge; give its creation code."""
    out = ROOT / ".parity/forge/bench"
    folder = str(Path(__file__).parent)
    env = {
        **os.environ,
        "FOUNDRY_SRC": folder,
        "FOUNDRY_TEST": folder,
        "FOUNDRY_OUT": str(out),
        "FOUNDRY_CACHE_PATH": str(out.with_name("bench-cache")),
    }
    subprocess.run([ROOT / "toolchain/forge", "build", "--quiet"], cwd=ROOT, env=env, check=True)
    artifact = json.loads((out / "EventStream.sol/EventStream.json").read_text())
    return str(artifact["bytecode"]["object"])


@asynccontextmanager
async def chain_of(shape: Shape, *, seed: bytes | None = None) -> AsyncIterator[BenchChain]:
    """Run a chain of the shape. Another seed gives other ids and addresses, so nothing can be prepared for."""
    code = compiled()
    async with Anvil.start() as anvil:
        await anvil.rpc("anvil_setBlockGasLimit", hex(GAS + 10**6))
        creation = code + encode(["bytes32"], [seed or secrets.token_bytes(32)]).hex()
        receipt = await _send(anvil, {"from": SENDER, "data": creation, "gas": hex(GAS)})
        stream = receipt["contractAddress"]
        wallet, reputation, escrow = await _addresses(anvil, stream)
        opening = {
            "from": SENDER,
            "to": stream,
            "data": "0x" + keccak(text="open()")[:4].hex(),
            "gas": hex(GAS),
        }
        opened = len((await _send(anvil, opening))["logs"])
        chain = BenchChain(
            anvil=anvil,
            shape=shape,
            deployment=await _deployment(anvil, wallet=wallet, reputation=reputation, escrow=escrow),
            stream=stream,
            events=opened + shape.events,
            finished_tasks=max(0, shape.events // 25 - 3),
        )
        await _fill(chain)
        await anvil.mine(FINALITY_BLOCKS + 1)
        yield chain


async def _fill(chain: BenchChain) -> None:
    """Queue many transactions, then mine them: each block has room for the gas limit of one."""
    anvil, shape = chain.anvil, chain.shape
    starts = range(0, shape.events, shape.per_block)
    nonce = int(await anvil.rpc("eth_getTransactionCount", SENDER, "latest"), 16)
    await anvil.rpc("evm_setAutomine", False)
    async with aiohttp.ClientSession() as session:
        for at in range(0, len(starts), TRANSACTIONS_AT_ONCE):
            batch = starts[at : at + TRANSACTIONS_AT_ONCE]
            calls = [
                _queue(chain, first, min(shape.per_block, shape.events - first), nonce=nonce + at + number)
                for number, first in enumerate(batch)
            ]
            async with session.post(chain.url, json=calls) as response:
                answers = await response.json()
            assert not [answer for answer in answers if "error" in answer], answers[:2]
            await anvil.mine(len(batch))
            done = int(await anvil.rpc("eth_getTransactionCount", SENDER, "latest"), 16)
            assert done == nonce + at + len(batch), "a block did not take exactly one transaction"
    await anvil.rpc("evm_setAutomine", True)


def _queue(chain: BenchChain, first: int, count: int, *, nonce: int) -> dict[str, Any]:
    transaction = {
        "from": SENDER,
        "to": chain.stream,
        "gas": hex(GAS),
        "nonce": hex(nonce),
        "data": run_call(first, count),
    }
    return {"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction", "params": [transaction]}


def run_call(first: int, count: int) -> str:
    """Encode the call that emits `count` events of the stream from `first` on."""
    payload = keccak(text="run(uint256,uint256)")[:4] + encode(["uint256", "uint256"], [first, count])
    return "0x" + payload.hex()


async def _send(anvil: Anvil, transaction: dict[str, Any]) -> dict[str, Any]:
    sent = await anvil.rpc("eth_sendTransaction", transaction)
    for _ in range(200):
        receipt: dict[str, Any] | None = await anvil.rpc("eth_getTransactionReceipt", sent)
        if receipt is not None:
            assert receipt["status"] == "0x1", receipt
            return receipt
        await asyncio.sleep(0.05)
    raise TimeoutError(sent)


async def _addresses(anvil: Anvil, stream: str) -> tuple[str, str, str]:
    request = {"to": stream, "data": "0x" + keccak(text="addresses()")[:4].hex()}
    answer = bytes.fromhex((await anvil.rpc("eth_call", request, "latest"))[2:])
    wallet, reputation, escrow = decode(["address", "address", "address"], answer)
    return wallet, reputation, escrow


async def _deployment(anvil: Anvil, *, wallet: str, reputation: str, escrow: str) -> Deployment:
    genesis = (await anvil.rpc("eth_getBlockByNumber", "0x0", False))["hash"]
    # Contracts that the stream does not speak of are at addresses where nothing is.
    unused = {
        name: f"0x{number:040x}"
        for number, (name, field) in enumerate(Deployment.model_fields.items(), start=0x1000)
        if field.is_required()
    }
    known = {
        "chain_id": 31337,
        "version": "V1",
        "genesis_hash": genesis,
        "start_block": 1,
        "stake_wallet": wallet,
        "runner_reputation": reputation,
        "task_escrow": escrow,
        "params_id": 1,
        "local": True,
    }
    return Deployment.model_validate({**unused, **known})
