import asyncpg
import pytest

from devnet.postgres import Postgres


async def test_data_survives_a_restart_and_a_crash(tmp_path):
    folder = tmp_path / "data"
    async with Postgres.start(folder=folder) as server:
        await _execute(await server.create_database("kept"), "CREATE TABLE t AS SELECT 1 AS one")
        await server.process.kill()
    async with Postgres.start(folder=folder) as server:
        assert await _value(server.url("kept"), "SELECT one FROM t") == 1


async def test_each_test_gets_an_empty_database_of_its_own(postgres_url, postgres):
    await _execute(postgres_url, "CREATE TABLE mine (x int)")
    other = await postgres.create_database("other")
    assert await _value(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'") == 0


async def test_a_database_that_is_there_is_left_as_it_is(postgres):
    url = await postgres.create_database("twice")
    await _execute(url, "CREATE TABLE t AS SELECT 2 AS two")
    assert await postgres.create_database("twice") == url
    assert await _value(url, "SELECT two FROM t") == 2


async def test_a_folder_too_deep_for_a_socket_works_all_the_same(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with Postgres.start(folder=deep / "data", durable=False) as server:
        assert await _value(server.url(), "SELECT 1") == 1


async def test_the_server_has_no_network_port(postgres_url):
    assert await _value(postgres_url, "SHOW listen_addresses") == ""


async def test_a_name_that_is_not_plain_is_refused(postgres):
    with pytest.raises(AssertionError, match="not a plain database name"):
        await postgres.create_database('x"; DROP DATABASE postgres; --')


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _value(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()
