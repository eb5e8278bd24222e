"""Reading your own writes: a request may name a block that its answer must include."""

from api.database import IndexBehind, Snapshot
from api.queries import chain


async def require_block(snapshot: Snapshot, min_block: int | None) -> None:
    """Raise `IndexBehind` unless the snapshot holds `min_block`."""
    if min_block is None:
        return
    state = await chain.sync_state(snapshot)
    indexed = state["indexed_number"] if state else -1
    if indexed < min_block:
        raise IndexBehind(
            f"the index holds blocks up to {indexed}, not yet {min_block}",
            hint="Ask again in a moment, or subscribe to `block`.",
        )
