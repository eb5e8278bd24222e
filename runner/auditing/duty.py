"""An auditor's part in a case, step by step: see the panel, be drawn, examine, seal, open, and end what is overdue.

What was sent is read from the chain, and what will be opened from the journal, so that a step may be cut off anywhere and
is taken up again.
"""

import asyncio

import structlog
from web3.contract.async_contract import AsyncContractFunction
from web3.exceptions import Web3Exception

from protocol import audit
from protocol.enums import AuditStage
from protocol.errors import ContentError, ParityError, TransactionReverted
from protocol.lottery import ticket
from runner.auditing.ballots import Ballots, Sealed
from runner.auditing.cases import Case, Cases, Panel
from runner.auditing.examination import Examiner, NotCompetent
from runner.claiming import Contender, Draw, turn_of
from runner.life import ADVANCE_STAGGER_BLOCKS
from runner.parts import Parts
from runner.verification.probing import Prober

HOPELESS = frozenset(
    {"AuditSelfDealing", "PanelAlreadySeated", "RunnerImmature", "RunnerUnknown", "RunnerRetired"}
)
"""Reverts of `vote` that waiting does not cure."""
_TURNS_SHARE = 3
"""Auditors take turns in this part of the time to vote; after it, whoever the lottery admits may come."""
_PATIENCE_SHARE = 2
"""What cannot be fetched by this part of the time to vote counts as withheld."""
_FORGET_BLOCKS = 240

log = structlog.get_logger()


