"""From first sight of a task to its claim: everything that may speak against it is checked before a seat is taken."""

import time

import structlog

from protocol.documents import CommandSpec, FederatedAggregation, LlmSpec, parse_document
from protocol.errors import (
    ContentMismatch,
    ContentTooLarge,
    ContentUnavailable,
    InputError,
    TransactionReverted,
)
from runner.admission import Cause, Circumstances, Refusal, check_command, check_order, check_spec
from runner.claiming import Contender, next_turn
from runner.errors import EngineError, ExecutionInvalid
from runner.jobs import Job, Stage
from runner.life import View
from runner.parts import Parts
from runner.profile import offers_of

Spec = LlmSpec | CommandSpec | FederatedAggregation

HOPELESS = frozenset({"RunnerImmature", "RunnerUnknown", "RunnerRetired", "TaskSelfDealing"})
"""Reverts of `claim` that waiting does not cure."""
QUIET = frozenset(
    {
        "TaskWrongStatus",
        "TaskDeadline",
        "TaskAlreadySeated",
        "TaskNotEligible",
        "TaskNotSeeded",
        "WalletInsufficient",
    }
)
"""Reverts of `claim` that belong to ordinary life: somebody was quicker, or it is too early."""
_LONGEST_PAUSE_S = 15.0

log = structlog.get_logger()


