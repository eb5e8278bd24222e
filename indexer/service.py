"""One indexer process: waits for the writer's lock, catches up, follows, and tells how it fares."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

import asyncpg
import structlog

from indexer import heads
from indexer import schema as versions
from indexer.backfill import backfill
from indexer.chain import ChainReader
from indexer.errors import DifferentChain, FoldError, InconsistentChain, IndexerError
from indexer.events import EventBook, address_bytes
from indexer.follow import DeepReorg, Follower
from indexer.head_start import HeadStart
from indexer.http import Status, serve
from indexer.lock import watch, writer_lock
from indexer.outages import ride_out
from indexer.patience import FIRST_PAUSE_S, Patience
from indexer.progress import Progress
from indexer.refold import rebuild
from indexer.rpc.classify import RpcError
from indexer.rpc.wire import hexed
from indexer.settings import IndexerSettings
from indexer.store import Store
from protocol.deployment import Deployment
from protocol.errors import ChainError, RpcUnavailable, WrongChain
from protocol.networks import Network, network_of

log = structlog.get_logger()

LONGEST_POLL_S = 3.0
STALE_AFTER_POLLS = 20
HANDOVER_BLOCKS = 16
"""Gap that is left to following rather than made another bulk of."""


@dataclass(slots=True)
class Service:
    """The parts of one process, and how they work together. `documents` wakes the worker that fetches them."""

    settings: IndexerSettings
    deployment: Deployment
    network: Network
    chain: ChainReader
    status: Status
    wake: asyncio.Event
    documents: asyncio.Event
    schema: str
    patience: Patience = field(default_factory=Patience)
    head_start: HeadStart | None = None

    @property
    def poll_s(self) -> float:
        """Seconds between looks at the head without an announcement."""
        return min(LONGEST_POLL_S, 2 * self.network.block_time_s)

    async def index(self) -> None:
        """Index for ever. A reorganisation below the finalised block is folded anew from the stored logs."""
        is_deep = False
        while True:
            try:
                if is_deep:
                    await self._refold()
                    is_deep = False
                async with Store.open(self.settings.database_url, self.schema) as store:
                    await self._index(store)
            except DeepReorg as error:
                log.error("deep-reorg", why=str(error), remedy="rebuilding from the stored logs")  # noqa: TRY400
                is_deep = True
            except (RpcUnavailable, InconsistentChain, RpcError, FoldError) as error:
                self._failed(error)
                await asyncio.sleep(self.patience.pause_s(error, indexed=self.status.indexed_number))

    async def _index(self, store: Store) -> None:
        follower = await self.to_head(store)
        is_shown = await self._publish(store)
        self.documents.set()
        while True:
            await self._step(follower)
            # A reader that takes long keeps the old version shown, but the chain does not wait for it.
            is_shown = is_shown or await self._publish(store)

    async def to_head(self, store: Store) -> Follower:
        """Bring the tables from wherever they are to the head of the chain, or close behind; gives what follows it from there."""
        await self._anchor(store)
        await self._catch_up(store)
        follower = Follower(
            store=store,
            chain=self.chain,
            book=EventBook.of(self.deployment),
            finality_blocks=self.network.finality_blocks,
            is_local=self.deployment.local,
            progress=self.status.progress,
        )
        await follower.restore()
        while not await self._step(follower) or self.status.lag_blocks > HANDOVER_BLOCKS:
            pass
        return follower

    async def _step(self, follower: Follower) -> bool:
        """Take one step; False when the node changed its mind in the middle of it, and the next will see it settled."""
        try:
            advanced = await follower.step()
        except InconsistentChain as error:
            self._failed(error)
            await asyncio.sleep(FIRST_PAUSE_S)
            return False
        self.patience.succeeded()
        await self._note(follower.store, phase="live")
        if advanced:
            self.documents.set()
        else:
            await heads.wait(self.wake, at_most_s=self.poll_s)
        return True

    async def _anchor(self, store: Store) -> None:
        cursor = await store.cursor()
        if cursor.indexed_hash is None:
            before = await self.chain.last_until(max(0, cursor.start_block - 1))
            await store.anchor(before)

    async def _catch_up(self, store: Store) -> None:
        """Index what is final in bulk, unless the stored tip left the chain: then following undoes it first.

        What became final during the last bulk is left to following when it is little: a machine that only just keeps up
        with the chain would else go on in bulks of a block or two, and never be live.
        """
        enough = 0
        while True:
            cursor = await store.cursor()
            final = await self.chain.final_height(self.network.finality_blocks)
            tip = await store.tip(cursor)
            if final - cursor.indexed_number <= enough:
                break
            # A node that is not as far as it said raises here, before anything is taken for final.
            now_at_tip, _ = await self.chain.headers([tip.number, final])
            if now_at_tip != tip:
                break
            self.status.phase = "backfill"
            await self._note(store, phase="backfill")
            await backfill(
                store,
                self.chain,
                EventBook.of(self.deployment),
                last_block=final,
                progress=self.status.progress,
                head_start=self.head_start,
            )
            enough = HANDOVER_BLOCKS
        await versions.create_indexes(store.writer, store.reader, self.schema)

    async def _publish(self, store: Store) -> bool:
        """Show this version, unless readers of another are in the way; say whether it is shown."""
        before = await versions.published(store.writer)
        if before == self.schema:
            return True
        if not await versions.publish_between_readers(store.writer, self.schema):
            log.info("not-published", schema=self.schema, why="readers hold the views", shown=before)
            return False
        log.info("published", schema=self.schema, instead_of=before)
        return True

    async def _refold(self) -> None:
        self.status.phase = "refold"
        async with Store.open(self.settings.database_url, self.schema) as store:
            await store.enter_phase("refold")
            ancestor = await self._deep_ancestor(store)
            if ancestor >= (await store.cursor()).finalized_number:
                log.warning("no-deep-reorg", why="the node knows the finalised block after all")
                await asyncio.sleep(FIRST_PAUSE_S)
                return
        await rebuild(self.settings.database_url, self.deployment, schema=self.schema, upto=ancestor)

    async def _deep_ancestor(self, store: Store) -> int:
        """Return the newest stored block that is still on the chain, or the one before the first to index."""
        cursor = await store.cursor()
        for block in await store.stored_blocks():
            if await self.chain.header_of(block.hash) and await self.chain.header_at(block.number) == block:
                return block.number
        return cursor.start_block - 1

    def _failed(self, error: ChainError | IndexerError) -> None:
        self.status.progress.failures += 1
        self.status.problem = str(error)
        log.warning("step-failed", why=str(error), hint=error.hint)

    async def _note(self, store: Store, *, phase: str) -> None:
        cursor = store.at or await store.cursor()
        status = self.status
        status.phase = phase
        status.head_number = max(cursor.head_number, cursor.indexed_number)
        status.indexed_number = cursor.indexed_number
        status.finalized_number = cursor.finalized_number
        status.reorgs = cursor.reorgs
        status.last_reorg_depth = cursor.last_reorg_depth
        status.range_blocks = self.chain.ranges.blocks
        status.rpc_requests = self.chain.pool.requests
        status.problem = None
        status.seen_at = time.monotonic()


def status_of(settings: IndexerSettings, network: Network, schema: str) -> Status:
    """Return the state of a process that is about to begin."""
    return Status(
        ready_lag_blocks=settings.indexer_ready_lag,
        stale_after_s=STALE_AFTER_POLLS * min(LONGEST_POLL_S, 2 * network.block_time_s),
        progress=Progress(),
        schema=schema,
    )


async def run(settings: IndexerSettings, *, reset: bool = False) -> None:
    """Run until cancelled. `reset` drops what the database holds of another chain with this chain id."""
    deployment = settings.deployment()
    network = network_of(deployment.chain_id)
    schema = versions.version_of(deployment)
    status = status_of(settings, network, schema)
    wake = asyncio.Event()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serve(status, host=settings.indexer_host, port=settings.indexer_port))
        # A standby has everything open already: when the lock is its own, only the state is left to be read.
        chain = await stack.enter_async_context(connect_chain(settings, deployment, network))
        await check_chain(chain, deployment)
        service = Service(settings, deployment, network, chain, status, wake, asyncio.Event(), schema)
        await ride_out(
            partial(_write, service, reset=reset), database_url=settings.database_url, status=status
        )


async def _write(service: Service, *, reset: bool) -> None:
    """Index as the database's one writer, once no other is."""
    settings = service.settings
    service.status.phase = "standby"
    async with writer_lock(settings.database_url, service.schema) as lost:
        first, finality_blocks = service.deployment.start_block, service.network.finality_blocks
        async with HeadStart(service.chain, first=first, finality_blocks=finality_blocks) as head_start:
            service.head_start = head_start
            await prepare(
                settings.database_url,
                service.deployment,
                schema=service.schema,
                reset=reset,
                meanwhile=head_start.begin,
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(watch(lost))
                group.create_task(heads.announce(settings.rpc_urls[0], service.wake))
                group.create_task(_fetch_documents(settings, service.documents))
                group.create_task(service.index())


async def _fetch_documents(settings: IndexerSettings, wake: asyncio.Event) -> None:
    """Fetch documents once the index is live: until then nobody reads them, and the chain comes first."""
    await wake.wait()
    # Models of all documents take long to load: on a thread of its own, since new blocks and probes do not wait for them.
    await asyncio.to_thread(import_module, "indexer.documents")
    from indexer.documents import DocumentWorker  # noqa: PLC0415
    from protocol.content import IpfsStore  # noqa: PLC0415

    store = IpfsStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s)
    async with DocumentWorker.open(settings.database_url, store, wake=wake) as worker:
        await worker.run()


