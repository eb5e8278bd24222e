"""A chain, a client and runners whose every step the test takes itself."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.commitment import new_salt
from protocol.content import IpfsStore
from protocol.deployment import Deployment
from protocol.documents import Document, LlmOptions, LlmSpec, canonical
from protocol.enums import SeatState, TaskStatus
from protocol.money import USDFC
from protocol.order import Order
from protocol.sender import Sender
from protocol.typed_data import escrow_domain, task_id
from runner.admission import Terms
from runner.claiming import Contender, next_turn
from runner.escrow import Escrow
from runner.executors.llm import LlmExecutor
from runner.jobs import Job
from runner.journal import Journal
from runner.parts import Parts
from runner.profile import offers_of
from runner.register import register_node
from runner.settings import RunnerSettings
from runner.situation import Situation
from runner.watch import Watch
from runner.work import Work


@dataclass
class Hand:
    """One runner, without its daemon: the test decides when it looks and when it takes a step."""

    parts: Parts
    watch: Watch
    works: dict[bytes, Work] = field(default_factory=dict)

    @property
    def journal(self) -> Journal:
        return self.parts.journal

    async def look(self) -> None:
        """Read the chain's events, and ask the engine what it has."""
        head = await self.parts.chain.block_number()
        await self.watch.catch_up(head)
        await self.parts.situation.arrive(head)
        with contextlib.suppress(Exception):
            models = await self.parts.executor.models()
            self.parts.situation.offers = offers_of(models, self.parts.settings)
            self.parts.situation.engine_fault = None

    async def step(self, task: bytes) -> bool:
        """Take one step on a task, as the daemon would, errors held back."""
        work = self.works.setdefault(task, Work(self.parts, task))
        if self.journal.job(task).stage.is_over:
            return False
        work._not_before = 0.0
        work._candidacy._fetch_at = 0.0
        return await work._guarded_step()

    def job(self, task: bytes) -> Job:
        return self.journal.job(task)


