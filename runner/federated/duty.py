"""All learning sessions of one node: new ones from contract events, one task for each that is not over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import structlog
from web3.exceptions import Web3Exception

from protocol.chain import Chain
from protocol.content import ContentStore
from protocol.errors import ParityError
from protocol.files import FileStore
from protocol.session import federated_domain
from runner.federated.aggregating import Aggregator
from runner.federated.board import Board, Created
from runner.federated.diary import Diary, diary_path
from runner.federated.history import History
from runner.federated.papers import Papers
from runner.federated.ray_workshop import RayWorkshop
from runner.federated.work import SessionWork
from runner.federated.workshop import Workshop
from runner.heard import Heard
from runner.parts import Parts
from runner.settings import RunnerSettings

_CURSOR = "cursor"
_SILENT_BLOCKS = 16
"""Blocks without a new session before the cursor is written again."""

log = structlog.get_logger()


class LearningDuty:
    """Looks for sessions at each block, and works on those that are not over."""

    def __init__(self, parts: Parts, aggregator: Aggregator) -> None:
        self._parts = parts
        self._aggregator = aggregator
        self._working: set[bytes] = set()
        self._heard = aggregator.board.heard
        self._undone: int | None = None
        self._seen_block = self._written_block = parts.chain.deployment.start_block - 1

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        situation, fault = self._parts.situation, ""
        async with asyncio.TaskGroup() as group:
            while True:
                rings = situation.rings
                if situation.head_block >= 0:
                    try:
                        await self.look(situation.head_block)
                        fault = ""
                    except (ParityError, Web3Exception) as error:
                        if str(error) != fault:
                            log.warning("sessions_not_seen", error=str(error))
                        fault = str(error)
                    self._staff(group)
                await situation.news(since=rings)

    async def look(self, head: int) -> None:
        """Note the sessions created up to block `head`. `RpcUnavailable`."""
        chain, undone = self._parts.chain, self._heard.undone
        if self._undone is None:
            self._seen_block = int(self._aggregator.diary.fact(_CURSOR) or self._seen_block)
        first = self._seen_block + 1
        if self._undone != undone or first > head + 1:
            first = max(chain.deployment.start_block, min(first, head) - chain.network.finality_blocks)
        while first <= head:
            last = min(first + chain.network.max_log_blocks - 1, head)
            self._note(await self._aggregator.board.created(first, last), last)
            first = last + 1
        self._undone = undone

    def _note(self, found: list[Created], last: int) -> None:
        """Write down new sessions and, where there are none, now and then how far was looked."""
        diary = self._aggregator.diary
        for created in found:
            if diary.see(created):
                log.info("session_seen", session="0x" + created.session.hex(), block=created.block)
        if found or not 0 <= last - self._written_block < _SILENT_BLOCKS:
            diary.set_fact(_CURSOR, str(last))
            self._written_block = last
        self._seen_block = last

    def _staff(self, group: asyncio.TaskGroup) -> None:
        for entry in self._aggregator.diary.live():
            if entry.session not in self._working:
                self._working.add(entry.session)
                group.create_task(self._work(entry.session))

    async def _work(self, session: bytes) -> None:
        try:
            await SessionWork(self._parts, self._aggregator, session).run()
        finally:
            self._working.discard(session)


@asynccontextmanager
async def learning(
    settings: RunnerSettings,
    chain: Chain,
    store: ContentStore,
    *,
    journal: Path,
    heard: Heard,
    workshop: Workshop | None = None,
) -> AsyncIterator[Aggregator]:
    """Open the diary beside `journal`, and have a training process ready to be started, or a Ray cluster joined.

    `workshop` stands in for either. Raises `ConfigError` if there is no such cluster.
    """
    with closing(Diary.open(diary_path(journal))) as diary:
        address = settings.runner_ray_address
        async with workshop or (RayWorkshop(address) if address else Workshop()) as ready:
            yield aggregator_of(
                settings,
                chain,
                store,
                diary=diary,
                workshop=ready,
                folder=journal.parent,
                heard=heard,
            )


def aggregator_of(
    settings: RunnerSettings,
    chain: Chain,
    store: ContentStore,
    *,
    diary: Diary,
    workshop: Workshop,
    folder: Path,
    heard: Heard | None = None,
) -> Aggregator:
    """Put together what sessions need."""
    files = FileStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s)
    papers = Papers(store, files, folder=folder / "learning", private=settings.runner_private_data)
    chain_id, address = chain.deployment.chain_id, chain.federated.address
    history = History(papers, diary, workshop, f"{chain_id}/{address.lower()}")
    return Aggregator(Board(chain, heard), diary, history, federated_domain(chain_id, address))
