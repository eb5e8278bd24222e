"""The server's own schema, where its role may make none."""

import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from api.shared.state import SharedState

from .conftest import Index


def as_role(url: str, role: str) -> str:
    parts = urlsplit(url)
    _, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{role}@{place}"))


async def test_a_role_that_may_make_no_schema_uses_the_one_that_it_was_given(index: Index) -> None:
    role = f"reader_{secrets.token_hex(4)}"
    database = await index.connection.fetchval("SELECT current_database()")
    for statement in (
        f"CREATE ROLE {role} LOGIN",
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database}" TO {role}',
        f"CREATE SCHEMA parity_api AUTHORIZATION {role}",
    ):
        await index.connection.execute(statement)
    try:
        async with SharedState(as_role(index.url, role)) as shared:
            (row,) = await shared.fetch(
                "SELECT current_user::text AS role, max(version) AS version FROM parity_api.migrations"
            )
        assert (row["role"], row["version"]) == (role, 1)
        limited = await asyncpg.connect(as_role(index.url, role))
        may = await limited.fetchval("SELECT has_database_privilege(current_database(), 'CREATE')")
        await limited.close()
        assert not may
    finally:
        await index.connection.execute("DROP SCHEMA parity_api CASCADE")
        await index.connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM {role}')
        await index.connection.execute(f"DROP ROLE {role}")
