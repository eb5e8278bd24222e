"""Whole lives of tasks: checked by a quorum, or by auditors."""

from collections.abc import Callable
from dataclasses import dataclass

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract.contract import ContractFunction

from benchmarks.contract_gas.network import RESULT
from benchmarks.contract_gas.world import AUDITED, World

FINAL, VOTING, CLEARED = 6, 3, 2
STEPS = ("submitFor", "claim", "commit", "reveal", "reveal and settle")
AUDIT_STEPS = ("submitFor", "claim", "reveal", "draw", "vote", "open a vote", "advance and settle")


@dataclass
class Lives:
    """Tasks in one world."""

    world: World

    def quorum(self, replicas: int, label: str, *, metered: bool = False, wrong: int | None = None) -> int:
        """Walk one relayed task from submission to settlement; return the gas of all its transactions."""
        steps: dict[str, list[int]] = {}

        def step(name: str, call: ContractFunction, sender: LocalAccount) -> None:
            steps.setdefault(name, []).append(self.world.send(call, sender)["gasUsed"])

        order = self.world.order(replicas, metered=metered)
        values = tuple(order.values())
        task = self.world.escrow.functions.orderId(values).call()
        step(
            "submitFor",
            self.world.escrow.functions.submitFor(values, self.world.sign(order), b""),
            self.world.boss,
        )
        self.world.mine(40)
        nodes = [node for _, node in self.world.runners[:replicas]]
        opened = {
            node: (RESULT if seat != wrong else task, RESULT, 700, 300, Web3.keccak(text=f"salt {seat}"))
            for seat, node in enumerate(nodes)
        }
        for node in nodes:
            step("claim", self.world.escrow.functions.claim(task), node)
        # The last seat reveals without a commitment.
        for seat, node in enumerate(nodes[:-1]):
            commitment = self.world.escrow.functions.commitmentOf(task, node.address, opened[node]).call()
            step("commit", self.world.escrow.functions.commit(task, seat, commitment), node)
        for turn in range(replicas):
            seat = (turn - 1) % replicas
            node, last = nodes[seat], turn == replicas - 1
            step(
                "reveal and settle" if last else "reveal",
                self.world.escrow.functions.reveal(task, seat, opened[node]),
                node,
            )
        if self.world.escrow.functions.taskOf(task).call()[-1] != 6:
            raise RuntimeError("the task did not end well")
        return self._note(label, steps)

    def _note(self, label: str, steps: dict[str, list[int]]) -> int:
        for name, spent in steps.items():
            self.world.gas[f"{label}: {name}"] = spent
        return sum(sum(spent) for spent in steps.values())

    def audited(self, label: str, *, audited: bool) -> int:
        """Walk one audited task from submission to settlement, with a panel or without; tries until the draw says so."""
        while True:
            steps = self._audited(audited=audited)
            if steps is not None:
                return self._note(label, steps)

    def _audited(self, *, audited: bool) -> dict[str, list[int]] | None:
        steps: dict[str, list[int]] = {}

        def step(name: str, call: ContractFunction, sender: LocalAccount) -> None:
            steps.setdefault(name, []).append(self.world.send(call, sender)["gasUsed"])

        order = self.world.order(1, metered=False, mode=AUDITED)
        values = tuple(order.values())
        task = self.world.escrow.functions.orderId(values).call()
        step(
            "submitFor",
            self.world.escrow.functions.submitFor(values, self.world.sign(order), b""),
            self.world.boss,
        )
        self.world.mine(40)
        node = self.world.runners[0][1]
        step("claim", self.world.escrow.functions.claim(task), node)
        opened = (RESULT, RESULT, 700, 300, RESULT)
        step("reveal", self.world.escrow.functions.reveal(task, 0, opened), node)
        self.world.mine(3)
        step("draw", self.world.court.functions.draw(task), self.world.boss)
        drawn = self.world.court.functions.caseOf(task).call()[5] == VOTING
        if drawn:
            self._judge(task, step)
        self.world.mine(30)
        step("advance and settle", self.world.court.functions.advance(task), self.world.boss)
        if self.world.escrow.functions.taskOf(task).call()[-1] != FINAL:
            raise RuntimeError("the task did not end well")
        return steps if drawn == audited else None

    def _judge(self, task: bytes, step: Callable[[str, ContractFunction, LocalAccount], None]) -> None:
        self.world.mine(12)
        auditors = [node for _, node in self.world.runners[1:]]
        ballot = (True, RESULT, RESULT)
        for auditor in auditors:
            seal = self.world.court.functions.sealOf(task, 0, auditor.address, ballot).call()
            step("vote", self.world.court.functions.vote(task, seal), auditor)
        for seat, auditor in enumerate(auditors):
            step("open a vote", self.world.court.functions.openVote(task, seat, ballot), auditor)
