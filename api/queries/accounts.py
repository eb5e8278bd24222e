"""What the StakeWallet owes to accounts."""

from collections.abc import Sequence

from api.database import Answer, Snapshot


def balances_of(snapshot: Snapshot, accounts: Sequence[bytes]) -> Answer:
    """Return the ledger entries of these accounts; who never had one is absent."""
    return snapshot.fetch(
        f"SELECT b.* FROM {snapshot.table('balances')} b WHERE b.account = ANY($1::bytea[])",  # noqa: S608 (ours)
        accounts,
    )


def balances_of_owners(snapshot: Snapshot, nodes: Sequence[bytes]) -> Answer:
    """Return the ledger entries of whoever owns these runners."""
    balances, runners = snapshot.table("balances"), snapshot.table("runners")
    return snapshot.fetch(
        f"SELECT b.* FROM {balances} b WHERE b.account IN"  # noqa: S608 (ours)
        f" (SELECT r.owner FROM {runners} r WHERE r.node = ANY($1::bytea[]))",
        nodes,
    )
