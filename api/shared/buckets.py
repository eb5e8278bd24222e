"""Rates and budgets over all processes together: a key may spend a certain amount, which is restored evenly with time."""

from dataclasses import dataclass

from api.shared.state import SharedState


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking: whether it was granted, how much is left, and in how many seconds (more) is."""

    granted: bool
    remaining: int
    wait_s: float


async def take(state: SharedState, key: str, *, amount: int, limit: int, window_s: float) -> Taken:
    """Spend `amount` of the `limit` that a key has within `window_s` seconds, or nothing of it.

    A key that spent all at once has one more after window_s / limit seconds, and all after window_s. In one statement,
    so that no two processes grant the same. `wait_s` is the time until all is worked off, or, if it was not granted,
    until `amount` would be.
    """
    step_s = window_s / limit
    row = await state.fetch_one(_SPEND, key, amount * step_s, window_s)
    if row is not None:
        spent_s = float(row["spent_s"])
        return Taken(granted=True, remaining=int((window_s - spent_s) / step_s + 1e-6), wait_s=spent_s)
    row = await state.fetch_one(_SPENT, key)
    spent_s = float(row["spent_s"]) if row else 0.0
    remaining = max(int((window_s - spent_s) / step_s), 0)
    return Taken(granted=False, remaining=remaining, wait_s=max(spent_s + amount * step_s - window_s, 0.0))


_SPEND = """
INSERT INTO parity_api.buckets AS b (key, worked_off_at) VALUES ($1, now() + $2 * interval '1 second')
ON CONFLICT (key) DO UPDATE SET worked_off_at = greatest(b.worked_off_at, now()) + $2 * interval '1 second'
WHERE greatest(b.worked_off_at, now()) + $2 * interval '1 second' <= now() + ($3 + 1e-6) * interval '1 second'
RETURNING extract(epoch FROM worked_off_at - now()) AS spent_s
"""
_SPENT = "SELECT extract(epoch FROM worked_off_at - now()) AS spent_s FROM parity_api.buckets WHERE key = $1"
