"""Sessions of wallets that signed in, known to every process; only a token's digest is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from api.shared.state import SharedState

NONCE_S = 600
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. Whoever holds the token is the address, until it expires."""

    token: str
    expires_at: datetime


async def new_nonce(state: SharedState) -> str:
    """Return a nonce that one sign-in may use within ten minutes."""
    nonce = secrets.token_hex(16)
    await state.fetch(
        "INSERT INTO parity_api.nonces (nonce, expires_at) VALUES ($1, now() + $2 * interval '1 second')",
        nonce,
        float(NONCE_S),
    )
    return nonce


async def use_nonce(state: SharedState, nonce: str) -> bool:
    """Use a nonce up; False if it was never given out, was used, or is too old."""
    row = await state.fetch_one(
        "DELETE FROM parity_api.nonces WHERE nonce = $1 RETURNING expires_at > now() AS good", nonce
    )
    return bool(row and row["good"])


async def open_session(state: SharedState, address: bytes, *, lasts_s: float) -> Opened:
    """Open a session for an address."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = await state.fetch_one(
        "INSERT INTO parity_api.sessions (token, address, expires_at)"
        " VALUES ($1, $2, now() + $3 * interval '1 second') RETURNING expires_at",
        _digest(token),
        address,
        lasts_s,
    )
    if row is None:
        raise LookupError("an insert without a row")
    return Opened(token, row["expires_at"])


async def address_of(state: SharedState, token: str) -> bytes | None:
    """Return whose session a token is; None if it is none, or has ended."""
    row = await state.fetch_one(
        "SELECT address FROM parity_api.sessions WHERE token = $1 AND expires_at > now()", _digest(token)
    )
    return row["address"] if row else None


async def close_session(state: SharedState, token: str) -> None:
    """End a session."""
    await state.fetch("DELETE FROM parity_api.sessions WHERE token = $1", _digest(token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
