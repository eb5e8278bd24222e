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
from runner.federated.board import Board
from runner.federated.diary import Diary, diary_path
from runner.federated.history import History
from runner.federated.papers import Papers
from runner.federated.ray_workshop import RayWorkshop
from runner.federated.work import SessionWork
from runner.federated.workshop import Workshop
from runner.parts import Parts
from runner.settings import RunnerSettings

_CURSOR = "cursor"

log = structlog.get_logger()


class LearningDuty:
    """Looks for sessions at each block, and works on those that are not over."""

    def __init__(self, parts: Parts, aggregator: Aggregator) -> None:
        self._parts = parts
        self._aggregator = aggregator
        self._working: set[bytes] = set()
        self._first_look = True

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
        chain, diary = self._parts.chain, self._aggregator.diary
        start = chain.deployment.start_block
        first = int(diary.fact(_CURSOR) or start - 1) + 1
        if self._first_look or first > head + 1:
            first = max(start, min(first, head) - chain.network.finality_blocks)
        while first <= head:
            last = min(first + chain.network.max_log_blocks - 1, head)
            for created in await self._aggregator.board.created(first, last):
                if diary.see(created):
                    log.info("session_seen", session="0x" + created.session.hex(), block=created.block)
            diary.set_fact(_CURSOR, str(last))
            first = last + 1
        self._first_look = False

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
    settings: RunnerSettings, chain: Chain, store: ContentStore, *, journal: Path
) -> AsyncIterator[Aggregator]:
    """Open the diary beside `journal`, and have a training process ready to be started, or a Ray cluster joined.

    Raises `ConfigError` if there is no such cluster.
    """
    with closing(Diary.open(diary_path(journal))) as diary:
        address = settings.runner_ray_address
        async with RayWorkshop(address) if address else Workshop() as workshop:
            yield aggregator_of(settings, chain, store, diary=diary, workshop=workshop, folder=journal.parent)


def aggregator_of(
    settings: RunnerSettings,
    chain: Chain,
    store: ContentStore,
    *,
    diary: Diary,
    workshop: Workshop,
    folder: Path,
) -> Aggregator:
    """Put together what sessions need."""
    files = FileStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s)
    papers = Papers(store, files, folder=folder / "learning", private=settings.runner_private_data)
    chain_id, address = chain.deployment.chain_id, chain.federated.address
    history = History(papers, diary, workshop, f"{chain_id}/{address.lower()}")
    return Aggregator(Board(chain), diary, history, federated_domain(chain_id, address))
