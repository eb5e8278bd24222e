"""Many thin runners on one chain: real keys, real signatures and the real lottery, without a daemon or a model each.

Every runner decides by the last block alone, as a daemon does, and does not see what the others have sent. What all of them
would compute alike (tickets, and whose turn it is) is computed once for all.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from benchmarks.load.pool import Pool
from devnet.accounts import LOCAL
from protocol import lottery, typed_data
from protocol.chain import Chain
from protocol.commitment import Reveal
from protocol.enums import TaskStatus
from protocol.money import USDFC
from protocol.order import Order
from runner.claiming import STAGGER_BLOCKS, Draw
from runner.escrow import Escrow

NODES_PER_OWNER: Final = 10
BOND: Final = USDFC
REWARD: Final = USDFC
_STAKE: Final = 250 * USDFC
_WORK_BLOCKS: Final = 3
_READ_AGAIN_BLOCKS: Final = 16
_RESULT: Final = keccak(text="an answer")


@dataclass(slots=True)
class Work:
    """A task that is under way: its draw, the nodes by their tickets, who holds the seat and since when."""

    task_id: bytes
    submitted_block: int
    draw: Draw | None = None
    read_block: int = 0
    ranked: list[tuple[int, str]] = field(default_factory=list)
    node: str | None = None
    claimed_block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a crowd did. `wasted` claims were mined and reverted; `waits` are blocks from a task's seed block to its claim.

    `mined` has the moment at which each block was.
    """

    runners: int
    tasks: int
    blocks: int
    claims: int
    wasted: int
    waits: list[int]
    mined: dict[int, float]
    gas: int
    workers: int


