"""One task's way through `runner.life`: ask the chain, do the step that is missing, wait for news, again until it is over.

Each step may be cut off between any two lines. What was promised is in the journal, what has happened is on the chain.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from web3.exceptions import Web3Exception

from protocol.enums import SeatState
from protocol.errors import (
    ChainError,
    ContentError,
    ParityError,
    RpcUnavailable,
    TransactionReverted,
)
from runner.candidacy import Candidacy
from runner.errors import EngineError, ExecutionInvalid, SandboxUnavailable
from runner.executors import Execution
from runner.jobs import Job, Stage
from runner.life import Decision, Step, View, next_step
from runner.parts import Parts

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_STORED = frozenset({Stage.STORED, Stage.COMMITTING, Stage.COMMITTED, Stage.REVEALING, Stage.REVEALED})
_UNRECORDED = {
    (Stage.COMMITTING, SeatState.COMMITTED): Stage.COMMITTED,
    (Stage.REVEALING, SeatState.REVEALED): Stage.REVEALED,
}
"""Transactions that were mined before this process, or the one before it, could write that down."""

log = structlog.get_logger()


class Work:
    """The work on one task."""

    def __init__(self, parts: Parts, task_id: bytes) -> None:
        self._parts = parts
        self._task_id = task_id
        self._candidacy = Candidacy(parts, task_id)
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = 0.0
        self._steps: dict[Step, Callable[[Job, View], Awaitable[bool]]] = {
            Step.CLAIM: self._candidacy.pursue,
            Step.EXECUTE: self._execute,
            Step.STORE: self._store,
            Step.COMMIT: self._commit,
            Step.REVEAL: self._reveal,
            Step.ADVANCE: self._advance,
            Step.END: self._end,
        }

    async def run(self) -> None:
        """Work on the task until it is over."""
        with structlog.contextvars.bound_contextvars(task_id="0x" + self._task_id.hex()):
            while not self._parts.journal.job(self._task_id).stage.is_over:
                rings = self._parts.situation.rings
                if not await self._guarded_step():
                    await self._parts.situation.news(since=rings)
        if self._parts.commands is not None:
            self._parts.commands.forget(self._task_id)

    async def step(self) -> bool:
        """Do the one step that is missing; say whether another may follow at once.

        Raises `ParityError` for whatever kept it from being done.
        """
        view = await self._parts.escrow.view(self._task_id, node=self._parts.node)
        job = self._reconcile(self._parts.journal.job(self._task_id), view)
        decision = next_step(job, view, node=self._parts.node, stored=job.stage in _STORED)
        if decision.step is Step.DROP:
            return self._drop(decision)
        if decision.step is Step.WAIT:
            self._parts.journal.explain(self._task_id, decision.reason)
            return False
        return await self._steps[decision.step](job, view)

    async def _guarded_step(self) -> bool:
        if time.monotonic() < self._not_before:
            return False
        try:
            moved = await self.step()
        except (RpcUnavailable, Web3Exception) as error:
            log.debug("chain_unavailable", error=str(error))  # the watch says so once for all tasks
            return False
        except ParityError as error:
            log.warning("step_failed", error=str(error))
            return self._hold(str(error))
        except Exception:
            # A border: a fault of ours over one task must not stop the work on the others.
            log.exception("step_broke")
            return self._hold("internal error; see the log")
        self._pause_s = _FIRST_PAUSE_S if moved else self._pause_s
        return moved

    def _hold(self, reason: str) -> bool:
        """Leave the task alone for a while that doubles each time."""
        self._parts.journal.explain(self._task_id, reason)
        self._not_before = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        return False

    def _reconcile(self, job: Job, view: View) -> Job:
        """Bring the journal's seat and ending in line with the chain, which a reorganisation may have changed."""
        journal = self._parts.journal
        if view.own is not None and job.seat != view.own.index:
            journal.seated(job.task_id, view.own.index)
            log.info("seated", seat=view.own.index)
        elif view.own is None and job.seat is not None:
            journal.unseated(job.task_id, "a reorganisation undid the claim")
            log.warning("claim_undone")
        elif view.own is not None and (behind := _UNRECORDED.get((job.stage, view.own.state))):
            journal.move(job.task_id, behind)
        if job.ended_block is not None and not view.status.is_terminal:
            journal.reopen(job.task_id)
        return journal.job(job.task_id)

    def _drop(self, decision: Decision) -> bool:
        log.info("dropped", reason=decision.reason)
        self._parts.journal.move(self._task_id, Stage.DROPPED, decision.reason)
        return True

    async def _execute(self, job: Job, _view: View) -> bool:
        outcome = await self._while_wanted(self._outcome(job))
        if isinstance(outcome, Execution):
            self._parts.journal.promise(job.task_id, outcome)
            log.info("executed", input_tokens=outcome.input_tokens, output_tokens=outcome.output_tokens)
            return True
        if outcome is None:
            return True
        raise outcome

    async def _outcome(self, job: Job) -> Execution | ParityError | None:
        try:
            spec = await self._candidacy.spec(job)
            if spec is None:
                return None
            return await self._parts.execute(spec, job)
        except (EngineError, ExecutionInvalid, SandboxUnavailable, ContentError) as error:
            return error

    async def _while_wanted(
        self, work: Awaitable[Execution | ParityError | None]
    ) -> Execution | ParityError | None:
        """Do the work, but no longer than somebody waits for it."""
        async with asyncio.TaskGroup() as group:
            doing = group.create_task(_as_coroutine(work))
            watching = group.create_task(self._until_unwanted())
            await asyncio.wait((doing, watching), return_when=asyncio.FIRST_COMPLETED)
            finished = doing.done()
            doing.cancel()
            watching.cancel()
        return doing.result() if finished else None

    async def _until_unwanted(self) -> None:
        rings = self._parts.situation.rings
        while True:
            await self._parts.situation.news(since=rings)
            rings = self._parts.situation.rings
            try:
                view = await self._parts.escrow.view(self._task_id, node=self._parts.node)
            except (ChainError, Web3Exception):
                continue
            job = self._parts.journal.job(self._task_id)
            if next_step(job, view, node=self._parts.node, stored=False).step is not Step.EXECUTE:
                log.warning("execution_abandoned", status=view.status.name.lower())
                return

    async def _store(self, job: Job, _view: View) -> bool:
        assert job.result is not None
        if job.fingerprint is not None:
            await self._parts.store.add(job.fingerprint)
        await self._parts.store.add(job.result)
        self._parts.journal.move(job.task_id, Stage.STORED)
        return True

    async def _commit(self, job: Job, view: View) -> bool:
        assert view.own is not None
        commitment = job.commitment_of(self._parts.node)
        assert commitment is not None
        call = self._parts.chain.escrow.functions.commit(job.task_id, view.own.index, commitment)
        await self._parts.send(job, call, before=Stage.COMMITTING, label="commit")
        self._parts.journal.move(job.task_id, Stage.COMMITTED)
        return True

    async def _reveal(self, job: Job, view: View) -> bool:
        assert view.own is not None
        opening = job.opening
        assert opening is not None
        call = self._parts.chain.escrow.functions.reveal(job.task_id, view.own.index, opening.as_tuple())
        await self._parts.send(job, call, before=Stage.REVEALING, label="reveal")
        self._parts.journal.move(job.task_id, Stage.REVEALED)
        return True

    async def _advance(self, job: Job, _view: View) -> bool:
        try:
            await self._parts.send(
                job,
                self._parts.chain.escrow.functions.advance(job.task_id),
                before=job.stage,
                label="advance",
            )
        except TransactionReverted as error:
            log.info("advance_refused", error=error.name)  # another seat was quicker
            return False
        return True

    async def _end(self, job: Job, view: View) -> bool:
        journal = self._parts.journal
        if job.ended_block is None:
            ending = await self._parts.escrow.ending(job.task_id, owner=self._parts.terms.owner, view=view)
            journal.end(
                job.task_id, status=view.status, block=ending.block, paid=ending.paid, slashed=ending.slashed
            )
            return True
        if view.head_block < job.ended_block + self._parts.chain.network.confirmations:
            journal.explain(job.task_id, "settled; waiting for confirmations")
            return False
        journal.move(job.task_id, Stage.SETTLED, f"the task is {view.status.name.lower()}")
        log.info("settled", status=view.status.name.lower(), paid=job.paid, slashed=job.slashed)
        return True


async def _as_coroutine(
    work: Awaitable[Execution | ParityError | None],
) -> Execution | ParityError | None:
    return await work
