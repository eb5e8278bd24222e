"""Changed rows are staged in temporary tables, which live and die with the transaction that made them."""

import msgspec
import pytest

from indexer.fold.rows import Balance
from indexer.store import Store
from indexer.tables import FOLDED_BY_NAME
from tests.indexer.conftest import Rig

BALANCES = FOLDED_BY_NAME["balances"]
ACCOUNT = b"\1" * 20


class Unforeseen(Exception):
    """What ends a transaction."""


async def merge(store: Store, *, free: int, fails: bool = False) -> None:
    async with store.transaction() as transaction:
        record = msgspec.structs.astuple(Balance(ACCOUNT, free=free))
        await transaction.stages.fill(transaction.connection, BALANCES, [record])
        await transaction.connection.execute(BALANCES.merge())
        if fails:
            raise Unforeseen


async def test_a_stage_that_was_rolled_back_is_made_again(rig: Rig) -> None:
    async with Store.open(rig.database_url, rig.schema) as store:
        with pytest.raises(Unforeseen):
            await merge(store, free=5, fails=True)
        for free in (6, 7):
            await merge(store, free=free)
            rows = await store.reader.fetch("SELECT account, free FROM balances")
            assert [tuple(row) for row in rows] == [(ACCOUNT, free)]


async def test_a_stage_outlives_a_later_transaction_that_fails(rig: Rig) -> None:
    async with Store.open(rig.database_url, rig.schema) as store:
        await merge(store, free=5)
        with pytest.raises(Unforeseen):
            await merge(store, free=6, fails=True)
        await merge(store, free=7)
        assert await store.reader.fetchval("SELECT free FROM balances") == 7
