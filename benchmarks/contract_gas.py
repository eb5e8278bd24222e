"""Measure the gas of whole task lives on a fresh local chain, beside the figures that peers publish.

`toolchain/gas` builds the contracts and runs this; `--write` puts the tables into docs/reference/gas.md.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import federated_gas
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import RPCEndpoint, TxReceipt

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("FOUNDRY_OUT", ".parity/forge/out")
PAGE = ROOT / "docs/reference/gas.md"
USDFC = 10**18
GENESIS_S = 1_800_000_000
BOND = 10 * USDFC
REWARD = USDFC
PARAMS = (480, 120, 10, 24, 2400, 2, 200, 5000, 1000, 3000, 2000, 5000, 3, 7)
AUDIT_RULES = (USDFC // 10, 500, 5000, 2000, 10, 5)
QUORUM, AUDITED = 0, 1
FINAL, VOTING, CLEARED = 6, 3, 2
RESULT = Web3.keccak(text="result")
POCO_LIFE = 1_025_238
STEPS = ("submitFor", "claim", "commit", "reveal", "reveal and settle")
AUDIT_STEPS = ("submitFor", "claim", "reveal", "draw", "vote", "open a vote", "advance and settle")
OTHERS = ("deposit (new account)", "bond", "register", "addParams", "addRules")
CHANNEL_CALLS = (
    "open",
    "open (relayed)",
    "top up",
    "redeem 1, first",
    "redeem 1",
    "redeem 64",
    "request close",
    "close",
)
TEMPLATE = Path(__file__).with_name("gas.md.in")
ORDER = """
address client,address payer,uint96 reward,uint96 bond,uint96 inputPrice,uint96 outputPrice,uint16 paramsId,
uint8 replicas,uint8 quorum,uint8 mode,uint40 claimBy,uint32 retention,uint64 clientEpoch,bytes32 spec,bytes32 salt
"""
CHANNEL = (
    "address payer,address node,address owner,uint96 amount,uint40 closeDelay,uint40 openBy,bytes32 salt"
)
VOUCHER = "bytes32 channelId,uint128 cumulative"
BATCH = 64
REGISTRATION = "address owner,address node,bytes32 label,bytes32 profile,uint256 deadline"


def account(role: str) -> LocalAccount:
    """Give the same account for the same role each time, so that the figures are the same too."""
    made: LocalAccount = Account.from_key(Web3.keccak(text=role))
    return made


def members(signature: str) -> list[dict[str, str]]:
    """Give a struct's members as EIP-712 tools want them."""
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


