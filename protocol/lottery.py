"""The seat lottery: a beacon value nobody knew at signing gives every runner a ticket for every task.

Tickets at or below the threshold may claim; the threshold widens with waiting time until everyone is admitted.
All of it is computed here exactly as TaskEscrow does, so that a runner knows its block without asking.
"""

from eth_abi.abi import encode
from eth_utils.crypto import keccak

MAX_TICKET: int = 2**256 - 1
OVERSUBSCRIPTION = 3
"""Runners admitted for each seat, on average, before any widening."""


def ticket(seed: int, task_id: bytes, node: str) -> int:
    """Draw a node's ticket for a task, as `TaskEscrow.ticketOf`: the lower, the earlier."""
    return int.from_bytes(keccak(encode(("uint256", "bytes32", "address"), (seed, task_id, node))), "big")


def threshold(active: int, replicas: int, waited_blocks: int, widening_step: int) -> int:
    """Give the highest ticket that may claim after `waited_blocks`, as `TaskEscrow.thresholdOf`."""
    factor = replicas * OVERSUBSCRIPTION * (1 + waited_blocks // widening_step)
    return min(MAX_TICKET // max(active, 1) * factor, MAX_TICKET) if factor < max(active, 1) else MAX_TICKET


def waited_blocks_needed(ticket: int, active: int, replicas: int, widening_step: int) -> int:
    """Give the fewest waited blocks after which `ticket` may claim."""
    if active <= replicas * OVERSUBSCRIPTION:
        return 0
    base = MAX_TICKET // active * replicas * OVERSUBSCRIPTION
    steps = max(0, -(-ticket // base) - 1)
    # From `active` tickets' worth on, everyone is admitted: the rounded-off rest of the range must not wait longer.
    steps_to_all = -(-active // (replicas * OVERSUBSCRIPTION)) - 1
    return min(steps, steps_to_all) * widening_step


def opens_at_block(ticket: int, *, active: int, replicas: int, seed_block: int, widening_step: int) -> int:
    """Give the first block at which `ticket` may claim a task whose lottery opened at `seed_block`.

    Waiting counts from the block after the seed's own, the first at which anybody may claim.
    """
    return seed_block + 1 + waited_blocks_needed(ticket, active, replicas, widening_step)
