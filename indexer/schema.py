"""Versions of the index: each in a schema of its own, shown to readers through views in `public`.

A version's name is a fingerprint of everything that its rows depend on. A new version is built beside the published one
and takes its place in one transaction, so there is no migration of derived data and no downtime.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import asyncpg

from indexer.events import address_bytes
from indexer.fold import FOLD_VERSION
from protocol.abi import event_topics
from protocol.deployment import Deployment

PREFIX = "idx_"


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """The three sections of `schema.sql`."""

    tables: str
    indexes: str
    views: str


@cache
def schema_file() -> SchemaFile:
    """Read `schema.sql`."""
    text = files("indexer").joinpath("schema.sql").read_text(encoding="utf-8")
    _, tables, indexes, views = (part.partition("\n")[2] for part in text.split("-- section: "))
    return SchemaFile(tables, indexes, views)


def version_of(deployment: Deployment) -> str:
    """Name the schema that holds this deployment's rows as this code folds them."""
    parts = [
        str(deployment.chain_id),
        deployment.genesis_hash,
        str(deployment.start_block),
        deployment.stake_wallet,
        deployment.runner_reputation,
        deployment.task_escrow,
        deployment.session_charter,
        deployment.federated_learning,
        deployment.peer_monitoring,
        deployment.audit_court,
        str(FOLD_VERSION),
        *(topic.hex() for topics in event_topics().values() for topic in sorted(topics)),
        repr(schema_file()),
    ]
    return PREFIX + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


async def exists(connection: asyncpg.Connection, schema: str) -> bool:
    """Say whether a version was begun."""
    found: bool = await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema)
    return found


async def create(connection: asyncpg.Connection, schema: str, deployment: Deployment) -> None:
    """Make a version's tables and views with its cursor before the first block, in one transaction."""
    async with connection.transaction():
        await connection.execute(f"CREATE SCHEMA {schema}")
        await connection.execute(f"SET LOCAL search_path = {schema}, public")
        await connection.execute(schema_file().tables)
        await connection.execute(schema_file().views)
        await connection.execute(
            "INSERT INTO sync_state (chain_id, genesis_hash, start_block, head_number, indexed_number, finalized_number)"
            " VALUES ($1, $2, $3, $4, $4, $4)",
            deployment.chain_id,
            address_bytes(deployment.genesis_hash),
            deployment.start_block,
            deployment.start_block - 1,
        )


async def create_indexes(connection: asyncpg.Connection, schema: str) -> None:
    """Make the secondary indexes that are not there yet; a crash half-way is healed by the next call."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path = {schema}, public")
        await connection.execute(schema_file().indexes)


async def published(connection: asyncpg.Connection) -> str | None:
    """Name the version that readers see, or None."""
    definition: str | None = await connection.fetchval(
        "SELECT definition FROM pg_views WHERE schemaname = 'public' AND viewname = 'sync_state'"
    )
    if definition is None:
        return None
    return definition.split("FROM ", 1)[1].split(".", 1)[0].strip()


async def publish(connection: asyncpg.Connection, schema: str) -> None:
    """Show a version to readers instead of whatever they saw; the caller may hold a transaction."""
    async with connection.transaction():
        for view in await _names(connection, "public", kind="v", owned=True):
            await connection.execute(f'DROP VIEW public."{view}" CASCADE')
        for name in await _names(connection, schema):
            statement = f'CREATE VIEW public."{name}" AS SELECT * FROM {schema}."{name}"'  # noqa: S608 (our names)
            await connection.execute(statement)


async def replace(connection: asyncpg.Connection, *, schema: str, by: str) -> None:
    """Put a finished rebuild in the place of the version it was built from."""
    async with connection.transaction():
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.execute(f"ALTER SCHEMA {by} RENAME TO {schema}")
        await publish(connection, schema)


async def drop(connection: asyncpg.Connection, schema: str) -> None:
    """Delete a version, with the views that show it."""
    await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def versions(connection: asyncpg.Connection) -> list[str]:
    """List all versions in the database."""
    rows = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE $1 ORDER BY nspname",
        PREFIX.replace("_", r"\_") + "%",
    )
    return [row["nspname"] for row in rows]


async def _names(
    connection: asyncpg.Connection, schema: str, *, kind: str = "rv", owned: bool = False
) -> list[str]:
    """List tables and views of a schema; `owned`: only views that show a version."""
    rows = await connection.fetch(
        """
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind::text = ANY($2) AND (NOT $3 OR EXISTS (
            SELECT FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
            JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace
            WHERE r.ev_class = c.oid AND n.nspname LIKE 'idx\\_%'))
        ORDER BY c.relname
        """,
        schema,
        list(kind),
        owned,
    )
    return [row["relname"] for row in rows]
