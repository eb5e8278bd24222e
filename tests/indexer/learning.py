"""Learning sessions as people hold them: every call in its order, through Python alone."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.commitment import Reveal, commitment, new_salt
from protocol.enums import SECURE_AGGREGATION, SessionPhase
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.session import (
    Aggregate,
    Contribution,
    Post,
    SessionOrder,
    aggregate_document,
    contribution_commitment,
    document_digest,
    federated_domain,
    first_link,
    next_link,
    session_id,
)
from protocol.typed_data import Domain

PARTICIPANTS = 3
ALL = 0b111


def digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


@dataclass
class Learning:
    """One session with three participants, who are its aggregators too."""

    chain: Chain
    anvil: Anvil
    creator: Sender
    nodes: list[Sender]
    order: SessionOrder
    round: int = 1
    attempt: int = 0
    model: bytes = bytes(32)
    link: bytes = b""
    posts: list[Post] = field(default_factory=list)

    @classmethod
    async def begin(
        cls, chain: Chain, anvil: Anvil, accounts: LocalAccounts, *, secure: bool = False, rounds: int = 2
    ) -> "Learning":
        creator = Sender(chain, accounts.payer)
        order = SessionOrder(
            creator=creator.address,
            payer=creator.address,
            budget=20 * USDFC,
            reward=USDFC,
            aggregation_reward=USDFC // 2,
            bond=2 * USDFC,
            aggregation_bond=USDFC,
            rounds=rounds,
            min_participants=2,
            max_participants=PARTICIPANTS,
            threshold=2 if secure else 0,
            replicas=3,
            quorum=2,
            flags=SECURE_AGGREGATION if secure else 0,
            params_id=1,
            task_params_id=1,
            join_by=await chain.block_number() + 1_000,
            train_for=100,
            reveal_for=50,
            retention=100,
            config=digest("config"),
            salt=secrets.token_bytes(32),
        )
        nodes = [Sender(chain, accounts.node(number)) for number in range(PARTICIPANTS)]
        made = cls(chain, anvil, creator, nodes, order)
        await creator.send(chain.federated.functions.createSession(order.as_tuple()), label="create session")
        return made

    @property
    def domain(self) -> Domain:
        return federated_domain(self.chain.deployment.chain_id, self.chain.deployment.federated_learning)

    @property
    def id(self) -> bytes:
        return session_id(self.order, self.domain)

    async def join(self, count: int = PARTICIPANTS) -> None:
        await self.anvil.mine(3)
        for node in self.nodes[:count]:
            await node.send(
                self.chain.federated.functions.join(self.id, digest("key", node.address)), label="join"
            )
        self.start()

    def start(self) -> None:
        self.link = first_link(self.id, round_number=self.round, attempt=self.attempt, base=self.model)

    def contribution(self, slot: int) -> Contribution:
        return Contribution(
            update=digest("update", self.round, slot), samples=100 + slot, salt=digest("salt", slot)
        )

    async def train(self, slots: Sequence[int] = range(PARTICIPANTS)) -> None:
        for slot in slots:
            node = self.nodes[slot]
            sealed = contribution_commitment(self.id, self.round, node.address, self.contribution(slot))
            await node.send(self.chain.federated.functions.commit(self.id, slot, sealed), label="commit")

    async def reveal(self, slots: Sequence[int] = range(PARTICIPANTS)) -> None:
        for slot in slots:
            node, opened = self.nodes[slot], self.contribution(slot)
            await node.send(
                self.chain.federated.functions.reveal(self.id, slot, opened.as_tuple()), label="reveal"
            )
            self._note(SessionPhase.REVEALING, slot, opened.update, opened.samples.to_bytes(32))

    async def post(self, phase: SessionPhase, slots: Sequence[int] = range(PARTICIPANTS)) -> None:
        for slot in slots:
            first, second = digest(phase.name, slot), bytes(32)
            if phase is SessionPhase.KEYS:
                second = digest("mask key", slot)
            if phase is SessionPhase.MASKING:
                second = (100 + slot).to_bytes(32)
            await self.nodes[slot].send(
                self.chain.federated.functions.post(self.id, slot, int(phase), first, second), label="post"
            )
            self._note(phase, slot, first, second)

    def _note(self, phase: SessionPhase, slot: int, first: bytes, second: bytes) -> None:
        post = Post(phase=phase, slot=slot, node=self.nodes[slot].address, first=first, second=second)
        self.link = next_link(self.link, post)

    async def skip(self) -> None:
        """Let the phase run out, and end it."""
        held = await self.chain.call(self.chain.federated.functions.sessionOf(self.id))
        deadline = held[5]
        await self.anvil.mine(deadline + 1 - await self.chain.block_number())
        await self.creator.send(self.chain.federated.functions.advance(self.id), label="advance")

    async def aggregate(
        self, accepted: int = ALL, *, caught: int = 0, stop: bool = False, made: Aggregate | None = None
    ) -> Aggregate:
        """Order the round's aggregation, come to a result in its seats, and settle the round."""
        made = made or Aggregate(
            model=digest("model", self.round),
            manifest=digest("manifest", self.round),
            accepted=accepted,
            caught=caught,
            stop=stop,
        )
        await self.creator.send(self.chain.federated.functions.advance(self.id), label="order")
        task = (await self.chain.call(self.chain.federated.functions.sessionOf(self.id)))[-1]
        await self.work(task, document_digest(aggregate_document(self.id, self.round, made)))
        await self.creator.send(
            self.chain.federated.functions.settleRound(self.id, made.as_tuple()), label="settle round"
        )
        self.model = made.model
        self.round += 1
        self.attempt = 0
        self.start()
        return made

    async def work(self, task: bytes, result: bytes) -> None:
        """Claim, commit and reveal in every seat of an aggregation."""
        functions = self.chain.escrow.functions
        await self.anvil.mine(3)
        for node in self.nodes:
            await node.send(functions.claim(task), label="claim")
        opened = [Reveal(result=result, input_tokens=0, output_tokens=0, salt=new_salt()) for _ in self.nodes]
        for seat, node in enumerate(self.nodes):
            sealed = commitment(task, node.address, opened[seat])
            await node.send(functions.commit(task, seat, sealed), label="commit result")
        for seat, node in enumerate(self.nodes):
            await node.send(functions.reveal(task, seat, opened[seat].as_tuple()), label="reveal result")
