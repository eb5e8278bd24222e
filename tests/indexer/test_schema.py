"""The schema: documented, versioned, and equal to what the code writes."""

from pathlib import Path

import asyncpg

from indexer import schema as versions
from indexer.schema_docs import database_page, relations
from indexer.store import Store
from indexer.tables import APPENDED, FOLDED, HISTORY
from tests.indexer.conftest import Rig

ROOT = Path(__file__).parents[2]


def test_the_database_page_is_the_one_that_the_schema_gives() -> None:
    page = (ROOT / "docs/reference/database.md").read_text(encoding="utf-8")
    assert page == database_page(), "write it with `parity-indexer schema-docs > docs/reference/database.md`"


async def test_every_table_and_column_says_what_it_is(rig: Rig) -> None:
    silent = await rig.fetch(
        """
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = ANY($1::regnamespace[]) AND c.relkind IN ('r', 'v') AND a.attnum >= 0
            AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
        """,
        [rig.schema, "content"],
    )
    assert silent == []
    names = await rig.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'v')",
        rig.schema,
    )
    assert {row["relname"] for row in names} <= {relation.name for relation in relations()}


async def test_row_structs_have_the_columns_of_their_tables(rig: Rig) -> None:
    structs = {table.name: table.row for table in FOLDED} | APPENDED
    for name, struct in structs.items():
        columns = await rig.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2"
            " ORDER BY ordinal_position",
            rig.schema,
            name,
        )
        assert [row["column_name"] for row in columns] == list(struct.__struct_fields__), name


async def test_history_tables_hold_every_column_that_can_change(rig: Rig) -> None:
    for name, kept in HISTORY.items():
        columns = await rig.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2"
            " ORDER BY ordinal_position",
            rig.schema,
            name,
        )
        assert [row["column_name"] for row in columns] == list(kept), name


async def test_readers_see_the_published_version_through_public_views(rig: Rig) -> None:
    connection = await asyncpg.connect(rig.database_url)
    try:
        assert await versions.published(connection) == rig.schema
        other = "idx_000000000000"
        await versions.create(connection, other, rig.deployment)
        await connection.execute(f"UPDATE {other}.sync_state SET head_number = 77")
        await connection.execute("CREATE VIEW public.mine AS SELECT 1 AS one")
        await versions.publish(connection, other)
        assert await connection.fetchval("SELECT head_number FROM public.sync_state") == 77
        assert await versions.published(connection) == other
        await connection.execute(f"SET search_path = {other}, public")
        assert await versions.published(connection) == other, "whatever the connection looks at"
        assert await connection.fetchval("SELECT one FROM public.mine") == 1
        assert await connection.fetchval("SELECT count(*) FROM public.prompt_requests") == 0
    finally:
        await connection.close()


async def test_indexes_can_be_made_twice(rig: Rig) -> None:
    async with Store.open(rig.database_url, rig.schema) as store:
        await versions.create_indexes(store.writer, store.reader, rig.schema)
        await versions.create_indexes(store.writer, store.reader, rig.schema)
