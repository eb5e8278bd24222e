"""What the StakeWallet owes to accounts."""

from collections.abc import Sequence

from api.database import Record, Snapshot


async def balances_of(snapshot: Snapshot, accounts: Sequence[bytes]) -> Sequence[Record]:
    """Give the ledger entries of these accounts; who never had one is absent."""
    return await snapshot.fetch(
        f"SELECT b.* FROM {snapshot.table('balances')} b WHERE b.account = ANY($1::bytea[])",  # noqa: S608 (ours)
        accounts,
    )