class Candidacy:
    """One task that has no seat of ours yet."""

    def __init__(self, parts: Parts, task_id: bytes) -> None:
        self._parts = parts
        self._task_id = task_id
        self._fetch_at = 0.0
        self._fetch_pause_s = 0.5

    async def pursue(self, job: Job, view: View) -> bool:
        """Do what can be done at this block; say whether the job moved.

        Raises `RpcUnavailable`, `TransactionTimeout`, `InsufficientFunds`.
        """
        if self._parts.situation.draining:
            return self._wait("draining: no new claims")
        refusal, spec = await self._examine(job, view)
        if refusal:
            return self._refuse(job, refusal)
        if spec is None or not await self._turn_has_come(job, view):
            return False
        if await self._is_barred(view) or not await self._is_able(job, spec):
            return False
        # No await between the count and the claim's entry in the journal, or two tasks would take one slot.
        slots = self._parts.settings.runner_slots
        if job.stage is not Stage.CLAIMING and self._parts.journal.slots_held() >= slots:
            return self._wait(f"no free slot of {slots}")
        return await self._claim(job)

    async def _is_barred(self, view: View) -> bool:
        """Say whether a ban or a suspension keeps this node from claiming in the next block; the log tells once."""
        until = await self._parts.escrow.barred_until(self._parts.node)
        if view.head_block + 1 >= until:
            return False
        if self._parts.situation.barred_until_block != until:
            self._parts.situation.barred_until_block = until
            log.warning("barred", until_block=until)
        self._wait(f"this runner is banned or suspended until block {until}")
        return True

    async def _examine(self, job: Job, view: View) -> tuple[Refusal | None, Spec | None]:
        terms = self._parts.terms
        now = await self._circumstances(job, view)
        aggregator = self._parts.aggregator
        order = aggregator.attributed(job.order) if aggregator else job.order
        refusal = check_order(order, terms=terms, now=now)
        if refusal:
            return refusal, None
        spec = await self.spec(job)
        if spec is None or isinstance(spec, FederatedAggregation):
            return None, spec
        if isinstance(spec, LlmSpec):
            offers = self._parts.situation.offers
            return check_spec(spec, job.order, offers=offers, terms=terms, now=now), spec
        commands = self._parts.commands
        refusal = check_command(
            spec,
            job.order,
            offer=commands.offer if commands else None,
            most_content=self._parts.settings.runner_command_content_mib << 20,
            terms=terms,
            now=now,
        )
        return refusal, spec

    async def spec(self, job: Job) -> Spec | None:
        """Fetch and check the spec, at growing intervals; `None` when it cannot be had yet, or was refused."""
        content = job.spec
        if content is None:
            if time.monotonic() < self._fetch_at:
                return None
            try:
                content = await self._content(job)
            except ContentUnavailable as error:
                self._pause()
                self._wait(f"{Cause.SPEC}: {error}")
                return None
            except (ContentMismatch, ContentTooLarge) as error:
                self._refuse(job, Refusal(cause=Cause.SPEC, detail=str(error)))
                return None
        try:
            document = parse_document(content)
        except (InputError, ContentTooLarge) as error:
            self._refuse(job, Refusal(cause=Cause.SPEC, detail=str(error)))
            return None
        known = not isinstance(document, FederatedAggregation) or self._parts.aggregator is not None
        if not known or not isinstance(document, Spec):
            self._refuse(
                job, Refusal(cause=Cause.SPEC, detail=f"{document.kind} is not work that is done here")
            )
            return None
        if job.spec is None:
            self._parts.journal.keep_spec(job.task_id, content)
        return document

    async def _content(self, job: Job) -> bytes:
        """Return a spec's bytes: a session's aggregation is written from the chain, everything else is fetched."""
        if self._parts.aggregator:
            written = await self._parts.aggregator.spec(job.task_id, job.order)
            if written is not None:
                return written
        return await self._parts.store.get(job.order.spec)

    async def _circumstances(self, job: Job, view: View) -> Circumstances:
        return Circumstances(
            head_block=view.head_block,
            commit_for=await self._parts.escrow.commit_for(job.order.params_id),
            free_stake=await self._parts.escrow.free_stake(self._parts.terms.owner),
        )

    async def _turn_has_come(self, job: Job, view: View) -> bool:
        try:
            draw = await self._parts.escrow.draw(job.task_id, view=view)
        except TransactionReverted as error:
            if error.name not in ("TaskNotSeeded", "BeaconUnavailable"):
                raise
            return self._wait(f"the lottery opens after block {view.seed_block}")
        contenders = [Contender(row["node"], row["owner"]) for row in self._parts.journal.nodes()]
        turn = next_turn(
            self._parts.node,
            draw=draw,
            contenders=contenders,
            seated={seat.node for seat in view.seats},
            after_block=view.head_block,
        )
        if view.head_block + 1 == turn.claim_block:
            return True
        return self._wait(
            f"rank {turn.rank + 1} for {view.seats_left} seats; its turn comes at block {turn.claim_block}"
            f" (the lottery admits it from {turn.opens_block})"
        )

    async def _is_able(self, job: Job, spec: Spec) -> bool:
        match spec:
            case LlmSpec():
                return await self._engine_has(spec)
            case CommandSpec():
                return await self._content_is_here(job, spec)
            case FederatedAggregation():
                return self._can_aggregate()

    def _can_aggregate(self) -> bool:
        assert self._parts.aggregator is not None
        fault = self._parts.aggregator.fault
        return fault is None or self._wait(f"cannot aggregate: {fault}")

    async def _content_is_here(self, job: Job, spec: CommandSpec) -> bool:
        """Fetch a command's image and inputs: a claim that cannot be worked on costs stake."""
        assert self._parts.commands is not None
        if time.monotonic() < self._fetch_at:
            return False
        try:
            await self._parts.commands.prepare(spec, job.task_id)
        except ContentUnavailable as error:
            self._pause()
            return self._wait(f"{Cause.COMMAND}: {error}")
        except (ContentMismatch, ContentTooLarge) as error:
            self._refuse(job, Refusal(cause=Cause.COMMAND, detail=str(error)))
            return False
        return True

    def _pause(self) -> None:
        """Leave the content store alone for a while that doubles each time."""
        self._fetch_at = time.monotonic() + self._fetch_pause_s
        self._fetch_pause_s = min(self._fetch_pause_s * 2, _LONGEST_PAUSE_S)

    async def _engine_has(self, spec: LlmSpec) -> bool:
        """Ask the engine itself, at the last moment: a claim that cannot be worked on costs stake."""
        try:
            models = await self._parts.executor.models()
        except (EngineError, ExecutionInvalid) as error:
            self._parts.situation.engine_fault = str(error)
            return self._wait(f"{Cause.MODEL}: {error}")
        if spec.model in offers_of(models, self._parts.settings):
            return True
        return self._wait(f"{Cause.MODEL}: {spec.model} is not offered here any more")

    async def _claim(self, job: Job) -> bool:
        call = self._parts.chain.escrow.functions.claim(job.task_id)
        try:
            await self._parts.send(job, call, before=Stage.CLAIMING, label="claim")
        except TransactionReverted as error:
            return self._claim_refused(error)
        return True

    def _claim_refused(self, error: TransactionReverted) -> bool:
        log.log(20 if error.name in QUIET else 30, "claim_refused", error=error.name, detail=str(error))
        if error.name in HOPELESS:
            self._parts.journal.move(self._task_id, Stage.REFUSED, str(error))
            return True
        self._parts.journal.move(self._task_id, Stage.WAITING, str(error))
        return False

    def _refuse(self, job: Job, refusal: Refusal) -> bool:
        fault = self._parts.situation.engine_fault
        if refusal.passing and refusal.cause is Cause.MODEL and fault:
            return self._wait(f"{Cause.MODEL}: {fault}")
        # A claim that may be on its way is not abandoned: the chain will say what became of it.
        if refusal.passing or job.stage is Stage.CLAIMING:
            return self._wait(str(refusal))
        log.info("task_refused", cause=refusal.cause.value, detail=refusal.detail)
        self._parts.journal.move(self._task_id, Stage.REFUSED, str(refusal))
        return True

    def _wait(self, reason: str) -> bool:
        self._parts.journal.explain(self._task_id, reason)
        return False
