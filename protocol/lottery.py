"""The seat lottery: a beacon value nobody knew at signing gives every runner a ticket for every task.

Tickets at or below the threshold may claim; the threshold widens with waiting time until everyone is admitted.
All of it is computed here exactly as TaskEscrow does, so that a runner knows its block without asking.
"""

from eth_utils.crypto import keccak

MAX_TICKET: int = 2**256 - 1
OVERSUBSCRIPTION = 3
"""Runners admitted for each seat, on average, before any widening."""


def ticket(seed: int, task_id: bytes, node: str) -> int:
    """Draw a node's ticket for a task, as `TaskEscrow.ticketOf`: the lower, the earlier."""
    # ABI encoding written out, for a runner draws for every other runner and every task that waits.
    words = seed.to_bytes(32, "big") + task_id + bytes(12) + bytes.fromhex(node[2:])
    return int.from_bytes(keccak(words), "big")


def draw_block(seed_block: int, current_block: int, redraw: int) -> int:
    """Return the block whose beacon value is in force at `current_block`: tickets change every `redraw` blocks."""
    return current_block - 1 - (current_block - 1 - seed_block) % redraw


def threshold(active: int, replicas: int, waited_blocks: int, widening_step: int) -> int:
    """Return the highest ticket that may claim `waited_blocks` after the seed block, as `TaskEscrow.thresholdOf`."""
    if active == 0:
        return MAX_TICKET
    factor = replicas * OVERSUBSCRIPTION * (1 + waited_blocks // widening_step)
    return min(MAX_TICKET // active * factor, MAX_TICKET)


def waited_blocks_needed(ticket: int, *, active: int, replicas: int, widening_step: int) -> int:
    """Return the fewest waited blocks at which `ticket` is at or below the threshold."""
    first = threshold(active, replicas, 0, widening_step)
    if ticket <= first:
        return 0
    return (-(-ticket // first) - 1) * widening_step


def opens_at_block(ticket: int, *, active: int, replicas: int, seed_block: int, widening_step: int) -> int:
    """Return the first block at which `ticket` may claim a task whose seed block is `seed_block`.

    It holds for the draw that the ticket is of, while the number of active runners stays: past the next
    `draw_block`, compute it anew.
    """
    waited = waited_blocks_needed(ticket, active=active, replicas=replicas, widening_step=widening_step)
    return seed_block + max(1, waited)
