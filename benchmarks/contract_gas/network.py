"""A chain of its own, and a log of what each labelled call on it cost."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import RPCEndpoint, TxReceipt

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("FOUNDRY_OUT", ".parity/forge/out")
USDFC = 10**18
GENESIS_S = 1_800_000_000
RESULT = Web3.keccak(text="result")


def account(role: str) -> LocalAccount:
    """Return the same account for the same role each time, so that the figures are the same too."""
    made: LocalAccount = Account.from_key(Web3.keccak(text=role))
    return made


def members(signature: str) -> list[dict[str, str]]:
    """Return a struct's members as EIP-712 tools want them."""
    pairs = (member.split() for member in signature.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


@contextmanager
def chain() -> Iterator[Web3]:
    """Run a chain of its own on a free port for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(ROOT / "node_modules/.bin/anvil"), "--port", str(port), "--silent", "--order", "fifo"]
    command += ["--timestamp", str(GENESIS_S)]
    process = subprocess.Popen(command)
    try:
        w3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        while not w3.is_connected():
            time.sleep(0.05)
        # A block's hash decides who is drawn: with the clock out of it, every run draws alike.
        w3.provider.make_request(RPCEndpoint("anvil_setBlockTimestampInterval"), [1])
        yield w3
    finally:
        process.terminate()
        process.wait()


@dataclass
class Network:
    """The deployed contracts and a log of what each labelled call cost."""

    w3: Web3
    boss: LocalAccount
    gas: dict[str, list[int]] = field(default_factory=dict)

    def send(self, call: ContractFunction, sender: LocalAccount, label: str | None = None) -> TxReceipt:
        self.w3.provider.make_request("anvil_setBalance", [sender.address, hex(10**24)])  # type: ignore[arg-type]
        transaction = call.build_transaction(
            {
                "from": sender.address,
                "nonce": self.w3.eth.get_transaction_count(sender.address),
                "gas": 12_000_000,
            }
        )
        fields: dict[str, Any] = {**transaction}
        raw = sender.sign_transaction(fields).raw_transaction
        receipt = self.w3.eth.wait_for_transaction_receipt(
            self.w3.eth.send_raw_transaction(raw), poll_latency=0.01
        )
        if receipt["status"] != 1:
            raise RuntimeError(f"reverted: {call.fn_name}")
        if label is not None:
            self.gas.setdefault(label, []).append(receipt["gasUsed"])
        return receipt

    def deploy(self, name: str, *arguments: Any) -> Contract:
        artifact = json.loads((BUILD / f"{name}.sol/{name}.json").read_text())
        factory = self.w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"]["object"])
        receipt = self.send(factory.constructor(*arguments), self.boss, f"deploy {name}")  # type: ignore[arg-type]
        address = receipt["contractAddress"]
        if address is None:
            raise RuntimeError(f"not created: {name}")
        return self.w3.eth.contract(address=address, abi=artifact["abi"])

    def mine(self, blocks: int) -> None:
        self.w3.provider.make_request("anvil_mine", [hex(blocks)])  # type: ignore[arg-type]
