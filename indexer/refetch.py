"""Fetch the chain's logs anew and put what comes of them in the place of the index: what a node once left out is there this time."""

import asyncio

import asyncpg

from indexer import schema as versions
from indexer import service
from indexer.errors import IndexerError
from indexer.settings import IndexerSettings
from indexer.store import Store
from protocol.networks import network_of


async def rebuild_from_chain(settings: IndexerSettings) -> int:
    """Index the chain anew, up to its head, and replace the version; give the number of events.

    Readers see the old rows until the new ones take their place in one transaction. Raises `RpcUnavailable` or another
    `ChainError` when the node fails for good, `IndexerError` where there is nothing to replace: the old rows stay, and nothing
    is kept of the new ones.
    """
    deployment = settings.deployment()
    network, schema = network_of(deployment.chain_id), versions.version_of(deployment)
    shadow = f"{schema}_shadow"
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with service.connect_chain(settings, deployment, network) as chain:
            await service.check_chain(chain, deployment)
            if not await versions.exists(connection, schema):
                raise IndexerError("nothing is indexed yet", hint="Run `parity-indexer run` first.")
            await versions.drop(connection, shadow)
            await versions.create(connection, shadow, deployment)
            status = service.status_of(settings, network, shadow)
            begun = service.Service(
                settings, deployment, network, chain, status, asyncio.Event(), asyncio.Event(), shadow
            )
            async with Store.open(settings.database_url, shadow) as store:
                await begun.to_head(store)
            await versions.replace(connection, schema=schema, by=shadow)
    finally:
        await versions.drop(connection, shadow)
        await connection.close()
    return status.progress.events
