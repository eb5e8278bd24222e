"""What can go wrong while indexing, beyond the chain not answering.

::

    ParityError
    ├── IndexerError                1
    │   ├── FoldError               1   an event that the tables cannot have seen: wrong ABI, contract or node
    │   ├── InconsistentChain       1   a node's answers contradict each other; asking again may help
    │   ├── DifferentChain          2   the database holds another chain than the node serves
    │   └── LostLock                1   another writer took over, or the database went away
    └── ChainError
        └── RpcError                1   a JSON-RPC error object; see `indexer.rpc.classify`
"""

from protocol.errors import ParityError


class IndexerError(ParityError):
    """Anything that only an indexer reports."""


class FoldError(IndexerError):
    """An event that does not fit the state. Says which block, transaction and log."""


class InconsistentChain(IndexerError):
    """Answers of a node contradict each other, as happens while it reorganises. Asking again may help."""


class DifferentChain(IndexerError):
    """The database was built from another chain, or from a chain that was reset since."""

    exit_code = 2


class LostLock(IndexerError):
    """Another process may write now: this one must stop."""