def connect_chain(
    settings: IndexerSettings, deployment: Deployment, network: Network
) -> AbstractAsyncContextManager[ChainReader]:
    """Open a reader of the deployment's logs on the endpoints of the settings."""
    return ChainReader.connect(
        settings.rpc_urls,
        EventBook.of(deployment).addresses,
        blooms=network.blooms,
        timeout_s=network.rpc_timeout_s,
        max_log_blocks=network.max_log_blocks,
        requests_per_s=settings.requests_per_s,
    )


async def check_chain(chain: ChainReader, deployment: Deployment) -> None:
    """Refuse a node that serves another chain than the deployment is on."""
    chain_id = await chain.chain_id()
    if chain_id != deployment.chain_id:
        raise WrongChain(
            f"the node serves chain {chain_id}, the deployment is on {deployment.chain_id}",
            hint="Set FILECOIN_RPC and FILECOIN_CHAIN_ID to the same chain.",
        )
    genesis = await chain.header_at(0)
    if genesis is None or hexed(genesis.hash) != deployment.genesis_hash:
        raise WrongChain(
            f"the node's block 0 is not the deployment's {deployment.genesis_hash}: the chain was reset",
            hint="Deploy again with `ape run deploy`, then start the indexer with --reset.",
        )


async def prepare(
    database_url: str, deployment: Deployment, *, schema: str, reset: bool, meanwhile: Callable[[], None]
) -> None:
    """Make this version's schema if it is new, and show it if nothing is shown yet.

    `meanwhile` is called before the database makes the tables of a new schema, which takes it a while. Raises `DifferentChain` when the database holds an index of another chain with the same id, unless `reset`.
    """
    # What a crash of the database's machine takes back is made again: whatever was written later goes with it.
    connection = await asyncpg.connect(database_url, server_settings={"synchronous_commit": "off"})
    try:
        for other in await versions.versions(connection):
            try:
                genesis = await connection.fetchval(
                    f"SELECT genesis_hash FROM {other}.sync_state WHERE chain_id = $1",  # noqa: S608 (our names)
                    deployment.chain_id,
                )
            except asyncpg.UndefinedTableError:
                continue  # a verification that ended, or a prune, dropped it meanwhile
            if genesis is None or genesis == address_bytes(deployment.genesis_hash):
                continue
            if not reset:
                raise DifferentChain(
                    f"the database holds an index of another chain {deployment.chain_id}, with block 0 {hexed(genesis)}",
                    hint="If the chain was reset, start with --reset: it drops that index and builds a new one.",
                )
            await versions.drop(connection, other)
        if not await versions.exists(connection, schema):
            meanwhile()
            await versions.create(connection, schema, deployment)
        if await versions.published(connection) is None:
            await versions.publish(connection, schema)
    finally:
        await connection.close()
