"""Webhooks and the queue of their deliveries, which several processes may work on at once."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.database import Record
from api.shared.state import SharedState

MAX_PER_ADDRESS = 10
MAX_ATTEMPTS = 10
MAX_FAILURES = 5
"""Deliveries given up in a row after which a webhook is told nothing more."""

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 3600.0
_SENDING_S = 30
_AT_ONCE = 20
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook, leased to this process."""

    delivery_id: uuid.UUID
    webhook_id: uuid.UUID
    url: str
    secret: bytes
    event: str
    body: bytes
    attempts: int


async def add(state: SharedState, address: bytes, url: str, events: Sequence[str]) -> Record | None:
    """Register a webhook with a new secret; None if the address has as many as it may."""
    return await state.fetch_one(
        "INSERT INTO parity_api.webhooks (webhook_id, address, url, secret, events)"
        " SELECT $1, $2, $3, $4, $5::text[] WHERE"
        " (SELECT count(*) FROM parity_api.webhooks WHERE address = $2) < $6 RETURNING *",
        uuid.uuid4(),
        address,
        url,
        secrets.token_bytes(_SECRET_BYTES),
        events,
        MAX_PER_ADDRESS,
    )


async def of_address(state: SharedState, address: bytes) -> Sequence[Record]:
    """Return an address's webhooks, newest first."""
    return await state.fetch(
        "SELECT w.*, (SELECT count(*) FROM parity_api.deliveries d WHERE d.webhook_id = w.webhook_id) AS waiting"
        " FROM parity_api.webhooks w WHERE address = $1 ORDER BY created_at DESC, webhook_id",
        address,
    )


async def remove(state: SharedState, address: bytes, webhook_id: uuid.UUID) -> bool:
    """Delete an address's webhook with all that waits for it; False if it has none of that id."""
    row = await state.fetch_one(
        "DELETE FROM parity_api.webhooks WHERE webhook_id = $1 AND address = $2 RETURNING webhook_id",
        webhook_id,
        address,
    )
    return row is not None


async def lease_due(state: SharedState) -> Sequence[Delivery]:
    """Take some of what is due; who dies with it loses the lease, and another takes it."""
    rows = await state.fetch(_LEASE, float(_SENDING_S), _AT_ONCE)
    return [Delivery(**dict(row)) for row in rows]


async def delivered(state: SharedState, delivery: Delivery) -> None:
    """Forget a delivery that was taken."""
    await state.fetch(
        "WITH gone AS (DELETE FROM parity_api.deliveries WHERE delivery_id = $1)"
        " UPDATE parity_api.webhooks SET failures = 0 WHERE webhook_id = $2 AND failures > 0",
        delivery.delivery_id,
        delivery.webhook_id,
    )


async def refused(state: SharedState, delivery: Delivery) -> None:
    """Try a delivery again later, each time after twice as long; give it up after `MAX_ATTEMPTS`."""
    if delivery.attempts < MAX_ATTEMPTS:
        await state.fetch(
            "UPDATE parity_api.deliveries SET lease_until = NULL, due_at = now() + $2 * interval '1 second'"
            " WHERE delivery_id = $1",
            delivery.delivery_id,
            pause_s(delivery.attempts),
        )
        return
    await state.fetch(_GIVE_UP, delivery.delivery_id, delivery.webhook_id, MAX_FAILURES)


def pause_s(attempts: int) -> float:
    """Return the seconds to wait after so many attempts, a tenth more or less, so that retries spread."""
    pause: float = min(_FIRST_PAUSE_S * 2.0 ** (attempts - 1), _LONGEST_PAUSE_S)
    return pause * (0.9 + secrets.randbelow(2001) / 10_000)


async def next_due_s(state: SharedState, *, longest_s: float) -> float:
    """Return the seconds until something is due, at most `longest_s`."""
    row = await state.fetch_one(
        "SELECT extract(epoch FROM min(greatest(due_at, coalesce(lease_until, due_at))) - now()) AS wait_s"
        " FROM parity_api.deliveries"
    )
    wait_s = row["wait_s"] if row else None
    return longest_s if wait_s is None else min(max(float(wait_s), 0.05), longest_s)


async def enqueue(connection: Any, items: Sequence[tuple[uuid.UUID, str, bytes]]) -> None:
    """Queue bodies for webhooks, within the caller's transaction."""
    await connection.executemany(
        "INSERT INTO parity_api.deliveries (delivery_id, webhook_id, event, body)"
        " VALUES (gen_random_uuid(), $1, $2, $3)",
        items,
    )


_LEASE = """
WITH due AS (
    SELECT d.delivery_id FROM parity_api.deliveries d
    WHERE d.due_at <= now() AND (d.lease_until IS NULL OR d.lease_until <= now())
    ORDER BY d.due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE parity_api.deliveries d SET attempts = attempts + 1, lease_until = now() + $1 * interval '1 second'
FROM due, parity_api.webhooks w
WHERE d.delivery_id = due.delivery_id AND w.webhook_id = d.webhook_id
RETURNING d.delivery_id, d.webhook_id, w.url, w.secret, d.event, d.body, d.attempts
"""
_GIVE_UP = """
WITH gone AS (DELETE FROM parity_api.deliveries WHERE delivery_id = $1)
UPDATE parity_api.webhooks SET failures = failures + 1,
    disabled_at = CASE WHEN failures + 1 >= $3 THEN now() ELSE disabled_at END
WHERE webhook_id = $2
"""
