"""Who may take an open task, and from which block, by the same draw as the contract's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.chain_link import ChainLink
from api.database import Record, Snapshot
from api.queries import chain as rules
from api.queries import runners
from protocol.chain import Chain
from protocol.errors import TransactionReverted
from protocol.lottery import opens_at_block, threshold, ticket


@dataclass(frozen=True, slots=True)
class DrawKey:
    """What of a task its draw depends on."""

    task_id: bytes
    replicas: int
    seed_block: int
    params_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One runner's ticket; lower is earlier. `opens_at_block` holds for the draw in force at the chain's head."""

    node: bytes
    ticket: int
    rank: int
    opens_at_block: int
    may_claim: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lottery:
    chain: Chain
    head: int
    active: int
    widening_step: int
    maturity: dict[int, int]
    candidates: Sequence[Record]


async def draws_of(link: ChainLink, snapshot: Snapshot, keys: Sequence[DrawKey]) -> list[list[Draw]]:
    """Return each task's tickets, lowest first; none before its seed block has passed.

    Raises `RpcUnavailable` or `WrongChain` when the chain cannot be asked.
    """
    chain = await link.chain()
    parameters = {row["params_id"]: row["maturity"] for row in await rules.parameters(snapshot)}
    candidates = await runners.active_nodes(snapshot)
    head, active, step = await asyncio.gather(
        chain.block_number(),
        chain.call(chain.reputation.functions.activeRunners()),
        chain.call(chain.escrow.functions.wideningStep()),
    )
    lottery = _Lottery(
        chain=chain, head=head, active=active, widening_step=step, maturity=parameters, candidates=candidates
    )
    return await asyncio.gather(*(_draws(lottery, key) for key in keys))


async def _draws(lottery: _Lottery, key: DrawKey) -> list[Draw]:
    seed_of: Any = lottery.chain.escrow.functions.seedOf(key.task_id)
    try:
        draw_block, seed = await lottery.chain.call(seed_of, block=lottery.head)
    except TransactionReverted:
        # Not seeded yet: nobody can know the tickets.
        return []
    registered_by = max(draw_block - lottery.maturity.get(key.params_id, 0), 0)
    drawn = sorted(
        (ticket(seed, key.task_id, "0x" + row["node"].hex()), row["node"])
        for row in lottery.candidates
        if row["registered_block"] <= registered_by
        and max(row["banned_until"], row["suspended_until"]) < lottery.head
    )
    admitted = threshold(
        lottery.active, key.replicas, max(lottery.head - key.seed_block, 0), lottery.widening_step
    )
    return [
        Draw(
            node=node,
            ticket=number,
            rank=rank,
            opens_at_block=opens_at_block(
                number,
                active=lottery.active,
                replicas=key.replicas,
                seed_block=key.seed_block,
                widening_step=lottery.widening_step,
            ),
            may_claim=number <= admitted,
        )
        for rank, (number, node) in enumerate(drawn)
    ]
