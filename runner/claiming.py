"""When to claim: the lottery says from which block a runner may, rank says when it should.

Claims that lose a race cost their sender a transaction for nothing. So every runner ranks the admitted by their
tickets, which anybody can compute; the first few claim at once, the others one by one later, should a seat stay empty.
"""

from collections.abc import Collection, Iterable
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
        """Give the first block at which `node` may claim under this seed."""
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


def turn_of(node: str, *, draw: Draw, contenders: Iterable[Contender], seated: Collection[str]) -> Turn:
    """Compute when `node` should claim. `seated` are the nodes that hold a seat already; their owners are out.

    The claim must not be mined before `claim_block`, so it is sent once the block before that is the head.
    """
    everyone = [Contender(node, ""), *(other for other in contenders if other.node != node)]
    owners = {other.owner for other in everyone if other.node in seated}
    waiting = [other for other in everyone if other.node == node or other.owner not in owners]
    own = lottery.ticket(draw.seed, draw.task_id, node)
    rank = sum(lottery.ticket(draw.seed, draw.task_id, other.node) < own for other in waiting)
    seats_left = max(draw.replicas - len(seated), 0)
    behind = max(rank - seats_left + 1, 0)
    opens = draw.opens_block(node)
    return Turn(opens_block=opens, rank=rank, claim_block=opens + behind * STAGGER_BLOCKS)