@dataclass
class World(Network):
    """The whole protocol with a client and four runners, of whom three answer or sit on panels."""

    def __post_init__(self) -> None:
        self.client, self.treasury = account("client"), account("treasury")
        self.runners = [(account(f"owner {i}"), account(f"node {i}")) for i in range(4)]
        self.token = self.deploy("TestUSDFC")
        beacon = self.deploy("BlockhashBeacon")
        manager = self.deploy("ParityAccessManager", self.boss.address)
        self.wallet = self.deploy("StakeWallet", manager.address, self.token.address, 720, 240)
        settings = (100 * USDFC, USDFC // 100, 10_000_000, 2_000_000)
        self.reputation = self.deploy("RunnerReputation", self.wallet.address, settings)
        parts = (manager, self.wallet, self.reputation, beacon, self.treasury)
        addresses = [part.address for part in parts]
        self.court = self.deploy("AuditCourt", *addresses, 8)
        self.escrow = self.deploy("TaskEscrow", *addresses, self.court.address, 8)
        self.send(self.court.functions.wire(self.escrow.address), self.boss)
        self.charter = self.deploy(
            "SessionCharter",
            manager.address,
            self.reputation.address,
            self.escrow.address,
            beacon.address,
            8,
        )
        peers = (self.wallet, self.reputation, self.escrow, self.charter)
        self.federated = self.deploy(
            "FederatedLearning", (*(peer.address for peer in peers), self.treasury.address)
        )
        modules, courts = [self.escrow.address, self.federated.address], [self.court.address]
        self.send(self.wallet.functions.wire(modules, courts), self.boss)
        self.send(self.reputation.functions.wire(modules + courts), self.boss)
        self.send(self.escrow.functions.addParams(PARAMS), self.boss, "addParams")
        self.send(self.court.functions.addRules(1, AUDIT_RULES), self.boss, "addRules")
        self.send(self.charter.functions.addParams(federated_gas.SESSION_PARAMS), self.boss)
        self.fund(self.client, 1_000 * USDFC)
        for owner, node in self.runners:
            self.join(owner, node)
        self.mine(10)

    def fund(self, account: LocalAccount, amount: int) -> None:
        self.send(self.token.functions.mint(account.address, amount), account)
        self.send(self.token.functions.approve(self.wallet.address, 2**256 - 1), account)
        self.send(self.wallet.functions.deposit(amount), account, "deposit (new account)")

    def join(self, owner: LocalAccount, node: LocalAccount) -> None:
        self.fund(owner, 500 * USDFC)
        self.send(self.wallet.functions.bond(400 * USDFC), owner, "bond")
        domain = {
            "name": "Parity RunnerReputation",
            "version": "1",
            "chainId": self.w3.eth.chain_id,
            "verifyingContract": self.reputation.address,
        }
        types = {"Registration": members(REGISTRATION)}
        value = {
            "owner": owner.address,
            "node": node.address,
            "label": RESULT,
            "profile": RESULT,
            "deadline": 10**6,
        }
        signature = node.sign_typed_data(domain, types, value).signature
        call = self.reputation.functions.register(node.address, RESULT, RESULT, 10**6, signature)
        self.send(call, owner, "register")

    def order(self, replicas: int, *, metered: bool, mode: int = QUORUM) -> dict[str, Any]:
        return {
            "client": self.client.address,
            "payer": self.client.address,
            "reward": REWARD,
            "bond": BOND,
            "inputPrice": USDFC // 10 if metered else 0,
            "outputPrice": USDFC // 5 if metered else 0,
            "paramsId": 1,
            "replicas": replicas,
            "quorum": replicas // 2 + 1,
            "mode": mode,
            "claimBy": self.w3.eth.block_number + 1_000,
            "retention": 1_000,
            "clientEpoch": 0,
            "spec": RESULT,
            "salt": Web3.keccak(text=f"salt {self.w3.eth.block_number}"),
        }

    def sign(self, order: dict[str, Any]) -> bytes:
        domain = {
            "name": "Parity TaskEscrow",
            "version": "1",
            "chainId": self.w3.eth.chain_id,
            "verifyingContract": self.escrow.address,
        }
        return bytes(self.client.sign_typed_data(domain, {"Order": members(ORDER)}, order).signature)

    def live(self, replicas: int, label: str, *, metered: bool = False, wrong: int | None = None) -> int:
        """Walk one relayed task from submission to settlement; return the gas of all its transactions."""
        steps: dict[str, list[int]] = {}

        def step(name: str, call: ContractFunction, sender: LocalAccount) -> None:
            steps.setdefault(name, []).append(self.send(call, sender)["gasUsed"])

        order = self.order(replicas, metered=metered)
        values = tuple(order.values())
        task = self.escrow.functions.orderId(values).call()
        step("submitFor", self.escrow.functions.submitFor(values, self.sign(order), b""), self.boss)
        self.mine(40)
        nodes = [node for _, node in self.runners[:replicas]]
        opened = {
            node: (RESULT if seat != wrong else task, RESULT, 700, 300, Web3.keccak(text=f"salt {seat}"))
            for seat, node in enumerate(nodes)
        }
        for node in nodes:
            step("claim", self.escrow.functions.claim(task), node)
        # The last seat reveals without a commitment.
        for seat, node in enumerate(nodes[:-1]):
            commitment = self.escrow.functions.commitmentOf(task, node.address, opened[node]).call()
            step("commit", self.escrow.functions.commit(task, seat, commitment), node)
        for turn in range(replicas):
            seat = (turn - 1) % replicas
            node, last = nodes[seat], turn == replicas - 1
            step(
                "reveal and settle" if last else "reveal",
                self.escrow.functions.reveal(task, seat, opened[node]),
                node,
            )
        if self.escrow.functions.taskOf(task).call()[-1] != 6:
            raise RuntimeError("the task did not end well")
        return self._note(label, steps)

    def _note(self, label: str, steps: dict[str, list[int]]) -> int:
        for name, spent in steps.items():
            self.gas[f"{label}: {name}"] = spent
        return sum(sum(spent) for spent in steps.values())

    def live_audited(self, label: str, *, audited: bool) -> int:
        """Walk one audited task from submission to settlement, with a panel or without; tries until the draw says so."""
        while True:
            steps = self._audited(audited=audited)
            if steps is not None:
                return self._note(label, steps)

    def _audited(self, *, audited: bool) -> dict[str, list[int]] | None:
        steps: dict[str, list[int]] = {}

        def step(name: str, call: ContractFunction, sender: LocalAccount) -> None:
            steps.setdefault(name, []).append(self.send(call, sender)["gasUsed"])

        order = self.order(1, metered=False, mode=AUDITED)
        values = tuple(order.values())
        task = self.escrow.functions.orderId(values).call()
        step("submitFor", self.escrow.functions.submitFor(values, self.sign(order), b""), self.boss)
        self.mine(40)
        node = self.runners[0][1]
        step("claim", self.escrow.functions.claim(task), node)
        opened = (RESULT, RESULT, 700, 300, RESULT)
        step("reveal", self.escrow.functions.reveal(task, 0, opened), node)
        self.mine(3)
        step("draw", self.court.functions.draw(task), self.boss)
        drawn = self.court.functions.caseOf(task).call()[5] == VOTING
        if drawn:
            self._judge(task, step)
        self.mine(30)
        step("advance and settle", self.court.functions.advance(task), self.boss)
        if self.escrow.functions.taskOf(task).call()[-1] != FINAL:
            raise RuntimeError("the task did not end well")
        return steps if drawn == audited else None

    def _judge(self, task: bytes, step: Callable[[str, ContractFunction, LocalAccount], None]) -> None:
        self.mine(12)
        auditors = [node for _, node in self.runners[1:]]
        ballot = (True, RESULT, RESULT)
        for auditor in auditors:
            seal = self.court.functions.sealOf(task, 0, auditor.address, ballot).call()
            step("vote", self.court.functions.vote(task, seal), auditor)
        for seat, auditor in enumerate(auditors):
            step("open a vote", self.court.functions.openVote(task, seat, ballot), auditor)


@dataclass
class Channels:
    """Channels of many payers to one owner."""

    world: World

    def __post_init__(self) -> None:
        self.owner, self.node = account("paid owner"), account("paid node")
        self.payers = [account(f"payer {i}") for i in range(BATCH)]
        self.domain = {
            "name": "Parity StakeWallet",
            "version": "1",
            "chainId": self.world.w3.eth.chain_id,
            "verifyingContract": self.world.wallet.address,
        }

    def terms(self, payer: LocalAccount) -> dict[str, Any]:
        return {
            "payer": payer.address,
            "node": self.node.address,
            "owner": self.owner.address,
            "amount": 10 * USDFC,
            "closeDelay": 720,
            "openBy": 10**6,
            "salt": RESULT,
        }

    def voucher(self, payer: LocalAccount, cumulative: int) -> tuple[Any, ...]:
        channel = self.world.wallet.functions.channelIdOf(tuple(self.terms(payer).values())).call()
        message = {"channelId": channel, "cumulative": cumulative}
        signed = payer.sign_typed_data(self.domain, {"Voucher": members(VOUCHER)}, message)
        vs = (signed.v - 27) << 255 | signed.s
        return (channel, cumulative, signed.r.to_bytes(32, "big"), vs.to_bytes(32, "big"))

    def redeem(self, payers: list[LocalAccount], cumulative: int, label: str) -> None:
        batch = [self.voucher(payer, cumulative) for payer in payers]
        self.world.send(self.world.wallet.functions.redeem(self.owner.address, batch), self.node, label)

    def live(self) -> None:
        """Open, top up, redeem and close."""
        world, functions = self.world, self.world.wallet.functions
        for payer in self.payers:
            world.fund(payer, 20 * USDFC)
            terms = self.terms(payer)
            signature = payer.sign_typed_data(self.domain, {"Channel": members(CHANNEL)}, terms).signature
            if payer is self.payers[0]:
                world.send(functions.openChannel(tuple(terms.values())), payer, "open")
            else:
                call = functions.openChannelFor(tuple(terms.values()), signature)
                world.send(call, world.boss, "open (relayed)")
        first = tuple(self.terms(self.payers[0]).values())
        world.send(functions.topUp(first, USDFC), self.payers[0], "top up")
        cumulative = 1_234_567_890_123_456_789
        self.redeem(self.payers[:1], cumulative, "redeem 1, first")
        self.redeem(self.payers[:1], 2 * cumulative, "redeem 1")
        self.redeem(self.payers, 3 * cumulative, f"redeem {BATCH}")
        world.send(functions.requestClose(first), self.payers[0], "request close")
        world.send(functions.close(first), self.node, "close")
        world.send(functions.withdraw(USDFC), self.payers[0], "withdraw")


def measure(w3: Web3) -> tuple[World, dict[str, int]]:
    """Live one task of each kind; the first of each size pays for accounts and records that were empty."""
    world = World(w3, account("deployer"))
    totals = {}
    for replicas in (1, 3):
        totals[f"k={replicas}, first"] = world.live(replicas, f"k={replicas} first")
        totals[f"k={replicas}"] = world.live(replicas, f"k={replicas}")
        totals[f"k={replicas}, metered"] = world.live(replicas, f"k={replicas} metered", metered=True)
    totals["k=3, one wrong"] = world.live(3, "k=3 one wrong", wrong=1)
    for times in (1, 2):
        for audited in (False, True):
            label = "audited mode, with a panel of three" if audited else "audited mode, spared"
            totals[label] = world.live_audited(f"{label}", audited=audited)
            if times == 1:
                del totals[label]  # the first of each fills records that were empty
    Channels(world).live()
    federated_gas.Sessions(world).live()
    return world, totals


def page(world: World, totals: dict[str, int]) -> str:
    """Render docs/reference/gas.md."""
    lives = [f"| {name} | {gas:,} |" for name, gas in totals.items()]
    steps = []
    for replicas in (1, 3):
        for step in STEPS:
            spent = world.gas.get(f"k={replicas}: {step}")
            if spent:
                steps.append(f"| k={replicas} | {step} | {' · '.join(f'{gas:,}' for gas in spent)} |")
    for step in AUDIT_STEPS:
        spent = world.gas["audited mode, with a panel of three: " + step]
        steps.append(f"| audited | {step} | {' · '.join(f'{gas:,}' for gas in spent)} |")
    channels = [f"| {name} | {world.gas[name][-1]:,} |" for name in CHANNEL_CALLS]
    further = (world.gas[f"redeem {BATCH}"][-1] - world.gas["redeem 1"][-1]) // (BATCH - 1)
    sessions = [f"| {name} | {world.gas[name][-1]:,} |" for name in federated_gas.CALLS]
    others = [f"| {name} | {world.gas[name][-1]:,} |" for name in OTHERS]
    return TEMPLATE.read_text(encoding="utf-8").format(
        lives="\n".join(lives),
        steps="\n".join(steps),
        others="\n".join(others),
        channels="\n".join(channels),
        sessions="\n".join(sessions),
        further=further,
        one=totals["k=1"],
        three=totals["k=3"],
        submit=world.gas["k=1: submitFor"][0],
        part=totals["k=1"] / POCO_LIFE,
        deposit=world.gas["deposit (new account)"][-1],
        withdraw=world.gas["withdraw"][-1],
        open=world.gas["open"][-1],
        top_up=world.gas["top up"][-1],
        redeem=world.gas["redeem 1"][-1],
    )


def documents(totals: dict[str, int]) -> str:
    """Give one JSON document a line: whole lives beside PoCo's of one worker."""
    lines = (
        {
            "name": f"whole task, {life}",
            "ours": gas,
            "peer": POCO_LIFE,
            "ratio": round(gas / POCO_LIFE, 3),
            "unit": "gas",
        }
        for life, gas in totals.items()
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/reference/gas.md")
    parser.add_argument("--check", action="store_true", help="fail when docs/reference/gas.md says otherwise")
    arguments = parser.parse_args()
    with chain() as w3:
        world, totals = measure(w3)
    text = page(world, totals)
    if arguments.write:
        PAGE.write_text(text)
    elif arguments.check:
        if text != PAGE.read_text():
            sys.stderr.write("docs/reference/gas.md is behind the contracts. Run toolchain/gas --write.\n")
            return 1
    else:
        sys.stdout.write(documents(totals) if os.environ.get("JSON") == "1" else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
