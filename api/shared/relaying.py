"""Intents that are being sent to the chain, by whichever process."""

from dataclasses import dataclass

from api.shared.state import SharedState

_DECIDED_S = 20
"""Seconds that a process has to broadcast what it decided to send; a process killed in between blocks no longer."""


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """An intent that another process is sending; the hash is there once a node has taken it."""

    transaction_hash: bytes | None


async def claim(state: SharedState, intent_id: bytes) -> OnItsWay | None:
    """Take it upon this process to send an intent; gives what another is doing with it, if one is."""
    while True:
        if await state.fetch_one(_CLAIM, intent_id, float(_DECIDED_S)):
            return None
        row = await state.fetch_one(
            "SELECT tx_hash FROM parity_api.relaying WHERE intent_id = $1 AND lease_until > now()", intent_id
        )
        if row is not None:
            return OnItsWay(row["tx_hash"])


async def sent(state: SharedState, intent_id: bytes, transaction_hash: bytes, *, lease_s: float) -> None:
    """Record that a node has taken the transaction, which is now waited for at most `lease_s` seconds."""
    await state.fetch(_SENT, intent_id, transaction_hash, lease_s)


async def seen(state: SharedState, intent_id: bytes, *, within_s: float) -> OnItsWay | None:
    """Return what is or was on its way at some moment of the last `within_s` seconds."""
    row = await state.fetch_one(_SEEN, intent_id, within_s)
    return OnItsWay(row["tx_hash"]) if row is not None else None


async def finished(state: SharedState, intent_id: bytes) -> None:
    """Record that an intent is no longer on its way: the chain knows what was sent, or nothing was."""
    await state.fetch(_FINISHED, intent_id)


async def given_up(state: SharedState, intent_id: bytes) -> None:
    """Forget an intent that this process will not send."""
    await state.fetch("DELETE FROM parity_api.relaying WHERE intent_id = $1", intent_id)


_CLAIM = """
INSERT INTO parity_api.relaying AS r (intent_id, lease_until) VALUES ($1, now() + $2 * interval '1 second')
ON CONFLICT (intent_id) DO UPDATE SET tx_hash = NULL, lease_until = excluded.lease_until
WHERE r.lease_until <= now()
RETURNING true
"""
_SENT = """
UPDATE parity_api.relaying SET tx_hash = $2, lease_until = now() + $3 * interval '1 second' WHERE intent_id = $1
"""
_SEEN = """
SELECT tx_hash FROM parity_api.relaying WHERE intent_id = $1
AND (lease_until > now() OR tx_hash IS NOT NULL AND lease_until >= now() - $2 * interval '1 second')
"""
_FINISHED = """
UPDATE parity_api.relaying SET lease_until = least(lease_until, now()) WHERE intent_id = $1
"""
"""The hash stays until the row is cleared away: whoever asked for the same meanwhile is told it."""
