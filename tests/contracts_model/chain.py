"""The real contracts on anvil, one transaction a block, by the quickest way in: unlocked accounts and batched calls."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import httpx
from eth_abi.abi import decode
from web3 import Web3

from devnet.accounts import LocalAccounts
from protocol.abi import load_abi
from protocol.commitment import Reveal, commitment
from protocol.deployment import Deployment
from protocol.order import Order
from protocol.typed_data import escrow_domain, sign_order, task_id
from tests.contracts_model.model import Answer, Purse, Rules

GAS = hex(3_000_000)
SALT = b"\x01" * 32
READS = (("accountOf", "uint256,uint256"), ("stakeOf", "uint256,uint256"), ("unbondingOf", "uint256,uint256"))


class Reverted(Exception):
    """The transaction is in a block, and did nothing."""


@dataclass(frozen=True)
class Cast:
    """Who is who."""

    client: str
    payer: str
    treasury: str
    burn: str
    owners: tuple[str, ...]
    nodes: tuple[str, ...]

    @property
    def everybody(self) -> tuple[str, ...]:
        return (self.client, self.payer, self.treasury, self.burn, *self.owners)


class Contracts:
    """Calls and transactions. `block` is the number of the last block."""

    def __init__(self, url: str, deployment: Deployment, accounts: LocalAccounts) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        self._accounts = accounts
        self._domain = escrow_domain(deployment.chain_id, deployment.task_escrow)
        names = {
            "TestUSDFC": deployment.usdfc,
            "StakeWallet": deployment.stake_wallet,
            "RunnerReputation": deployment.runner_reputation,
            "TaskEscrow": deployment.task_escrow,
        }
        self._addresses = names
        self._abi = {name: Web3().eth.contract(abi=load_abi(name)) for name in names}
        self.rpc("evm_setAutomine", False)
        self.block = int(self.rpc("eth_blockNumber"), 16)

    def rpc(self, method: str, *params: object) -> Any:
        return self._batch([(method, list(params))])[0]

    def _batch(self, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
        request = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        answers = sorted(self._http.post("/", json=request).json(), key=lambda answer: answer["id"])
        for answer in answers:
            assert "error" not in answer, answer
        return [answer["result"] for answer in answers]

    def data(self, contract: str, function: str, *arguments: object) -> str:
        return self._abi[contract].encode_abi(function, args=list(arguments))

    def call(self, contract: str, function: str, *arguments: object) -> bytes:
        request = {"to": self._addresses[contract], "data": self.data(contract, function, *arguments)}
        return bytes.fromhex(self.rpc("eth_call", request, "latest")[2:])

    def send(self, sender: str, contract: str, function: str, *arguments: object) -> None:
        """Mine one block with one transaction. Raises Reverted."""
        request = {
            "from": sender,
            "to": self._addresses[contract],
            "data": self.data(contract, function, *arguments),
            "gas": GAS,
        }
        transaction = self.rpc("eth_sendTransaction", request)
        self.rpc("evm_mine")
        receipt = self.rpc("eth_getTransactionReceipt", transaction)
        self.block = int(receipt["blockNumber"], 16)
        if int(receipt["status"], 16) == 0:
            raise Reverted(function)

    def mine(self, blocks: int) -> None:
        self.rpc("anvil_mine", hex(blocks))
        self.block += blocks

    def snapshot(self) -> str:
        taken: str = self.rpc("evm_snapshot")
        return taken

    def restore(self, snapshot: str) -> None:
        self.rpc("evm_revert", snapshot)
        self.block = int(self.rpc("eth_blockNumber"), 16)

    # ---------------------------------------------------------------- what is read

    def purses(self, who: Sequence[str]) -> dict[str, Purse]:
        """Read all pockets of all accounts in one request."""
        to = self._addresses["StakeWallet"]
        calls: list[tuple[str, list[object]]] = [
            ("eth_call", [{"to": to, "data": self.data("StakeWallet", name, account)}, "latest"])
            for account in who
            for name, _ in READS
        ]
        words = [decode(["uint256", "uint256"], bytes.fromhex(answer[2:])) for answer in self._batch(calls)]
        rows = [words[start : start + len(READS)] for start in range(0, len(words), len(READS))]
        return {
            account: Purse(*free, *stake, *unbonding)
            for account, (free, stake, unbonding) in zip(who, rows, strict=True)
        }

    def held(self) -> int:
        """Read how many tokens the wallet holds."""
        held: int = decode(["uint256"], self.call("TestUSDFC", "balanceOf", self._addresses["StakeWallet"]))[
            0
        ]
        return held

    def rules(self) -> Rules:
        params_id = decode(["uint16"], self.call("TaskEscrow", "latestParamsId"))[0]
        names = [
            "commit_for",
            "reveal_for",
            "challenge_for",
            "panel_for",
            "max_claim_for",
            "maturity",
            "fee_bps",
            "wrong_bps",
            "miss_bps",
            "payer_bps",
            "burn_bps",
            "challenger_bps",
            "panel_size",
            "max_replicas",
        ]
        words = decode(["uint256"] * len(names), self.call("TaskEscrow", "paramsOf", params_id))
        known = dict(zip(names, words, strict=True))
        known["min_stake"] = decode(["uint256"] * 4, self.call("RunnerReputation", "settings"))[0]
        known["unbond_delay"] = decode(["uint256"], self.call("StakeWallet", "unbondDelay"))[0]
        known["seed_delay"] = decode(["uint256"], self.call("TaskEscrow", "SEED_DELAY"))[0]
        return Rules(**{one.name: known[one.name] for one in fields(Rules)})

    def status(self, task: bytes) -> int:
        status: int = decode(["uint256"] * 13, self.call("TaskEscrow", "taskOf", task))[-1]
        return status

    # ---------------------------------------------------------------- what is sent

    def task_id(self, order: Order) -> bytes:
        return task_id(order, self._domain)

    def submit(self, order: Order) -> None:
        """By the client itself, or signed by both and sent by anybody."""
        if order.client == order.payer:
            return self.send(order.client, "TaskEscrow", "submit", order.as_tuple())
        signatures = [
            sign_order(order, self._domain, one) for one in (self._accounts.client, self._accounts.payer)
        ]
        return self.send(
            self._accounts.relayer.address, "TaskEscrow", "submitFor", order.as_tuple(), *signatures
        )

    def commit(self, task: bytes, seat: int, *, node: str, answer: Answer) -> None:
        sealed = commitment(task, node, opening(answer))
        self.send(node, "TaskEscrow", "commit", task, seat, sealed)

    def reveal(self, task: bytes, seat: int, *, node: str, answer: Answer) -> None:
        self.send(node, "TaskEscrow", "reveal", task, seat, opening(answer).as_tuple())


def opening(answer: Answer) -> Reveal:
    return Reveal(
        result=answer.result,
        fingerprint=bytes(32),
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        salt=SALT,
    )
