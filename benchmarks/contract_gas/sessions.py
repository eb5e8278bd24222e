"""Gas of learning sessions: three participants, who aggregate too; two plain rounds and a secure one."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction

USDFC = 10**18
SESSION_PARAMS = (USDFC // 100, 4, 14_400, 14_400, 480, 240, 2, 200, 1_000, 2_000, 3, 3, 64)
CALLS = (
    "createSession",
    "join",
    "join and start",
    "commit",
    "commit and open revealing",
    "reveal",
    "reveal and end training",
    "post",
    "advance: order the aggregation",
    "settleRound",
    "settleRound, the last",
    "cancel while joining",
)
KEYS, SHARES, MASKING, UNMASKING = 4, 5, 6, 7
ROUND, TASK = 1, -1


class World(Protocol):
    """What of `benchmarks.contract_gas.world.World` is needed here."""

    w3: Web3
    client: LocalAccount
    runners: list[tuple[LocalAccount, LocalAccount]]
    escrow: Contract
    charter: Contract
    federated: Contract

    def send(self, call: ContractFunction, sender: LocalAccount, label: str | None = None) -> Any:
        """Send a transaction and note its gas under the label."""

    def mine(self, blocks: int) -> None:
        """Let blocks pass."""


@dataclass
class Sessions:
    """Sessions whose calls are noted by name; the last of a name counts."""

    world: World
    salt: int = 0
    nodes: list[LocalAccount] = field(init=False)

    def __post_init__(self) -> None:
        # The order has three places; the world has more runners, for auditors to be drawn from.
        self.nodes = [node for _, node in self.world.runners[:3]]

    def live(self) -> None:
        """Hold a plain session, then a secure one, then one that is cancelled."""
        plain = self.create(secure=False)
        self.join(plain)
        self.train(plain, 1)
        self.settle(plain, 1, last=False)
        self.train(plain, 2)
        self.settle(plain, 2, last=True)
        secure = self.create(secure=True)
        self.join(secure)
        for phase in (KEYS, SHARES, MASKING, UNMASKING):
            for slot, node in enumerate(self.nodes):
                second = Web3.keccak(text="second") if phase == KEYS else bytes(32)
                call = self.world.federated.functions.post(secure, slot, phase, Web3.keccak(slot + 1), second)
                self.world.send(call, node, "post")
        self.settle(secure, 1, last=False)
        cancelled = self.create(secure=False)
        self.world.send(
            self.world.federated.functions.cancel(cancelled), self.world.client, "cancel while joining"
        )

    def create(self, *, secure: bool) -> bytes:
        self.salt += 1
        who = self.world.client.address
        order = (
            who,
            who,
            20 * USDFC,
            USDFC,
            USDFC // 2,
            10 * USDFC,
            10 * USDFC,
            2,
            2,
            3,
            2 if secure else 0,
            3,
            2,
            int(secure),
            1,
            1,
            self.world.w3.eth.block_number + 1_000,
            100,
            50,
            100,
            Web3.keccak(text="config"),
            self.salt.to_bytes(32, "big"),
        )
        session: bytes = self.world.federated.functions.sessionId(order).call()
        self.world.send(
            self.world.federated.functions.createSession(order), self.world.client, "createSession"
        )
        self.world.mine(40)
        return session

    def join(self, session: bytes) -> None:
        for slot, node in enumerate(self.nodes):
            label = "join and start" if slot == len(self.nodes) - 1 else "join"
            self.world.send(self.world.federated.functions.join(session, Web3.keccak(slot + 1)), node, label)

    def train(self, session: bytes, number: int) -> None:
        functions = self.world.federated.functions
        last = len(self.nodes) - 1
        opened = [(Web3.keccak(slot + 1), 100, Web3.keccak(slot + 9)) for slot in range(len(self.nodes))]
        for slot, node in enumerate(self.nodes):
            sealed = functions.commitmentOf(session, number, node.address, opened[slot]).call()
            label = "commit and open revealing" if slot == last else "commit"
            self.world.send(functions.commit(session, slot, sealed), node, label)
        for slot, node in enumerate(self.nodes):
            label = "reveal and end training" if slot == last else "reveal"
            self.world.send(functions.reveal(session, slot, opened[slot]), node, label)

    def settle(self, session: bytes, number: int, *, last: bool) -> None:
        functions, escrow = self.world.federated.functions, self.world.escrow.functions
        self.world.send(functions.advance(session), self.nodes[0], "advance: order the aggregation")
        task = functions.sessionOf(session).call()[TASK]
        self.world.mine(40)
        made = (Web3.keccak(text="model"), Web3.keccak(text="manifest"), 7, 0, False)
        result = self.world.charter.functions.aggregateDigest(session, number, made).call()
        opened = (result, bytes(32), 0, 0, Web3.keccak(text="salt"))
        for node in self.nodes:
            self.world.send(escrow.claim(task), node)
        for seat, node in enumerate(self.nodes):
            sealed = escrow.commitmentOf(task, node.address, opened).call()
            self.world.send(escrow.commit(task, seat, sealed), node)
        for seat, node in enumerate(self.nodes):
            self.world.send(escrow.reveal(task, seat, opened), node)
        label = "settleRound, the last" if last else "settleRound"
        self.world.send(functions.settleRound(session, made), self.nodes[0], label)
