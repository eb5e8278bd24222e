"""Audited answers on a real chain, with real content and a real model: honest ones, and each kind of cheat."""

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest

from devnet import cheats
from devnet.accounts import LOCAL
from protocol.audit import Ballot, parse_evidence, seal
from protocol.cid import digest_of
from protocol.commitment import new_salt
from protocol.documents import LlmSpec
from protocol.enums import AuditStage, Mode, TaskStatus
from protocol.money import USDFC
from protocol.sender import Sender
from runner.auditing.ballots import Ballots
from runner.auditing.cases import Cases
from runner.auditing.duty import AuditDuty
from runner.jobs import Stage
from runner.parts import Parts
from tests.runner.bench import Bench, Hand

BOND = 10 * USDFC
CHEAT = 0
JURY = (1, 2, 3)
EVERYBODYS_TURN = 6
"""Blocks after which the last of four runners has its turn to vote."""
NOT_THIS_MODEL = {"input", "ending", "unlikely", "choice", "likelihood"}
"""What probing may find first."""


class _Killed(BaseException):
    """Ends a process as no handler of errors may keep it from ending."""


class Forgetful:
    """A store that keeps nothing of what it is given."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self.get, self.pin, self.unpin = parts.store.get, parts.store.pin, parts.store.unpin

    async def add(self, content: bytes) -> bytes:
        return digest_of(content)


@dataclass
class Auditor:
    hand: Hand
    duty: AuditDuty

    @property
    def ballots(self) -> Ballots:
        return Ballots(self.hand.journal)

    async def step(self) -> None:
        await self.hand.look()
        await self.duty.step(self.hand.parts.situation.head_block)


class Running(Auditor):
    """An auditor whose duty runs by itself, and who is told of blocks alone."""

    async def step(self) -> None:
        await self.hand.look()


@dataclass
class Court:
    """A bench with a fourth runner, an accused and three auditors."""

    bench: Bench
    accused: Hand
    jury: list[Auditor]
    cases: Cases

    async def auditor(self, number: int, **changes: Any) -> Auditor:
        hand = await self.bench.hand(number, **changes)
        return Auditor(hand, AuditDuty(hand.parts))

    async def order(self, spec: LlmSpec | None = None) -> bytes:
        return await self.bench.submit(spec, mode=Mode.AUDITED, bond=BOND)

    async def until(self, task: bytes, stage: AuditStage, *auditors: Auditor, blocks: int = 120) -> None:
        """Let the accused and some auditors work, a block after another, until a case has come to a stage."""
        for _ in range(blocks):
            if (await self.cases.case(task)).stage >= stage:
                return
            await self.accused.look()
            while await self.accused.step(task):
                pass
            for auditor in auditors:
                await auditor.step()
            await self.bench.anvil.mine()
        raise AssertionError(f"not {stage.name} after {blocks} blocks: {await self.cases.case(task)}")

    async def challenge(self, task: bytes) -> None:
        call = self.bench.chain.court.functions.challenge(task)
        await Sender(self.bench.chain, LOCAL.payer).send(call, label="challenge")

    async def accuse(self, task: bytes) -> None:
        await self.until(task, AuditStage.OPEN)
        await self.bench.anvil.mine(2)
        if (await self.cases.case(task)).stage is not AuditStage.VOTING:
            await self.challenge(task)

    async def challenged(self) -> bytes:
        """Challenge answers until one is accused by that: every second is called by the beacon, which needs no accuser."""
        for _ in range(12):
            task = await self.order()
            await self.accuse(task)
            if await self.bench.chain.court.events.Challenged().get_logs(
                from_block=0, argument_filters={"taskId": task}
            ):
                return task
            await self.until(task, AuditStage.CLOSED, *self.jury)
            await self.bench.run(task, self.accused)
        raise AssertionError("the beacon had every answer audited")

    async def findings(self, task: bytes) -> list[str]:
        """Return what the auditors' documents say, fetched by the digests that the chain has."""
        logs = await self.bench.chain.court.events.VoteOpened().get_logs(
            from_block=0, argument_filters={"caseId": task}
        )
        documents = [await self.bench.store.get(bytes(log["args"]["evidence"])) for log in logs]
        return [parse_evidence(document).finding for document in documents]


