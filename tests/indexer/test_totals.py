"""Totals are what counting would give, after every kind of change."""

from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from indexer.schema import schema_file

BALANCE = "INSERT INTO balances VALUES ($1, $2, 0, 5, 0, 0, 0, 1) ON CONFLICT (account) DO UPDATE SET free = EXCLUDED.free"
RUNNER = (
    "INSERT INTO runners (node, owner, label, profile, status, registered_block, banned_until, suspended_until, strikes,"
    " updated_block) VALUES ($1, $1, '\\x00', '\\x00', $2, 1, 0, 0, 0, 1)"
)


async def totals(connection: Any) -> dict[str, Decimal]:
    rows = await connection.fetch("SELECT name, amount FROM totals WHERE amount <> 0")
    return {row["name"]: row["amount"] for row in rows}


@pytest.fixture
async def connection(postgres_url: str) -> Any:
    opened = await asyncpg.connect(postgres_url)
    # As in production: a schema of its own, and a caller whose search path need not lead there.
    await opened.execute("CREATE SCHEMA idx_test; SET search_path = idx_test, public")
    await opened.execute(schema_file().tables)
    yield opened
    await opened.close()


async def test_totals_are_counted_when_the_backfill_is_done_and_kept_from_then_on(connection: Any) -> None:
    await connection.execute(BALANCE, b"a", 7)
    await connection.execute(RUNNER, b"a", "active")
    assert await totals(connection) == {}
    await connection.execute(schema_file().indexes)
    assert await totals(connection) == {"free": 7, "bonded": 5, "runners.active": 1}
    await connection.execute(BALANCE, b"a", 3)
    await connection.execute(BALANCE, b"b", 10)
    await connection.execute(RUNNER, b"b", "active")
    await connection.execute("SET search_path = public")
    await connection.execute("UPDATE idx_test.runners SET status = 'retired' WHERE node = 'b'")
    await connection.execute("SET search_path = idx_test, public")
    assert await totals(connection) == {
        "free": 13,
        "bonded": 10,
        "runners.active": 1,
        "runners.retired": 1,
    }
    await connection.execute("DELETE FROM balances WHERE account = 'a'")
    await connection.execute("DELETE FROM runners")
    assert await totals(connection) == {"free": 10, "bonded": 5}
    await connection.execute(schema_file().indexes)
    assert await totals(connection) == {"free": 10, "bonded": 5}


async def test_a_change_that_is_rolled_back_counts_for_nothing(connection: Any) -> None:
    await connection.execute(schema_file().indexes)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(BALANCE, b"a", 7)
    await transaction.rollback()
    assert await totals(connection) == {}
