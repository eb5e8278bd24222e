"""Versions of the index: each in a schema of its own, shown to readers through views in `public`.

A version's name is a fingerprint of everything that its rows depend on. A new version is built beside the published one
and takes its place in one transaction, so there is no migration of derived data and no downtime.
"""

import asyncio
import hashlib
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import asyncpg

from indexer.events import address_bytes
from indexer.fold import FOLD_VERSION
from indexer.fold.history import FIXED
from indexer.tables import FOLDED_BY_NAME, as_of_function
from protocol.abi import event_topics
from protocol.deployment import Deployment

PREFIX = "idx_"
SWITCH_LOCK_MS = 500
"""How long a switch of the views waits for readers at a time; less than Postgres' deadlock_timeout of 1 s."""


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
    _, *sections = (part.partition("\n")[2] for part in text.split("-- section: "))
    return SchemaFile(*sections)


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
        deployment.governor,
        str(FOLD_VERSION),
        *(topic.hex() for topics in event_topics().values() for topic in sorted(topics)),
        repr(schema_file()),
    ]
    return PREFIX + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


async def exists(connection: asyncpg.Connection, schema: str) -> bool:
    """Return whether a version was begun."""
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


async def create_indexes(connection: asyncpg.Connection, beside: asyncpg.Connection, schema: str) -> None:
    """Make the secondary indexes that are not there yet, on two connections, each of which takes the next when it is free.

    A crash half-way is healed by the next call.
    """
    left = deque(schema_file().indexes.strip().split("\n\n"))

    async def create(on: asyncpg.Connection) -> None:
        while left:
            statements = left.popleft()
            async with on.transaction():
                await on.execute(f"SET LOCAL search_path = {schema}, public")
                await on.execute(statements)

    async with asyncio.TaskGroup() as group:
        group.create_task(create(connection))
        group.create_task(create(beside))


async def published(connection: asyncpg.Connection) -> str | None:
    """Name the version that readers see, or None."""
    name: str | None = await connection.fetchval(
        """
        SELECT n.nspname FROM pg_rewrite r
        JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_class t ON t.oid = d.refobjid AND t.relname = 'sync_state'
        JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname LIKE 'idx\\_%'
        WHERE r.ev_class = to_regclass('public.sync_state') LIMIT 1
        """
    )
    return name


async def publish(connection: asyncpg.Connection, schema: str) -> None:
    """Show a version to readers instead of whatever they saw, in one transaction.

    The version's rows must be committed before. A reader that has looked at any view keeps the old version until its
    transaction ends, and none ever sees both.
    """
    await _switch(connection, lambda: _show(connection, schema))


async def publish_between_readers(connection: asyncpg.Connection, schema: str) -> bool:
    """Do what `publish` does, unless readers are in the way for longer than a moment; say whether it is done."""
    return await _try_to_switch(connection, lambda: _show(connection, schema))


async def replace(connection: asyncpg.Connection, *, schema: str, by: str) -> None:
    """Put a finished rebuild in the place of the version it was built from, in one transaction."""

    async def change() -> None:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.execute(f"ALTER SCHEMA {by} RENAME TO {schema}")
        await _show(connection, schema)

    await _switch(connection, change)


async def _switch(connection: asyncpg.Connection, change: Callable[[], Awaitable[None]]) -> None:
    """Change the published views, as soon as nobody reads them."""
    while not await _try_to_switch(connection, change):  # noqa: ASYNC110 (readers are in other processes)
        await asyncio.sleep(random.uniform(0.5, 1.5) * SWITCH_LOCK_MS / 1000)  # noqa: S311 (jitter)


async def _try_to_switch(connection: asyncpg.Connection, change: Callable[[], Awaitable[None]]) -> bool:
    """Change the published views while nobody reads them.

    Readers lock views one by one, and so would this: to wait long for the rest while holding some would be a deadlock,
    which Postgres resolves by failing one side after a second. So this side gives up well before.
    """
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{SWITCH_LOCK_MS}ms'")
            views = await _names(connection, "public", kind="v", owned=True)
            if views:
                # Most readers look at `sync_state` first: held first, it keeps new ones out while the others finish.
                views.sort(key=lambda view: view != "sync_state")
                names = ", ".join(f'public."{view}"' for view in views)
                await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            await change()
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def _show(connection: asyncpg.Connection, schema: str) -> None:
    shown = await _names(connection, "public", kind="v", owned=True)
    statements = [
        *(f'DROP VIEW IF EXISTS public."{view}" CASCADE' for view in shown),
        *(
            f'CREATE VIEW public."{name}" AS SELECT * FROM {schema}."{name}"'  # noqa: S608 (our names)
            for name in await _names(connection, schema)
        ),
        *(as_of_function(FOLDED_BY_NAME[name]) for name in FIXED),
    ]
    await connection.execute(";".join(statements))


async def prune(connection: asyncpg.Connection) -> list[str]:
    """Delete the versions that readers do not see; give their names.

    What an interrupted rebuild or verification of the shown version left behind goes as well. A version whose indexer is
    active stays, with all that belongs to it: a newer one may be in the middle of building it.
    """
    shown = await published(connection)
    if shown is None:
        return []
    unused = [
        name
        for name in await versions(connection)
        if name != shown and not await _is_being_written(connection, _base(name))
    ]
    for name in unused:
        await drop(connection, name)
    return unused


async def _is_being_written(connection: asyncpg.Connection, schema: str) -> bool:
    """Return whether an indexer is active on a version; if not, none can be until the connection ends."""
    return not await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_key(schema))


def _base(name: str) -> str:
    """Return the version that a rebuild or a verification, which has a name of its own, is of."""
    return PREFIX + name.removeprefix(PREFIX).partition("_")[0]


def lock_key(schema: str) -> int:
    """Return the number of the advisory lock that the version's writer holds."""
    return int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], "big", signed=True)


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
