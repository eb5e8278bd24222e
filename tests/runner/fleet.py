"""Many runners on one chain, a block at a time: each decides for itself by what the last block left, and none sees the pool."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3.types import RPCEndpoint

from protocol.cid import digest_of
from protocol.content import ContentStore
from protocol.money import USDFC
from protocol.sender import Prepared, Sender, current_fees
from runner.claiming import Draw
from runner.errors import EngineUnavailable
from runner.escrow import Escrow
from runner.executors import Execution, Model
from runner.jobs import Stage
from runner.journal import Journal
from runner.life import View
from runner.parts import Parts
from runner.register import register_node
from runner.situation import Situation
from runner.watch import Watch
from runner.work import Work
from tests.runner.bench import Bench

_GAS = 1_000_000


class Blind(Sender):
    """Sends without a simulation: who races, races on the chain, where it can be counted."""

    async def prepare(self, function: Any, *, label: str, value: int = 0) -> Prepared:
        call = {
            "from": self.address,
            "to": function.address,
            "data": function._encode_transaction_data(),
            "value": value,
        }
        return Prepared(call=call, gas=_GAS, fees=await current_fees(self._eth), label=label)


class Shared(Escrow):
    """Reads each task once a block for all runners, who would read the same."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.chain)
        self.known: dict[Any, asyncio.Task[Any]] = {}

    async def _once(self, key: Any, read: Callable[[], Any]) -> Any:
        if key not in self.known:
            self.known[key] = asyncio.ensure_future(read())
        return await asyncio.shield(self.known[key])

    async def view(self, task_id: bytes, *, node: str) -> View:
        seen: View = await self._once((task_id, "view"), lambda: Escrow.view(self, task_id, node="nobody"))
        return replace(seen, own=next((seat for seat in seen.seats if seat.node == node), None))

    async def draw(self, task_id: bytes, *, view: View) -> Draw:
        found: Draw = await self._once((task_id, "draw"), lambda: Escrow.draw(self, task_id, view=view))
        return found

    async def free_stake(self, owner: str) -> int:  # noqa: ARG002 (as Escrow has it)
        return 1_000 * USDFC


class Thin:
    """An engine that has the model, and whose work takes some blocks: `mean_blocks`, more or less."""

    def __init__(self, model: Model, *, rng: random.Random, mean_blocks: int = 3) -> None:
        self._model = model
        self._rng = rng
        self._ready: dict[bytes, int] = {}
        self.mean_blocks = mean_blocks
        self.head_block = 0
        self.places = asyncio.Semaphore(1)

    async def models(self) -> tuple[Model, ...]:
        return (self._model,)

    async def execute(self, _spec: Any, task_id: bytes, **_: Any) -> Execution:
        ready = self._ready.setdefault(
            task_id, self.head_block + self._rng.randint(1, 2 * self.mean_blocks - 1)
        )
        if self.head_block < ready:
            raise EngineUnavailable("still at it")
        return Execution(result=b"done", input_tokens=1, output_tokens=1)


class Memory:
    """A content store that asks the real one once for each document, and keeps what is added to itself."""

    def __init__(self, inner: ContentStore) -> None:
        self._inner = inner
        self._known: dict[bytes, bytes] = {}

    async def get(self, digest: bytes, **_: Any) -> bytes:
        if digest not in self._known:
            self._known[digest] = await self._inner.get(digest)
        return self._known[digest]

    async def add(self, content: bytes) -> bytes:
        digest = digest_of(content)
        self._known[digest] = (
            content  # the embedded node does not take the same block from many at one moment
        )
        return digest


@dataclass
class Member:
    """One runner of the fleet. `alive` is whether it does anything."""

    parts: Parts
    watch: Watch
    engine: Thin
    works: dict[bytes, Work] = field(default_factory=dict)
    alive: bool = True


