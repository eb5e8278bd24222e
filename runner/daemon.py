"""The daemon: watch, engine, heartbeat and one task for each job, in one task group. None waits for another.

The first SIGINT drains: what has a seat is finished, nothing new is claimed. A second one, or SIGTERM, stops at once,
which is safe at any moment: the journal and the chain hold all that the next start needs.
"""

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import replace

import structlog
from eth_account.signers.local import LocalAccount
from web3.exceptions import Web3Exception

from protocol.errors import ParityError
from runner.assembly import Duty, assemble, connected, duties
from runner.auditing.ballots import Ballots
from runner.errors import EngineError, ExecutionInvalid, JournalError
from runner.executors import Executor
from runner.federated.duty import learning
from runner.federated.workshop import Workshop
from runner.jobs import Stage
from runner.journal import DRAIN, HEARTBEAT, Journal, journal_path
from runner.monitoring.openings import Openings
from runner.monitoring.opinion import Opinion
from runner.parts import Parts
from runner.profile import offers_of, profile_of
from runner.settings import RunnerSettings
from runner.streaming.serving import tabs_path
from runner.streaming.tabs import Tabs
from runner.watch import Watch
from runner.window import open_window
from runner.work import Work

ENGINE_INTERVAL_S = 5.0
_START_INTERVAL_S = 0.2

log = structlog.get_logger()


class _Stop(Exception):
    """Ends the task group."""


async def run_daemon(
    settings: RunnerSettings,
    account: LocalAccount,
    *,
    executor: Executor | None = None,
    opinion: Opinion | None = None,
    workshop: Workshop | None = None,
) -> None:
    """Run until drained or stopped. `ConfigError`, `JournalError` or `WrongChain` say why it cannot start.

    `executor`, `opinion` and `workshop` stand in for the engine's own, the honest monitor's and the training process.
    """
    deployment = settings.deployment()
    path = journal_path(
        settings.home,
        chain_id=deployment.chain_id,
        genesis_hash=deployment.genesis_hash,
        node=account.address,
    )
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal.open(path))
        journal.set_fact(DRAIN, "")
        chain = await stack.enter_async_context(connected(settings))
        parts = await assemble(settings, chain=chain, journal=journal, account=account, executor=executor)
        log.info("started", node=parts.node, owner=parts.terms.owner, live=len(journal.live()))
        if settings.webhook_port:
            window = open_window(parts, port=settings.webhook_port, secret=settings.webhook_secret())
            await stack.enter_async_context(window)
        if settings.runner_learning:
            work = learning(
                settings, chain, parts.store, journal=path, heard=parts.situation.heard, workshop=workshop
            )
            parts = replace(parts, aggregator=await stack.enter_async_context(work))
        tabs = stack.enter_context(closing(Tabs.open(tabs_path(path)))) if settings.runner_port else None
        await Daemon(parts, beside=list(duties(parts, account, tabs=tabs, opinion=opinion))).run()


