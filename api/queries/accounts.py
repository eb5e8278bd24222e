"""What the StakeWallet owes to accounts."""

from api.statements import Tables


def balances_of(tables: Tables) -> str:
    """Ask for the ledger entries of some accounts; who never had one is absent."""
    return f"SELECT b.* FROM {tables.named('balances')} b WHERE b.account = ANY($1::bytea[])"  # noqa: S608 (ours)


def balances_of_owners(tables: Tables) -> str:
    """Ask for the ledger entries of whoever owns some runners."""
    return (
        f"SELECT b.* FROM {tables.named('balances')} b WHERE b.account IN"  # noqa: S608 (ours)
        f" (SELECT r.owner FROM {tables.named('runners')} r WHERE r.node = ANY($1::bytea[]))"
    )
