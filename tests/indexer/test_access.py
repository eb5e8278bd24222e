"""Least privilege: the indexer's role can do all that an indexer does, the readers' role can only read."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from indexer import access
from indexer import schema as versions
from indexer.errors import IndexerError
from tests.indexer.conftest import Rig, deployment_on
from tests.indexer.processes import environment, indexer_process, wait_until_indexed
from tests.indexer.simulated_node import SimulatedNode


@dataclass
class Roles:
    """Names of two roles and how to connect as them."""

    url: str
    writer: str
    reader: str

    def url_of(self, role: str) -> str:
        return self.url.replace("postgres:@", f"{role}:@")


@pytest.fixture
async def roles(postgres_url: str) -> AsyncIterator[Roles]:
    tag = secrets.token_hex(4)
    made = Roles(postgres_url, f"writer_{tag}", f"reader_{tag}")
    await access.grant_roles(postgres_url, writer=made.writer, reader=made.reader)
    yield made
    connection = await asyncpg.connect(postgres_url)
    for role in (made.reader, made.writer):
        await connection.execute(f"DROP OWNED BY {role} CASCADE")
        await connection.execute(f"DROP ROLE {role}")
    await connection.close()


async def test_the_command_names_the_roles_in_json(roles: Roles, tmp_path: Path) -> None:
    node = SimulatedNode(seed=1)
    node.open()
    settings = environment(
        database_url=roles.url, rpc_url="http://127.0.0.1:1", deployment=deployment_on(node), folder=tmp_path
    )
    words = ("grant-roles", "--writer", roles.writer, "--reader", roles.reader, "--json")
    async with indexer_process(settings, *words) as process:
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()
        assert await process.wait() == 0
    assert json.loads(said) == {"writer": roles.writer, "reader": roles.reader}


async def test_the_writer_indexes_and_the_reader_reads_but_cannot_write(roles: Roles, tmp_path: Path) -> None:
    node = SimulatedNode(seed=3)
    node.open()
    node.grow(30)
    deployment = deployment_on(node)
    schema = versions.version_of(deployment)
    async with node.serve() as url:
        settings = environment(
            database_url=roles.url_of(roles.writer), rpc_url=url, deployment=deployment, folder=tmp_path
        )
        async with indexer_process(settings):
            await wait_until_indexed(roles.url, schema, block_hash=node.head.hash)
        async with indexer_process(settings, "rebuild") as process:
            assert await process.wait() == 0
    reader = await asyncpg.connect(roles.url_of(roles.reader))
    try:
        for view in ("balances", "logs", "documents", "prompt_requests", "sync_state"):
            await reader.fetch(f"SELECT * FROM public.{view}")
        assert await reader.fetchval("SELECT count(*) FROM public.balances_at($1)", node.head.number) > 0
        for statement in (
            "UPDATE public.balances SET free = 0",
            "DELETE FROM public.sync_state",
            f"SELECT * FROM {schema}.balances",
            "SELECT * FROM content.documents",
            "CREATE TABLE public.mine (one int)",
            "CREATE SCHEMA mine",
            "DROP VIEW public.tasks",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(statement)
        await reader.execute("CREATE TABLE parity_api.mine (one int)")
        await reader.execute("LISTEN parity_block")
    finally:
        await reader.close()


async def test_roles_can_be_given_twice(roles: Roles) -> None:
    await access.grant_roles(roles.url, writer=roles.writer, reader=roles.reader)


async def test_an_index_of_another_owner_is_not_taken_over(rig: Rig) -> None:
    with pytest.raises(IndexerError, match="belongs to postgres"):
        await access.grant_roles(rig.database_url)


async def test_a_role_name_that_is_sql_is_refused(postgres_url: str) -> None:
    with pytest.raises(IndexerError, match="not a plain role name"):
        await access.grant_roles(postgres_url, writer="x; DROP DATABASE y")
