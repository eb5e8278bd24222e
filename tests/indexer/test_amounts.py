"""Amounts arrive in Postgres as they are, and come back so."""

from decimal import Decimal

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.amounts import decoded, encoded, read_and_write_integers

AMOUNTS = [0, 1, -1, 9_999, 10_000, -10_000, 10**18, 12_345 * 10**16, 10**77 - 1, 10**77, -(10**30), 2**255]


async def test_postgres_reads_what_was_written(postgres_url: str) -> None:
    connection, plain = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
    try:
        await read_and_write_integers(connection)
        await connection.execute("CREATE TABLE amounts (place int4, amount numeric(78))")
        await connection.copy_records_to_table("amounts", records=list(enumerate(AMOUNTS)))
        query = "SELECT amount FROM amounts ORDER BY place"
        assert [row["amount"] for row in await connection.fetch(query)] == AMOUNTS
        assert [row["amount"] for row in await plain.fetch(query)] == [Decimal(value) for value in AMOUNTS]
        await connection.execute("INSERT INTO amounts VALUES (100, $1)", 7)
        assert await connection.fetchval("SELECT sum(amount) FROM amounts") == sum(AMOUNTS) + 7
    finally:
        await connection.close()
        await plain.close()


@given(st.integers(min_value=-(10**78) + 1, max_value=10**78 - 1))
def test_every_integer_comes_back(value: int) -> None:
    assert decoded(encoded(value)) == value


async def test_a_fraction_is_refused(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await read_and_write_integers(connection)
        for fraction in ("0.5", "1.0", "'NaN'", "'Infinity'", "0.00001"):
            with pytest.raises(ValueError, match="no integer"):
                await connection.fetchval(f"SELECT {fraction}::numeric")
    finally:
        await connection.close()
