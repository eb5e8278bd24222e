"""How far the index is, and the rules in force."""

from collections.abc import Sequence

from api.database import IndexMissing, Record, Snapshot


async def sync_state(snapshot: Snapshot) -> Record | None:
    """Return the indexer's own row; None before its first start."""
    return await snapshot.fetch_one("SELECT * FROM sync_state")


async def require_sync_state(snapshot: Snapshot) -> Record:
    """Return the indexer's own row; `IndexMissing` before its first start."""
    state = await sync_state(snapshot)
    if state is None:
        raise IndexMissing("the index is empty: no block has been read", hint="Start parity-indexer.")
    return state


async def parameters(snapshot: Snapshot) -> Sequence[Record]:
    """Return every parameter version, newest first."""
    return await snapshot.fetch("SELECT * FROM parameters ORDER BY params_id DESC")