class Crowd:
    """`count` registered nodes, so many to an owner."""

    def __init__(
        self, chain: Chain, pool: Pool, count: int, *, nodes_per_owner: int = NODES_PER_OWNER
    ) -> None:
        self._chain, self._pool, self._nodes_per_owner = chain, pool, nodes_per_owner
        self.nodes: dict[str, LocalAccount] = {one.address: one for one in map(_node, range(count))}
        self._owners = [_owner(number) for number in range(-(-count // nodes_per_owner))]
        self._escrow = Escrow(chain)
        self._busy: set[str] = set()

    async def enlist(self) -> None:
        """Retire whoever is there, stake and register everybody. All of it is signed by who must."""
        chain, pool = self._chain, self._pool
        wallet, reputation = chain.wallet.functions, chain.reputation.functions
        amount = _STAKE * self._nodes_per_owner
        for number in range(3):
            pool.add(LOCAL.node(number), reputation.retire(LOCAL.node(number).address))
        for owner in self._owners:
            pool.add(owner, chain.token.functions.mint(owner.address, amount))
            pool.add(owner, chain.token.functions.approve(chain.wallet.address, amount))
            pool.add(owner, wallet.deposit(amount))
            pool.add(owner, wallet.bond(amount))
        await pool.mine_all()
        domain = typed_data.reputation_domain(chain.deployment.chain_id, chain.deployment.runner_reputation)
        for number, node in enumerate(self.nodes.values()):
            owner = self._owners[number // self._nodes_per_owner]
            made = typed_data.Registration(
                owner=owner.address, node=node.address, label=bytes(32), profile=_RESULT, deadline=2**40
            )
            signature = typed_data.sign_registration(made, domain, node)
            arguments = (made.node, made.label, made.profile, made.deadline, signature)
            pool.add(owner, reputation.register(*arguments))
        await pool.mine_all()
        await pool.mine(5)

    async def work(self, tasks: int, *, a_block: int) -> Day:
        """Have `tasks` orders placed, `a_block` at a time, and all of them claimed, answered and settled."""
        pool, began = self._pool, await self._chain.block_number()
        gas_before, pool.failed = pool.gas, 0
        open_: dict[bytes, Work] = {}
        waits: list[int] = []
        mined: dict[int, float] = {}
        workers: set[str] = set()
        placed = claims = wasted = 0
        while placed < tasks or open_:
            head = await self._chain.block_number()
            while placed < tasks and len(open_) < len(self.nodes) and placed < a_block * (head - began + 1):
                work = self._order(placed, head)
                open_[work.task_id], placed = work, placed + 1
            sent = [work for work in open_.values() if await self._claims(work, head)]
            for work in open_.values():
                self._answer(work, head)
            failed_before = pool.failed
            await pool.mine()
            mined[head + 1] = pool.mined_at
            claims, wasted = claims + len(sent), wasted + pool.failed - failed_before
            for work in sent:
                work.claimed_block = head + 1
                waits.append(head + 1 - (work.draw.seed_block if work.draw else head))
                workers.add(work.node or "")
            for work in [work for work in open_.values() if await self._is_over(work, head)]:
                self._busy.discard(work.node or "")
                del open_[work.task_id]
        return Day(
            runners=len(self.nodes),
            tasks=tasks,
            blocks=await self._chain.block_number() - began,
            claims=claims,
            wasted=wasted,
            waits=waits,
            mined=mined,
            gas=pool.gas - gas_before,
            workers=len(workers),
        )

    def _order(self, number: int, head: int) -> Work:
        payer, deployment = LOCAL.payer, self._chain.deployment
        order = Order(
            client=payer.address, payer=payer.address, reward=REWARD // 100, bond=BOND, input_price=0, output_price=0,
            params_id=deployment.params_id, replicas=1, quorum=1, claim_by=head + 2_000, retention=0, client_epoch=0,
            spec=_RESULT, salt=keccak(text=f"{head} {number}"),
        )  # fmt: skip
        self._pool.add(payer, self._chain.escrow.functions.submit(order.as_tuple()))
        domain = typed_data.escrow_domain(deployment.chain_id, deployment.task_escrow)
        return Work(task_id=typed_data.task_id(order, domain), submitted_block=head + 1)

    async def _claims(self, work: Work, head: int) -> bool:
        """Have the one claim whose turn it is, if the lottery is drawn and that one is free; say whether it did."""
        if work.node is not None or head <= work.submitted_block + 2:
            return False
        draw = await self._drawn(work, head)
        node = _whose_turn(work, draw, head + 1)
        if node is None or node in self._busy:
            return False
        work.node = node
        self._busy.add(node)
        self._pool.add(self.nodes[node], self._chain.escrow.functions.claim(work.task_id))
        return True

    async def _drawn(self, work: Work, head: int) -> Draw:
        """Return the draw of a task, read again now and then, for it is drawn anew while it waits."""
        if work.draw is None or head >= work.read_block + _READ_AGAIN_BLOCKS:
            view = await self._escrow.view(work.task_id, node="nobody")
            draw = await self._escrow.draw(work.task_id, view=view)
            if work.draw is None or draw.seed != work.draw.seed:
                work.ranked = sorted(
                    (lottery.ticket(draw.seed, work.task_id, node), node) for node in self.nodes
                )
            work.draw, work.read_block = draw, head
        return work.draw

    def _answer(self, work: Work, head: int) -> None:
        if work.claimed_block and head == work.claimed_block + _WORK_BLOCKS and work.node is not None:
            opened = Reveal(
                result=_RESULT, fingerprint=bytes(32), input_tokens=7, output_tokens=3, salt=work.task_id
            )
            arguments = (
                opened.result,
                opened.fingerprint,
                opened.input_tokens,
                opened.output_tokens,
                opened.salt,
            )
            call = self._chain.escrow.functions.reveal(work.task_id, 0, arguments)
            self._pool.add(self.nodes[work.node], call)

    async def _is_over(self, work: Work, head: int) -> bool:
        if not work.claimed_block or head <= work.claimed_block + _WORK_BLOCKS:
            return False
        row: Any = await self._chain.call(self._chain.escrow.functions.taskOf(work.task_id))
        return TaskStatus(row[-1]).is_terminal


def _whose_turn(work: Work, draw: Draw, block: int) -> str | None:
    waited = block - draw.seed_block
    limit = lottery.threshold(draw.active, 1, waited, draw.widening_step)
    admitted = bisect_right(work.ranked, (limit, "~"))
    rank = (waited - 1) // STAGGER_BLOCKS % max(admitted, 1)
    return work.ranked[rank][1] if rank < admitted else None


@cache
def _node(number: int) -> LocalAccount:
    made: LocalAccount = Account.from_key(keccak(text=f"thin node {number}"))
    return made


def _owner(number: int) -> LocalAccount:
    made: LocalAccount = Account.from_key(keccak(text=f"thin owner {number}"))
    return made
