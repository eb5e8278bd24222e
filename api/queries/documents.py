"""Documents of IPFS that the indexer has fetched."""

from collections.abc import Sequence

from api.database import Answer, Snapshot


def by_digests(snapshot: Snapshot, digests: Sequence[bytes]) -> Answer:
    """Return the documents of these digests that are known."""
    return snapshot.fetch("SELECT * FROM documents WHERE digest = ANY($1::bytea[])", digests)


def of_rounds(snapshot: Snapshot, sessions: Sequence[bytes]) -> Answer:
    """Return what the aggregations of these sessions' rounds say of them, as far as it is known."""
    return snapshot.fetch(
        "SELECT * FROM documents WHERE digest IN"
        " (SELECT manifest FROM fl_rounds WHERE session_id = ANY($1::bytea[]))",
        sessions,
    )