@pytest.fixture
async def court(bench: Bench) -> Court:
    await bench.enlist(3)
    await bench.anvil.mine(3)
    made = Court(bench, await bench.hand(CHEAT), [], Cases(bench.chain))
    made.jury = [await made.auditor(number) for number in JURY]
    return made


def corrupt(court: Court, deed: cheats.Deed) -> None:
    parts = court.accused.parts
    court.accused.parts = dataclasses.replace(parts, executor=cheats.Cheating(parts.executor, deed))


async def test_an_honest_answer_is_challenged_in_vain_and_paid(court: Court) -> None:
    bench = court.bench
    task = await court.challenged()
    before = await bench.free(LOCAL.owner(CHEAT).address)
    await court.until(task, AuditStage.CLOSED, *court.jury)
    assert await bench.status(task) is TaskStatus.FINAL
    assert await court.findings(task) == ["valid"] * 3
    await bench.run(task, court.accused)
    job = court.accused.job(task)
    assert job.stage is Stage.SETTLED
    assert job.slashed == 0
    assert job.paid
    # Besides its pay it has its side of what the challenge cost.
    assert await bench.free(LOCAL.owner(CHEAT).address) - before > job.paid
    assert [step for step, _ in court.accused.journal.transactions(task)] == ["claim", "reveal", "advance"]
    for auditor in court.jury:
        await auditor.step()
        assert auditor.ballots.held() == []
    assert await bench.books_balance()


async def test_an_answer_that_nobody_asks_about_is_paid_after_the_window_or_after_its_audit(
    court: Court,
) -> None:
    task = await court.order()
    await court.until(task, AuditStage.OPEN)
    assert (await court.cases.case(task)).stage is AuditStage.OPEN
    await court.until(task, AuditStage.CLOSED, *court.jury)
    assert await court.bench.status(task) is TaskStatus.FINAL
    assert set(await court.findings(task)) <= {"valid"}
    await court.bench.run(task, court.accused)
    assert court.accused.job(task).paid


@pytest.mark.parametrize(
    ("deed", "grounds"),
    [
        (cheats.another_prompt, NOT_THIS_MODEL),
        (cheats.made_up, NOT_THIS_MODEL),
        (cheats.padded, {"counts"}),
        (cheats.of_another_answer, {"root"}),
    ],
)
async def test_a_cheat_is_caught_slashed_and_the_payer_refunded(
    court: Court, deed: cheats.Deed, grounds: set[str]
) -> None:
    bench = court.bench
    bonded = await bench.stake(LOCAL.owner(CHEAT).address)
    wealth = await bench.free(LOCAL.payer.address)
    wages = [await bench.free(LOCAL.owner(number).address) for number in JURY]
    corrupt(court, deed)
    task = await court.order()
    await court.accuse(task)
    await court.until(task, AuditStage.CLOSED, *court.jury)
    assert await bench.status(task) is TaskStatus.FAILED
    findings = await court.findings(task)
    assert len(findings) == 3
    assert set(findings) <= grounds
    assert (await bench.stake(LOCAL.owner(CHEAT).address))[0] < bonded[0]
    assert await bench.free(LOCAL.payer.address) >= wealth, "the reward and the challenge's bond came back"
    for number, before in zip(JURY, wages, strict=True):
        assert await bench.free(LOCAL.owner(number).address) > before
        assert (await bench.stake(LOCAL.owner(number).address))[1] == 0
    await bench.run(task, court.accused)
    job = court.accused.job(task)
    assert (job.status, job.paid) == (TaskStatus.FAILED, 0)
    assert job.slashed
    assert await bench.books_balance()


async def test_who_withholds_the_answer_is_waited_for_and_then_convicted(court: Court) -> None:
    parts = court.accused.parts
    court.accused.parts = dataclasses.replace(parts, store=Forgetful(parts))
    hurried = [await court.auditor(number, ipfs_timeout_s=0.7) for number in JURY]
    task = await court.order()
    await court.accuse(task)
    begun = await court.bench.chain.block_number()
    await court.until(task, AuditStage.REVEALING, *hurried)
    assert await court.bench.chain.block_number() - begun >= 10
    await court.until(task, AuditStage.CLOSED, *hurried)
    assert await court.bench.status(task) is TaskStatus.FAILED
    assert await court.findings(task) == ["missing"] * 3


