"""Answers stored by Idempotency-Key, so that a request that is sent again, to any of the processes, is carried out once."""

import hashlib
from dataclasses import dataclass

from api.rejections import Refusal
from api.shared.state import SharedState

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY = 255
_ANSWERING_S = 60
_KEPT_HOURS = 24


class KeyReused(Refusal):
    """The key was used for another request."""

    slug = "idempotency-key-reused"
    title = "Idempotency key used for another request"
    status = 422


class KeyInUse(Refusal):
    """The first request with this key is still being answered."""

    slug = "idempotency-key-in-use"
    title = "The first request with this key is not answered yet"
    status = 409


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer from before."""

    status: int
    answer: bytes


async def begin(state: SharedState, operation: str, key: str, body: bytes) -> Kept | None:
    """Claim a key for a request; gives the answer if there is one already. Raises `KeyReused` or `KeyInUse`."""
    request = hashlib.sha256(body).digest()
    while True:
        if await state.fetch_one(_CLAIM, operation, key, request, float(_ANSWERING_S), _KEPT_HOURS):
            return None
        row = await state.fetch_one(
            "SELECT request, status, answer FROM parity_api.idempotency WHERE operation = $1 AND key = $2",
            operation,
            key,
        )
        if row is None:
            continue  # Its first request failed this instant: the key is free again.
        if row["request"] != request:
            raise KeyReused(
                f"the {HEADER} {key!r:.60} was used for a request with another body",
                field=HEADER,
                hint="Use a new UUID for each new request, and the same only to send the very same again.",
            )
        if row["answer"] is None:
            raise KeyInUse(
                f"the first request with the {HEADER} {key!r:.60} is still being answered",
                field=HEADER,
                hint="Send it again in a moment.",
                more={"retryAfter": 1},
            )
        return Kept(row["status"], row["answer"])


async def keep(state: SharedState, operation: str, key: str, kept: Kept) -> None:
    """Keep an answer for the next request with this key."""
    await state.fetch(
        "UPDATE parity_api.idempotency SET status = $3, answer = $4 WHERE operation = $1 AND key = $2",
        operation,
        key,
        kept.status,
        kept.answer,
    )


async def release(state: SharedState, operation: str, key: str) -> None:
    """Free a key whose request was refused: nothing was done, so it may be done yet."""
    await state.fetch(
        "DELETE FROM parity_api.idempotency WHERE operation = $1 AND key = $2 AND answer IS NULL",
        operation,
        key,
    )


_CLAIM = """
INSERT INTO parity_api.idempotency AS i (operation, key, request, lease_until, expires_at)
VALUES ($1, $2, $3, now() + $4 * interval '1 second', now() + $5 * interval '1 hour')
ON CONFLICT (operation, key) DO UPDATE
SET request = excluded.request, status = NULL, answer = NULL, lease_until = excluded.lease_until,
    expires_at = excluded.expires_at
WHERE i.expires_at <= now() OR (i.answer IS NULL AND i.lease_until <= now())
RETURNING true
"""
