"""A session's documents on IPFS: the weights it begins with, index lists, where they lie, and the configuration that the chain names."""

from collections.abc import Callable

from client.federated.preparing import Prepared
from protocol.content import ContentStore
from protocol.errors import ContentMismatch
from protocol.parts import store_parts

Told = Callable[[str], None]


async def publish(store: ContentStore, prepared: Prepared, *, on_progress: Told) -> None:
    """Store and pin everything that participants will read, the configuration last. `ContentUnavailable`."""
    if prepared.first is not None:
        on_progress("weights to begin with")
        await store_parts(store, prepared.first)
    for number, content in enumerate(prepared.lists, start=1):
        on_progress(f"index list {number} of {len(prepared.lists)}")
        await store_parts(store, content)
    if prepared.index is not None:
        await _store(store, prepared.index.canonical(), prepared.index.digest())
    on_progress("configuration")
    await _store(store, prepared.config.canonical(), prepared.config.digest())


async def _store(store: ContentStore, content: bytes, digest: bytes) -> None:
    if await store.add(content) != digest:
        raise ContentMismatch(
            "the session's documents changed while they were stored", hint="Report this; nothing was signed."
        )