class Daemon:
    """The tasks of one running daemon."""

    def __init__(self, parts: Parts, *, beside: Sequence[Duty] = ()) -> None:
        self._parts = parts
        self._beside = beside
        self._stopped = asyncio.Event()
        self._working: set[bytes] = set()
        self._publisher = parts.publisher()
        self._profile_fault: str | None = None
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Run until drained or stopped. `JournalError` when the journal cannot be written any more."""
        fault: sqlite3.Error | None = None
        try:
            with _signals(self._interrupt, self._stop):
                await self._all()
        except* _Stop:
            log.info("stopped", live=len(self._parts.journal.live()))
        except* sqlite3.Error as group:
            fault = next(error for error in group.exceptions if isinstance(error, sqlite3.Error))
        if fault is not None:
            raise JournalError(
                f"the journal in {self._parts.settings.home} cannot be used any more ({fault})",
                hint="Check disk space and start again: what was promised before is safe.",
            ) from fault

    async def _all(self) -> None:
        parts = self._parts
        async with asyncio.TaskGroup() as group:
            group.create_task(self._until_stopped())
            group.create_task(Watch(parts.chain, parts.journal, parts.situation).run())
            group.create_task(self._follow_engine())
            group.create_task(self._heartbeat())
            group.create_task(self._staff(group))
            for part in self._beside:
                group.create_task(part())

    def drain(self) -> None:
        """Claim nothing more, and stop when what has a seat is settled."""
        if not self._parts.situation.draining:
            self._parts.situation.draining = True
            log.info("draining", jobs=self._unfinished())

    def _interrupt(self) -> None:
        if self._parts.situation.draining:
            self._stop()
        else:
            self.drain()

    def _stop(self) -> None:
        self._stopped.set()

    async def _until_stopped(self) -> None:
        await self._stopped.wait()
        raise _Stop

    async def _staff(self, group: asyncio.TaskGroup) -> None:
        """Give each live job a task of its own; stop when drained."""
        situation, journal = self._parts.situation, self._parts.journal
        while True:
            rings = situation.rings
            if journal.fact(DRAIN):
                self.drain()
            for job in journal.live():
                if job.task_id not in self._working:
                    self._working.add(job.task_id)
                    group.create_task(self._work(job.task_id))
            if situation.draining and not self._unfinished():
                self._stop()
            await situation.news(since=rings)

    async def _work(self, task_id: bytes) -> None:
        try:
            await Work(self._parts, task_id).run()
        finally:
            self._working.discard(task_id)

    def _unfinished(self) -> int:
        seats = sum(job.stage is not Stage.WAITING for job in self._parts.journal.live())
        # A sealed vote that is never opened costs stake, and a sealed report score: there is no stopping before they are.
        votes = Ballots(self._parts.journal).due() if self._parts.settings.runner_auditing else 0
        reports = len(Openings(self._parts.journal).due()) if self._parts.settings.runner_monitoring else 0
        sessions = self._parts.aggregator.diary.joined() if self._parts.aggregator else 0
        return seats + votes + reports + sessions

    async def _follow_engine(self) -> None:
        """Keep the offers equal to what the engine has, and the published profile equal to the offers."""
        while True:
            await self._ask_engine()
            fault = await self._publish()
            if fault and fault != self._profile_fault:
                log.warning("profile_not_published", error=fault)
            self._profile_fault = fault
            started = self._parts.situation.head_block >= 0
            await asyncio.sleep(ENGINE_INTERVAL_S if started else _START_INTERVAL_S)

    async def _ask_engine(self) -> None:
        situation = self._parts.situation
        try:
            offers = offers_of(await self._parts.executor.models(), self._parts.settings)
        except (EngineError, ExecutionInvalid) as error:
            if situation.engine_fault != str(error):
                log.warning("engine_unavailable", error=str(error))
            situation.engine_fault = str(error)
            return
        if situation.engine_fault:
            log.info("engine_ready", models=[offer.name for offer in offers.values()])
        situation.engine_fault, situation.offers = None, offers
        await situation.ring()

    async def _publish(self) -> str | None:
        """Publish what is offered, once the chain's side of it is known; give what kept it from being done."""
        situation = self._parts.situation
        if situation.head_block < 0 or not (situation.offers or self._works_without_models()):
            return None
        try:
            commands = self._parts.commands.offer if self._parts.commands else None
            profile = profile_of(situation.offers.values(), self._parts.settings, commands=commands)
            await self._publisher.publish(profile)
        except (ParityError, Web3Exception) as error:
            return str(error)
        return None

    def _works_without_models(self) -> bool:
        """Return whether there is anything to offer while the engine, which had its time to start, has no model."""
        settings = self._parts.settings
        other_work = self._parts.commands is not None or settings.runner_learning
        return other_work and time.monotonic() - self._begun > settings.runner_engine_patience_s

    async def _heartbeat(self) -> None:
        """Write how things stand: as soon as the chain is seen and something is offered, and then at intervals."""
        situation = self._parts.situation
        while situation.head_block < 0 or not situation.offers:
            self._beat(log.debug)
            await situation.news(since=situation.rings)
        while True:
            self._beat(log.info)
            await asyncio.sleep(self._parts.settings.runner_heartbeat_interval_s)

    def _beat(self, say: Callable[..., object]) -> None:
        facts = self._facts()
        say("heartbeat", **facts)
        self._parts.journal.set_fact(HEARTBEAT, json.dumps(facts | {"pid": os.getpid(), "at": time.time()}))

    def _facts(self) -> dict[str, object]:
        situation, journal = self._parts.situation, self._parts.journal
        return {
            "owner": self._parts.terms.owner,
            "head_block": situation.head_block,
            "engine": situation.engine_fault or "ready",
            "models": sorted(situation.offers),
            "training": self._training(),
            "slots": self._parts.settings.runner_slots,
            "busy": journal.slots_held(),
            "live": len(journal.live()),
            "draining": situation.draining,
        }

    def _training(self) -> str:
        aggregator = self._parts.aggregator
        return "off" if aggregator is None else aggregator.fault or "ready"


@contextmanager
def _signals(interrupt: Callable[[], None], terminate: Callable[[], None]) -> Iterator[None]:
    """Handle SIGINT and SIGTERM while the block runs."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)
