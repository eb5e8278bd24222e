"""When to claim: the lottery says from which block a runner may, rank says when it should.

Claims that lose a race cost their sender a transaction for nothing. So every runner ranks the admitted by their
tickets, which anybody can compute, and the right to claim goes round among them: a few blocks for the first, then for
the next, and again from the top when all have had theirs. Where all slots are taken a task waits, and whoever is free
when its turn comes takes it; without the round, everyone whose turn was once would claim as soon as a slot is free.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from protocol import lottery

STAGGER_BLOCKS = 2
"""Blocks between two ranks' claims: one to be mined, one to be seen."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A registered node and its owner."""

    node: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A task's lottery as the chain has it at the moment: `seed` changes every REDRAW blocks, `active` with every registration.

    `active` counts registered runners; `seed_block` and `widening_step` are blocks.
    """

    task_id: bytes
    seed: int
    seed_block: int
    active: int
    replicas: int
    widening_step: int

    def opens_block(self, node: str) -> int:
        """Return the first block at which `node` may claim under this seed."""
        return lottery.opens_at_block(
            lottery.ticket(self.seed, self.task_id, node),
            active=self.active,
            replicas=self.replicas,
            seed_block=self.seed_block,
            widening_step=self.widening_step,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When one runner claims: `opens_block` by the lottery, `rank` from 0 among those without a seat, `claim_block` by both."""

    opens_block: int
    rank: int
    claim_block: int


def next_turn(
    node: str, *, draw: Draw, contenders: Iterable[Contender], seated: Collection[str], after_block: int
) -> Turn:
    """Compute the next block after `after_block` at which `node` should claim, as the round goes on.

    `seated` are the nodes that hold a seat already; their owners are out. As many have their turn at once as seats are
    left. The claim is sent once the block before `claim_block` is the head.
    """
    waiting = _waiting(node, contenders=contenders, seated=seated)
    own = lottery.ticket(draw.seed, draw.task_id, node)
    tickets = sorted(lottery.ticket(draw.seed, draw.task_id, other) for other in waiting)
    rank = bisect_left(tickets, own)
    seats_left = max(draw.replicas - len(seated), 1)
    opens = draw.opens_block(node)
    block = max(opens, after_block + 1)
    while not _is_turn(block, rank, draw=draw, tickets=tickets, seats_left=seats_left):
        block += 1
    return Turn(opens_block=opens, rank=rank, claim_block=block)


def _is_turn(block: int, rank: int, *, draw: Draw, tickets: Sequence[int], seats_left: int) -> bool:
    """Return whether the round is at `rank`, which is admitted at `block`."""
    waited = block - draw.seed_block
    limit = lottery.threshold(draw.active, draw.replicas, waited, draw.widening_step)
    turns = -(-bisect_right(tickets, limit) // seats_left)
    return rank // seats_left == (waited - 1) // STAGGER_BLOCKS % max(turns, 1)


def _waiting(node: str, *, contenders: Iterable[Contender], seated: Collection[str]) -> list[str]:
    everyone = [Contender(node, ""), *(other for other in contenders if other.node != node)]
    owners = {other.owner for other in everyone if other.node in seated}
    return [other.node for other in everyone if other.node == node or other.owner not in owners]


def turn_of(node: str, *, draw: Draw, contenders: Iterable[Contender], seated: Collection[str]) -> Turn:
    """Compute from when on `node` may claim, where a place that comes late is not lost.

    `seated` are the nodes that hold a seat already; their owners are out. The claim must not be mined before `claim_block`, so it is sent once the block before that is the head.
    """
    waiting = _waiting(node, contenders=contenders, seated=seated)
    own = lottery.ticket(draw.seed, draw.task_id, node)
    rank = sum(lottery.ticket(draw.seed, draw.task_id, other) < own for other in waiting)
    seats_left = max(draw.replicas - len(seated), 0)
    behind = max(rank - seats_left + 1, 0)
    opens = draw.opens_block(node)
    return Turn(opens_block=opens, rank=rank, claim_block=opens + behind * STAGGER_BLOCKS)