class AuditDuty:
    """The duty of one node: a step at each block."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._functions = parts.chain.court.functions
        self._heard = parts.situation.heard
        self._cases = Cases(parts.chain, self._heard)
        self._ballots = Ballots(parts.journal)
        prober = Prober(str(parts.settings.ollama_url))
        self._examiner = Examiner(parts.store, prober, parts.executor.places)
        self._watched: set[bytes] = set()
        self._declined: set[tuple[bytes, int]] = set()
        self._faults: dict[bytes, str] = {}
        self._under_way: set[bytes] = set()
        self._seen_block = -1
        self._undone = self._heard.undone

    async def run(self) -> None:
        """Do what is due at each block, until cancelled. What fails is tried again at the next.

        Nothing waits for an examination, which may outlast a stage of another case: a sealed vote that is opened too late costs stake.
        """
        situation, fault = self._parts.situation, ""
        async with asyncio.TaskGroup() as group:
            while True:
                rings = situation.rings
                if situation.head_block >= 0:
                    try:
                        for task_id in await self._due(situation.head_block) - self._under_way:
                            self._under_way.add(task_id)
                            group.create_task(self._apart(task_id, situation.head_block))
                        fault = ""
                    except (ParityError, Web3Exception) as error:
                        if str(error) != fault:
                            log.warning("audits_delayed", error=str(error))
                        fault = str(error)
                await situation.news(since=rings)

    async def step(self, head: int) -> None:
        """Do what is due after block `head`; a case that fails keeps no other from its step. `RpcUnavailable`."""
        await asyncio.gather(*[self._guarded(task, head) for task in await self._due(head)])

    async def _due(self, head: int) -> set[bytes]:
        await self._look_for_panels(head)
        return {task for task, _ in self._ballots.held()} | self._watched

    async def _apart(self, task_id: bytes, head: int) -> None:
        try:
            await self._guarded(task_id, head)
        finally:
            self._under_way.discard(task_id)

    async def _guarded(self, task_id: bytes, head: int) -> None:
        try:
            await self._serve(task_id, head)
            self._faults.pop(task_id, None)
        except (ParityError, Web3Exception) as error:
            if self._faults.get(task_id) != str(error):
                log.warning("audit_delayed", task_id="0x" + task_id.hex(), error=str(error))
            self._faults[task_id] = str(error)
        except Exception:
            # A border: what one answer's papers break must not stop the work on other cases.
            log.exception("audit_broke", task_id="0x" + task_id.hex())

    async def _serve(self, task_id: bytes, head: int) -> None:
        case = await self._cases.case(task_id)
        if case.stage is AuditStage.APPEALABLE:
            self._ballots.set_due(task_id, case.round, due=False)
        if case.stage is AuditStage.CLOSED:
            self._leave(task_id)
        elif case.stage < AuditStage.VOTING:
            return  # a reorganisation undid the panel; it may come again
        elif head >= case.deadline:
            await self._end_stage(task_id, case, head)
        elif case.stage is AuditStage.VOTING:
            await self._vote(task_id, case, head)
        elif case.stage is AuditStage.REVEALING:
            await self._open(task_id, case)

    async def _look_for_panels(self, head: int) -> None:
        """Note new panels; at the first look and after a reorganisation, as far back as a vote may still be cast."""
        undone = self._heard.undone
        if undone != self._undone:
            self._seen_block = -1
        first = max(min(self._seen_block, head) + 1, head - await self._cases.reach(), 0)
        while first <= head:
            last = min(first + self._parts.chain.network.max_log_blocks - 1, head)
            self._watched.update(await self._cases.convened(first, last))
            first = last + 1
        self._seen_block, self._undone = head, undone

    # Voting

    async def _vote(self, task_id: bytes, case: Case, head: int) -> None:
        panel = await self._cases.panel(task_id, case.round)
        if self._parts.node in panel.jurors:
            self._ballots.set_due(task_id, case.round, due=True)
            return
        sealed = self._ballots.of(task_id, case.round)
        if sealed is None and (self._parts.situation.draining or (task_id, case.round) in self._declined):
            return
        if head < panel.seed_block or not await self._may_sit(task_id, case.round):
            return
        if sealed is None:
            sealed = await self._sealed(task_id, case, panel, head)
        if sealed is not None:
            commitment = audit.seal(task_id, case.round, self._parts.node, sealed.ballot)
            await self._send(self._functions.vote(task_id, commitment), label="vote")

    async def _sealed(self, task_id: bytes, case: Case, panel: Panel, head: int) -> Sealed | None:
        """Examine the answer when this runner's turn has come, and seal what was found."""
        draw = await self._cases.draw(task_id, case.round, panel)
        if head + 1 < self._turn_block(draw, case, panel) or self._parts.situation.engine_fault:
            return None
        revealed = await self._cases.revealed(task_id, case)
        try:
            spec = await self._examiner.spec(revealed.spec, self._parts.situation.offers)
        except NotCompetent as reason:
            log.info("audit_declined", task_id="0x" + task_id.hex(), reason=str(reason))
            self._declined.add((task_id, case.round))
            return None
        half = panel.seed_block + (case.deadline - panel.seed_block) // _PATIENCE_SHARE
        own = ticket(draw.seed, task_id, self._parts.node)
        evidence = await self._examiner.examine(
            revealed, spec, round_=case.round, seed=own.to_bytes(32, "big"), patient=head < half
        )
        return self._ballots.seal(task_id, case.round, evidence)

    def _turn_block(self, draw: Draw, case: Case, panel: Panel) -> int:
        contenders = [Contender(row["node"], row["owner"]) for row in self._parts.journal.nodes()]
        turn = turn_of(self._parts.node, draw=draw, contenders=contenders, seated=set(panel.jurors))
        latest = panel.seed_block + (case.deadline - panel.seed_block) // _TURNS_SHARE
        return min(turn.claim_block, max(turn.opens_block, latest))

    async def _may_sit(self, task_id: bytes, round_: int) -> bool:
        """Ask the contract itself, before anything is computed: lottery, parties, record and stake."""
        try:
            await self._cases.check_seat(task_id, node=self._parts.node)
        except TransactionReverted as error:
            log.debug("no_seat", task_id="0x" + task_id.hex(), error=error.name)
            if error.name in HOPELESS:
                self._declined.add((task_id, round_))
            return False
        return True

    # Opening and ending

    async def _open(self, task_id: bytes, case: Case) -> None:
        panel = await self._cases.panel(task_id, case.round)
        seat = panel.seat_of(self._parts.node)
        if seat is None:
            self._ballots.set_due(task_id, case.round, due=False)
            return
        sealed = self._ballots.of(task_id, case.round)
        if sealed is None:
            log.error("ballot_lost", task_id="0x" + task_id.hex(), round=case.round)
            return
        self._ballots.set_due(task_id, case.round, due=not panel.opened[seat])
        if panel.opened[seat]:
            return
        try:
            await self._parts.store.add(sealed.evidence)
        except ContentError as error:
            log.warning("evidence_not_stored", error=str(error))  # the vote counts without it
        call = self._functions.openVote(task_id, seat, sealed.ballot.as_tuple())
        if await self._send(call, label="openVote"):
            self._ballots.set_due(task_id, case.round, due=False)

    async def _end_stage(self, task_id: bytes, case: Case, head: int) -> None:
        """End an overdue stage, a seat after another, for as long as nobody has: the bonds are locked until then."""
        jurors: list[str] = []
        for round_ in range(case.round + 1):
            jurors += (await self._cases.panel(task_id, round_)).jurors
        if self._parts.node not in jurors:
            self._ballots.set_due(task_id, case.round, due=False)
            if head > case.deadline + _FORGET_BLOCKS:
                self._leave(task_id)
            return
        # The runner that is judged comes first.
        wait = (1 + jurors.index(self._parts.node)) * ADVANCE_STAGGER_BLOCKS
        if head >= case.deadline + wait:
            await self._send(self._functions.advance(task_id), label="advance")

    async def _send(self, call: AsyncContractFunction, *, label: str) -> bool:
        """Send, unless somebody else was faster; say whether it was taken."""
        try:
            await self._parts.sender.send(call, label=label)
        except TransactionReverted as error:
            log.info("audit_refused", label=label, error=str(error))
            return False
        return True

    def _leave(self, task_id: bytes) -> None:
        self._watched.discard(task_id)
        self._faults.pop(task_id, None)
        self._ballots.close(task_id)
