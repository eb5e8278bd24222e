"""`parity-indexer run` as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from protocol.deployment import Deployment, save_deployment

# Small transactions, so that a kill finds many boundaries in a short chain.
_MANY_COMMITS = (
    "import indexer.backfill as b; b.BATCH_EVENTS = b.IDLE_BATCH_EVENTS = 20; import indexer.rpc.ranges as r; r.START_BLOCKS = 4;"
    " from indexer.__main__ import main; main()"
)


def environment(*, database_url: str, rpc_url: str, deployment: Deployment, folder: Path) -> dict[str, str]:
    save_deployment(deployment, folder=folder)
    return {
        "DATABASE_URL": database_url,
        "FILECOIN_RPC": rpc_url,
        "FILECOIN_CHAIN_ID": str(deployment.chain_id),
        "DEPLOYMENTS_DIR": str(folder),
        "INDEXER_PORT": "0",
        "IPFS_API": "/ip4/127.0.0.1/tcp/1/http",
    }


@asynccontextmanager
async def indexer_process(
    settings: Mapping[str, str], *arguments: str, before: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `parity-indexer` with arguments (default: run); it is killed at the end of the block if it still runs.

    `before` is Python that the process runs first.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{before}\n{_MANY_COMMITS}",
        *(arguments or ("run",)),
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def wait_until_indexed(database_url: str, schema: str, *, block_hash: bytes) -> None:
    """Wait until the version's cursor is at the block."""
    connection = await asyncpg.connect(database_url)
    try:
        while True:
            with suppress(asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
                found = await connection.fetchval(f"SELECT indexed_hash FROM {schema}.sync_state")
                if found == block_hash:
                    return
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def nonce_of(database_url: str, schema: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        with suppress(asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            nonce: int = await connection.fetchval(f"SELECT nonce FROM {schema}.sync_state")
            return nonce
        return -1
    finally:
        await connection.close()
