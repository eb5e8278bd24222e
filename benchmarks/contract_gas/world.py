"""The whole protocol on one chain: a client, a treasury, and four runners of whom three answer or sit on panels."""

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3 import Web3

from benchmarks.contract_gas.network import RESULT, USDFC, Network, account, members
from benchmarks.contract_gas.sessions import SESSION_PARAMS

BOND = 10 * USDFC
REWARD = USDFC
PARAMS = (480, 120, 10, 24, 2400, 2, 200, 5000, 1000, 3000, 2000, 5000, 3, 7)
AUDIT_RULES = (USDFC // 10, 500, 5000, 2000, 10, 5)
QUORUM, AUDITED = 0, 1
ORDER = """
address client,address payer,uint96 reward,uint96 bond,uint96 inputPrice,uint96 outputPrice,uint16 paramsId,
uint8 replicas,uint8 quorum,uint8 mode,uint40 claimBy,uint32 retention,uint64 clientEpoch,bytes32 spec,bytes32 salt
"""
REGISTRATION = "address owner,address node,bytes32 label,bytes32 profile,uint256 deadline"
OTHERS = ("deposit (new account)", "bond", "register", "addParams", "addRules")


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
        self.send(self.charter.functions.addParams(SESSION_PARAMS), self.boss)
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
