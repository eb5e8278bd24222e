"""Documents of IPFS that the indexer has fetched."""

from collections.abc import Sequence

from api.database import Record, Snapshot


async def by_digests(snapshot: Snapshot, digests: Sequence[bytes]) -> Sequence[Record]:
    """Give the documents of these digests that are known."""
    return await snapshot.fetch("SELECT * FROM documents WHERE digest = ANY($1::bytea[])", digests)
