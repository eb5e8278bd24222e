"""Two database roles: the indexer's, which owns what it writes, and the readers', which may only look."""

import re

import asyncpg

from indexer import schema as versions
from indexer.errors import IndexerError

WRITER = "parity_indexer"
READER = "parity_api"
READERS_OWN_SCHEMA = "parity_api"
"""Where the API keeps state of its own; the index knows nothing of it."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


async def grant_roles(database_url: str, *, writer: str = WRITER, reader: str = READER) -> None:
    """Make the roles where they are missing and give each what it needs, and no more. Needs a superuser's URL.

    The writer may make schemas and views in this database. The reader may read the published views, what is published
    later included, and owns the schema of the API's own state; the versions (`idx_…`) are closed to it. Passwords are set
    apart. Raises `IndexerError` when an index exists that the writer does not own.
    """
    for name in (writer, reader):
        if not _NAME.fullmatch(name):
            raise IndexerError(
                f"{name!r} is not a plain role name", hint="Use lower-case letters, digits and underscores."
            )
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await _refuse_foreign_index(connection, writer)
            for name in (writer, reader):
                if not await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", name):
                    await connection.execute(f"CREATE ROLE {name} LOGIN")
            database = await connection.fetchval("SELECT quote_ident(current_database())")
            for statement in _grants(database, writer=writer, reader=reader):
                await connection.execute(statement)
    finally:
        await connection.close()


def _grants(database: str, *, writer: str, reader: str) -> list[str]:
    return [
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {writer}",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {writer}",
        f"GRANT CONNECT ON DATABASE {database} TO {reader}",
        f"GRANT USAGE ON SCHEMA public TO {reader}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {writer} IN SCHEMA public GRANT SELECT ON TABLES TO {reader}",
        f"CREATE SCHEMA IF NOT EXISTS {READERS_OWN_SCHEMA} AUTHORIZATION {reader}",
    ]


async def _refuse_foreign_index(connection: asyncpg.Connection, writer: str) -> None:
    owners = await connection.fetch(
        "SELECT nspname, pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = ANY($1)",
        [*await versions.versions(connection), "content"],
    )
    for row in owners:
        if row["owner"] != writer:
            raise IndexerError(
                f"schema {row['nspname']} belongs to {row['owner']}, not to {writer}",
                hint="Grant the roles before the first `parity-indexer run`, or in a new database.",
            )