@dataclass
class Bench:
    """The chain of one test, with everything around it."""

    anvil: Anvil
    chain: Chain
    store: IpfsStore
    engine_url: str
    ipfs_api: str
    home: Path
    stack: AsyncExitStack
    claim_for: int = 200

    async def hand(
        self,
        number: int,
        *,
        chain: Chain | None = None,
        home: Path | None = None,
        journal: str = "journal.sqlite",
        **changes: Any,
    ) -> Hand:
        """Make runner `number`; `changes` are settings. A home used before is taken up again, as by a restart."""
        chain = chain or self.chain
        settings = RunnerSettings(
            _env_file=None,
            **{
                "ollama_url": self.engine_url,
                "ipfs_api": self.ipfs_api,
                "ipfs_timeout_s": 3.0,
                "runner_compared_prompts": True,
                **changes,
            },
        )
        folder = home or self.home / f"runner-{number}"
        opened = self.stack.enter_context(Journal.open(folder / journal, exclusive=False))
        situation = Situation()
        parts = Parts(
            settings=settings,
            chain=chain,
            escrow=Escrow(chain, situation.heard),
            sender=Sender(chain, LOCAL.node(number), on_mined=situation.heard.expect),
            journal=opened,
            store=IpfsStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s),
            executor=LlmExecutor(settings.ollama_url, slots=1, attempts=2, pause_s=0.01),
            situation=situation,
            terms=Terms(
                owner=LOCAL.owner(number).address,
                min_reward=settings.runner_min_reward,
                tokens_per_s=settings.runner_tokens_per_s,
                block_time_s=chain.network.block_time_s,
            ),
        )
        hand = Hand(parts=parts, watch=Watch(chain, opened, situation))
        await hand.look()
        return hand

    async def stake_for(self, number: int) -> Sender:
        """Bond the least stake for the owner of runner `number`, who has none; give the owner."""
        owner, wallet = Sender(self.chain, LOCAL.owner(number)), self.chain.wallet
        amount = 100 * USDFC
        await owner.send(self.chain.token.functions.mint(owner.address, amount), label="mint")
        await owner.send(self.chain.token.functions.approve(wallet.address, amount), label="approve")
        await owner.send(wallet.functions.deposit(amount), label="deposit")
        await owner.send(wallet.functions.bond(amount), label="bond")
        return owner

    async def enlist(self, number: int) -> None:
        """Stake for runner `number` and register it; the seeded chain has 0, 1 and 2."""
        owner = await self.stake_for(number)
        await register_node(self.chain, owner=owner, node=LOCAL.node(number), label=f"runner-{number + 1}")

    async def model(self) -> str:
        (model,) = await LlmExecutor(self.engine_url, slots=1).models()
        return f"{model.name}@sha256:{model.digest}"

    async def spec(self, **changes: Any) -> LlmSpec:
        """A prompt that the engine answers with Paris."""
        spec = LlmSpec(
            model=await self.model(),
            prompt="What is the capital of France?",
            options=LlmOptions(num_predict=12),
        )
        return spec.model_copy(update=changes)

    async def submit(self, spec: Document | bytes | None = None, **changes: Any) -> bytes:
        """Submit an order of the payer's for a spec (or for raw bytes as one); give the task's id."""
        content = spec if isinstance(spec, bytes) else canonical(spec or await self.spec())
        digest = changes.pop("digest", None) or await self.store.add(content)
        payer = LOCAL.payer
        fields: dict[str, Any] = {
            "client": payer.address,
            "payer": payer.address,
            "reward": USDFC,
            "bond": 10 * USDFC,
            "input_price": USDFC // 1000,
            "output_price": USDFC // 500,
            "params_id": self.chain.deployment.params_id,
            "replicas": 1,
            "quorum": 1,
            "claim_by": await self.chain.block_number() + self.claim_for,
            "retention": 0,
            "client_epoch": 0,
            "spec": digest,
            "salt": new_salt(),
        }
        order = Order(**(fields | changes))
        await Sender(self.chain, payer).send(
            self.chain.escrow.functions.submit(order.as_tuple()), label="submit"
        )
        return task_id(order, escrow_domain(self.chain.deployment.chain_id, self.chain.escrow.address))

    async def run(self, task: bytes, *hands: Hand, blocks: int = 40) -> None:
        """Let hands work, a block after another, until each is through with the task."""
        for _ in range(blocks):
            for hand in hands:
                await hand.look()
                while await hand.step(task):
                    pass
            if all(hand.job(task).stage.is_over for hand in hands):
                return
            await self.anvil.mine()
        stages = [(hand.job(task).stage, hand.job(task).reason) for hand in hands]
        raise AssertionError(f"not through after {blocks} blocks: {stages}")

    async def until_turn(self, hand: Hand, task: bytes) -> None:
        """Mine until it is a hand's turn to claim a task, which then lies in its journal."""
        await hand.look()
        view = await hand.parts.escrow.view(task, node=hand.parts.node)
        await self.anvil.mine(max(0, view.seed_block + 1 - view.head_block))
        await hand.look()
        view = await hand.parts.escrow.view(task, node=hand.parts.node)
        turn = next_turn(
            hand.parts.node,
            draw=await hand.parts.escrow.draw(task, view=view),
            contenders=[Contender(row["node"], row["owner"]) for row in hand.journal.nodes()],
            seated={seat.node for seat in view.seats},
            after_block=view.head_block,
        )
        await self.anvil.mine(turn.claim_block - 1 - view.head_block)
        await hand.look()

    async def status(self, task: bytes) -> TaskStatus:
        return TaskStatus((await self.chain.call(self.chain.escrow.functions.taskOf(task)))[-1])

    async def seat_state(self, task: bytes, seat: int = 0) -> SeatState:
        return SeatState((await self.chain.call(self.chain.escrow.functions.seatOf(task, seat)))[1])

    async def logs(self, event: str, task: bytes) -> list[Any]:
        found = await self.chain.escrow.events[event].get_logs(
            from_block=0, argument_filters={"taskId": task}
        )
        return list(found)

    async def free(self, account: str) -> int:
        return int((await self.chain.call(self.chain.wallet.functions.accountOf(account)))[0])

    async def stake(self, owner: str) -> tuple[int, int]:
        bonded, locked = await self.chain.call(self.chain.wallet.functions.stakeOf(owner))
        return bonded, locked

    async def books_balance(self) -> bool:
        """Return whether the wallet holds exactly what it owes."""
        wallet = self.chain.wallet
        owed = await self.chain.call(wallet.functions.liabilities())
        held = await self.chain.call(self.chain.token.functions.balanceOf(wallet.address))
        return bool(owed == held)

    def sender(self, number: int) -> Sender:
        """Give runner `number`'s node key to a test that plays it by hand."""
        return Sender(self.chain, LOCAL.node(number))

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[Callable[[], Any]]:
        """Give a call that puts the chain back to where it was, as a reorganisation would."""
        snapshot = await self.anvil.rpc("evm_snapshot")

        async def undo() -> None:
            assert await self.anvil.rpc("evm_revert", snapshot)

        yield undo


@asynccontextmanager
async def bench_of(
    anvil: Anvil, deployment: Deployment, *, ipfs_api: str, engine_url: str, home: Path
) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack, Chain.connect(anvil.url, deployment) as chain:
        await anvil.mine(3)  # registrations mature
        yield Bench(
            anvil=anvil,
            chain=chain,
            store=IpfsStore(ipfs_api),
            engine_url=engine_url,
            ipfs_api=ipfs_api,
            home=home,
            stack=stack,
        )