async def test_a_killed_auditor_casts_and_opens_the_vote_that_it_had_sealed(court: Court) -> None:
    task = await court.order()
    await court.accuse(task)
    await court.bench.anvil.mine(EVERYBODYS_TURN)
    first, others = court.jury[0], court.jury[1:]

    async def killed(*_: object, **__: object) -> bool:
        raise _Killed

    first.duty._send = killed  # type: ignore[method-assign]
    with pytest.raises(_Killed):
        await first.step()
    ((_, round_),) = first.ballots.held()
    sealed = first.ballots.of(task, round_)
    assert sealed is not None
    assert (await court.cases.panel(task, 0)).jurors == ()
    # A new process votes what was sealed, and another one opens it.
    await (await court.auditor(JURY[0])).step()
    assert (await court.cases.panel(task, 0)).jurors == (first.hand.parts.node,)
    last = await court.auditor(JURY[0])
    assert last.ballots.due() == 1
    await court.until(task, AuditStage.APPEALABLE, last, *others)
    assert (await court.cases.panel(task, 0)).opened == (True, True, True)
    assert last.ballots.of(task, 0) is not None
    await last.step()
    assert last.ballots.due() == 0
    await court.until(task, AuditStage.CLOSED, last, *others)
    assert await court.bench.status(task) is TaskStatus.FINAL


async def test_a_vote_is_opened_in_time_while_another_answer_takes_long_to_examine(court: Court) -> None:
    task, other, never = await court.order(), bytes(32), asyncio.Event()
    await court.accuse(task)
    await court.bench.anvil.mine(EVERYBODYS_TURN)
    first, *others = court.jury
    serve = first.duty._serve

    async def served(task_id: bytes, head: int) -> None:
        await (never.wait() if task_id == other else serve(task_id, head))

    first.duty._serve = served  # type: ignore[method-assign]
    first.duty._watched.add(other)
    running = asyncio.create_task(first.duty.run())
    try:
        await first.hand.look()
        async with asyncio.timeout(60):
            while not first.ballots.due():
                # A block only for what was sent: the time for votes must not pass while the answer is examined.
                if int((await court.bench.anvil.rpc("txpool_status"))["pending"], 16):
                    await court.bench.anvil.mine()
                await first.hand.look()
                await asyncio.sleep(0.05)
        await court.until(task, AuditStage.APPEALABLE, Running(first.hand, first.duty), *others)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (await court.cases.panel(task, 0)).opened == (True, True, True)


async def test_an_auditor_without_the_model_leaves_the_seat_to_others(court: Court) -> None:
    task = await court.order()
    await court.accuse(task)
    await court.bench.anvil.mine(EVERYBODYS_TURN)
    (first, *_) = court.jury
    await first.hand.look()
    first.hand.parts.situation.offers = {}
    await first.duty.step(first.hand.parts.situation.head_block)
    assert first.ballots.held() == []
    assert (await court.cases.panel(task, 0)).jurors == ()


async def test_an_auditor_that_drains_takes_no_new_seat(court: Court) -> None:
    task = await court.order()
    await court.accuse(task)
    await court.bench.anvil.mine(EVERYBODYS_TURN)
    (first, *_) = court.jury
    first.hand.parts.situation.draining = True
    await first.step()
    assert first.ballots.held() == []


async def test_the_accused_does_not_judge_itself(court: Court) -> None:
    task = await court.order()
    await court.accuse(task)
    await court.bench.anvil.mine(EVERYBODYS_TURN)
    judge = await court.auditor(CHEAT)
    await judge.step()
    assert judge.ballots.held() == []
    assert (await court.cases.panel(task, 0)).jurors == ()


async def test_a_vote_is_sealed_as_the_contract_seals_it(court: Court) -> None:
    task, node = b"\5" * 32, LOCAL.node(1).address
    ballot = Ballot(valid=True, evidence=b"\6" * 32, salt=new_salt())
    call = court.bench.chain.court.functions.sealOf(task, 1, node, ballot.as_tuple())
    assert seal(task, 1, node, ballot) == await court.bench.chain.call(call)