@dataclass
class Fleet:
    """The runners, and what became of their claims."""

    bench: Bench
    shared: Shared
    members: list[Member]

    @classmethod
    async def of(cls, bench: Bench, count: int, *, slots: int = 1) -> "Fleet":
        """Register `count` runners with owners of their own, and retire those that the chain came with."""
        for number in range(3):
            node = bench.sender(number)
            call = bench.chain.reputation.functions.retire(node.address)
            await node.send(call, label="retire")
        shared, store = Shared(bench), Memory(bench.store)
        template = await bench.hand(0, runner_slots=slots)
        (model,) = await template.parts.executor.models()
        members, rng = [], random.Random(7)
        for number in range(count):
            owner, node_key = (
                Account.from_key(keccak(text=f"fleet {role} {number}")) for role in ("owner", "node")
            )
            await _enlist(bench, owner, node_key)
            journal = bench.stack.enter_context(
                Journal.open(bench.home / f"fleet-{number}.sqlite", exclusive=False)
            )
            journal._database.execute("PRAGMA synchronous=OFF")  # no power cut is part of this
            situation, engine = Situation(), Thin(model, rng=rng)
            situation.offers = template.parts.situation.offers
            parts = replace(
                template.parts,
                escrow=shared,
                sender=Blind(bench.chain, node_key),
                journal=journal,
                store=store,
                executor=engine,
                situation=situation,
                terms=replace(template.parts.terms, owner=owner.address),
            )
            members.append(Member(parts=parts, watch=Watch(bench.chain, journal, situation), engine=engine))
        await bench.anvil.mine(3)
        return cls(bench=bench, shared=shared, members=members)

    async def block(self) -> None:
        """Let everyone look and do what it finds right, all at once; then mine what they sent as one block."""
        self.shared.known.clear()
        head = await self.bench.chain.block_number()
        await self._rpc("evm_setAutomine", False)
        rounds = [asyncio.ensure_future(self._round(one, head)) for one in self.members if one.alive]
        while True:
            done = sum(one.done() for one in rounds)
            pool = await self._rpc("txpool_status")
            if done + int(pool["pending"], 16) >= len(rounds):
                break
            await asyncio.sleep(0.02)
        await self._rpc("evm_mine")
        await self._rpc("evm_setAutomine", True)
        await asyncio.gather(*rounds)

    async def _rpc(self, method: str, *parameters: object) -> Any:
        """Ask over the connection that is open: one of its own for each question takes longer than the answer."""
        provider = self.bench.chain.w3.provider
        answer = await provider.make_request(RPCEndpoint(method), list(parameters))
        return answer["result"]

    async def _round(self, one: Member, head: int) -> None:
        """Take one step on every task; who has sent something waits for its block and looks again at the next."""
        await one.watch.catch_up(head)
        one.parts.situation.head_block = one.engine.head_block = head
        for job in one.parts.journal.live():
            work = one.works.setdefault(job.task_id, Work(one.parts, job.task_id))
            sent = len(one.parts.journal.transactions(job.task_id))
            with contextlib.suppress(EngineUnavailable):
                while await work.step() and one.parts.journal.job(job.task_id).stage in _AT_ONCE:
                    pass
            if len(one.parts.journal.transactions(job.task_id)) > sent:
                return

    async def claims(self, *, since: int) -> tuple[int, int]:
        """Count the claim transactions in blocks after `since`, and those of them that were for nothing."""
        chain = self.bench.chain
        selector = chain.escrow.functions.claim(bytes(32))._encode_transaction_data()[:10]
        sent = wasted = 0
        for number in range(since + 1, await chain.block_number() + 1):
            block = await chain.w3.eth.get_block(number, full_transactions=True)
            for transaction in block["transactions"]:
                if transaction["input"].to_0x_hex().startswith(selector):
                    receipt = await chain.w3.eth.get_transaction_receipt(transaction["hash"])
                    sent += 1
                    wasted += receipt["status"] == 0
        return sent, wasted

    async def done_by(self, tasks: list[bytes]) -> Counter[str]:
        """Count the tasks that each node did."""
        return Counter([(await self.bench.logs("SeatClaimed", task))[0]["args"]["node"] for task in tasks])


_AT_ONCE = (Stage.EXECUTED, Stage.STORED)


async def _enlist(bench: Bench, owner: LocalAccount, node: LocalAccount) -> None:
    for account in (owner, node):
        await bench.anvil.rpc("anvil_setBalance", account.address, hex(10**21))
    sender, wallet = Sender(bench.chain, owner), bench.chain.wallet
    amount = 1_000 * USDFC
    await sender.send(bench.chain.token.functions.mint(owner.address, amount), label="mint")
    await sender.send(bench.chain.token.functions.approve(wallet.address, amount), label="approve")
    await sender.send(wallet.functions.deposit(amount), label="deposit")
    await sender.send(wallet.functions.bond(amount), label="bond")
    await register_node(bench.chain, owner=sender, node=node, label="fleet")
