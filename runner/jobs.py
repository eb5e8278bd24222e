"""A job: one task as this runner knows it, from first sight to settlement."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from protocol.cid import digest_of
from protocol.commitment import Reveal, commitment
from protocol.enums import TaskStatus
from protocol.order import Order


class Stage(StrEnum):
    """How far a job has come. The `…ING` stages are written before their transaction is sent.

    The chain decides what is done next (`runner.life`); the stage tells people, and a restart, what was last begun.
    """

    WAITING = "waiting"
    CLAIMING = "claiming"
    CLAIMED = "claimed"
    EXECUTED = "executed"
    STORED = "stored"
    COMMITTING = "committing"
    COMMITTED = "committed"
    REVEALING = "revealing"
    REVEALED = "revealed"
    REFUSED = "refused"
    DROPPED = "dropped"
    SETTLED = "settled"

    @property
    def is_over(self) -> bool:
        """Return whether nothing will be done about the job any more."""
        return self in (Stage.REFUSED, Stage.DROPPED, Stage.SETTLED)

    @property
    def holds_slot(self) -> bool:
        """Return whether the job has a seat, or reaches for one, and its work is not done yet."""
        return self in (Stage.CLAIMING, Stage.CLAIMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of the journal. `paid` and `slashed` are USDFC base units; `reason` says why it stands where it stands."""

    task_id: bytes
    stage: Stage
    reason: str
    order: Order
    seed_block: int
    spec: bytes | None
    seat: int | None
    result: bytes | None
    input_tokens: int | None
    output_tokens: int | None
    fingerprint: bytes | None
    fingerprint_root: bytes | None
    salt: bytes | None
    status: TaskStatus | None
    ended_block: int | None
    paid: int | None
    slashed: int | None
    updated_at: float

    @property
    def opening(self) -> Reveal | None:
        """Return what the job's commitment hides, once there is a result."""
        if (
            self.result is None
            or self.salt is None
            or self.input_tokens is None
            or self.output_tokens is None
        ):
            return None
        return Reveal(
            result=digest_of(self.result),
            fingerprint=self.fingerprint_root or bytes(32),
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            salt=self.salt,
        )

    def commitment_of(self, node: str) -> bytes | None:
        """Return the one commitment that `node` may ever make for this task, once there is a result."""
        opening = self.opening
        return None if opening is None else commitment(self.task_id, node, opening)


def order_to_text(order: Order) -> str:
    """Write an order as the journal keeps it."""
    return json.dumps(order.to_json())


@lru_cache(256)
def order_from_text(text: str) -> Order:
    """Read what `order_to_text` wrote."""
    return Order.from_json(json.loads(text))
