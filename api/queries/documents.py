"""Documents of IPFS that the indexer has fetched."""

from api.statements import Tables


def by_digests(_tables: Tables) -> str:
    """Ask for the documents of some digests, where they are known."""
    return "SELECT * FROM documents WHERE digest = ANY($1::bytea[])"


def of_rounds(_tables: Tables) -> str:
    """Ask for what the aggregations of some sessions' rounds say of them, as far as it is known."""
    return (
        "SELECT * FROM documents WHERE digest IN"
        " (SELECT manifest FROM fl_rounds WHERE session_id = ANY($1::bytea[]))"
    )
