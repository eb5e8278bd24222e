"""One rehearsal from start to end: the network comes up, works under faults, comes to rest, and is judged."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from client import Parity
from client.money import deposit, faucet
from devnet.accounts import LOCAL
from devnet.demo import client_settings, offered_model
from devnet.deploy import begin_deployed
from devnet.ledger.evidence import Evidence, gather_evidence
from devnet.ledger.findings import Finding, findings
from devnet.network import Network
from devnet.plan import Plan, Ports
from devnet.progress import Progress
from devnet.soak.accuser import Accuser
from devnet.soak.clock import Clock
from devnet.soak.faults import Faults
from devnet.soak.load import Load
from devnet.soak.plan import SoakPlan
from devnet.soak.sessions import Sessions, hold, judge_sessions
from devnet.soak.verdict import Standing, index_is_true, judge, standings
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.sender import Sender

_MORE_TASKS = 30
_PAID_IN = 500
_WRONG, _MONITOR_MISSED = 2, 4
_LIAR_PATIENCE_BLOCKS = 320
_POLL_S = 1.0
_TELL_EVERY_S = 30.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a rehearsal. `seconds` is how long the work took, from the first order to the last task's end."""

    plan: SoakPlan
    evidence: Evidence
    standing: list[Standing]
    findings: list[Finding]
    done: Counter[str]
    faults: Counter[str]
    undone_orders: int
    seconds: float
    sessions: Sessions | None

    @property
    def holds(self) -> bool:
        """Return whether all that must hold does."""
        return all(finding.holds for finding in self.findings)


async def rehearse(plan: SoakPlan, *, state: Path, progress: Progress) -> Outcome:
    """Run a network on free ports through `plan`. Raises ProcessFailed when it does not come up."""
    network_plan = _network_plan(plan, state)
    await begin_deployed(network_plan)
    async with (
        Network.up(network_plan, progress) as network,
        Parity.connect(client_settings(network), LOCAL.client) as parity,
    ):
        await _pay_in(parity, plan)
        model = await offered_model(parity, replicas=plan.runners)
        load = Load(parity, LOCAL.client, plan, model=model, state=state)
        began = time.monotonic()
        async with _paced(network, parity.chain, load):
            with progress.step(f"{plan.tasks} pieces of work, under faults"):
                faults, sessions = await _work(network, parity, plan, load, progress)
            seconds = time.monotonic() - began
            with progress.step("each cheat caught, each liar marked"):
                await _until_caught(parity.chain, plan, load)
                await _until_marked(parity.chain, plan)
                await load.see_off(Sender(parity.chain, LOCAL.outsider))
        with progress.step("the ledger, and the index against a fresh fold"):
            evidence, standing, found = await _judge(network, parity.chain, plan)
            found += judge_sessions(plan, sessions) if sessions else ()
    return Outcome(
        plan=plan,
        evidence=evidence,
        standing=standing,
        findings=found,
        done=load.record.done,
        faults=faults.made,
        undone_orders=load.record.gone,
        seconds=seconds,
        sessions=sessions,
    )


def _network_plan(plan: SoakPlan, state: Path) -> Plan:
    return Plan(
        ports=Ports.free(),
        runners=plan.runners,
        state=state,
        block_time_s=plan.block_time_s,
        at_once=False,
        conducts=plan.conducts,
    )


@asynccontextmanager
async def _paced(network: Network, chain: Chain, load: Load) -> AsyncIterator[None]:
    clock = Clock(network.anvil, chain, load.record, quick_s=int(network.plan.block_time_s))
    pacing = asyncio.create_task(clock.run())
    try:
        yield
    finally:
        pacing.cancel()


async def _pay_in(parity: Parity, plan: SoakPlan) -> None:
    sender = Sender(parity.chain, LOCAL.client)
    amount = (_PAID_IN + plan.tasks) * USDFC
    await faucet(parity.chain, amount=2 * amount, sender=sender)
    await deposit(parity.chain, amount, account=LOCAL.client, sender=sender)


async def _work(
    network: Network, parity: Parity, plan: SoakPlan, load: Load, progress: Progress
) -> tuple[Faults, Sessions | None]:
    """Have all of it done under faults, which go on until the last order and the last session have ended."""
    faults, over = Faults(network, plan), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(progress, plan, load, faults))
        making = group.create_task(faults.run(over))
        learning = group.create_task(hold(parity, plan)) if plan.sessions else None
        await load.run()
        sessions = await learning if learning else None
        over.set()
        await making
        telling.cancel()
    return faults, sessions


async def _tell(progress: Progress, plan: SoakPlan, load: Load, faults: Faults) -> None:
    """Note now and then how much work has ended, and how quickly, until cancelled."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(_TELL_EVERY_S)
        ended, minutes = load.record.done.total(), (time.monotonic() - began) / 60
        progress.note(
            f"{minutes:.1f} min: {ended} of {plan.tasks} ended, {ended / minutes:.0f} a minute, "
            f"{faults.made.total()} faults"
        )


async def _until_caught(chain: Chain, plan: SoakPlan, load: Load) -> None:
    """Buy bargains and challenge the answers, until every cheat has been convicted."""
    accuser = Accuser(chain, load)
    for _ in range(_MORE_TASKS):
        if all([(await _record(chain, number))[_WRONG] for number in plan.cheats]):
            return
        await accuser.test()


async def _until_marked(chain: Chain, plan: SoakPlan) -> None:
    """Wait for a monitoring epoch that ends with a lie told, or as long as three of them take."""
    if not plan.await_liars:
        return
    for _ in range(int(_LIAR_PATIENCE_BLOCKS * plan.block_time_s)):
        if all([(await _record(chain, number))[_MONITOR_MISSED] for number in plan.liars]):
            return
        await asyncio.sleep(_POLL_S)


async def _record(chain: Chain, number: int) -> tuple[int, ...]:
    score: tuple[int, ...] = await chain.call(chain.reputation.functions.scoreOf(LOCAL.node(number).address))
    return score


async def _judge(
    network: Network, chain: Chain, plan: SoakPlan
) -> tuple[Evidence, list[Standing], list[Finding]]:
    evidence = await gather_evidence(chain)
    standing = await standings(chain, plan, evidence.books)
    found = [*findings(evidence, ended=True), *judge(plan, standing), await index_is_true(network)]
    return evidence, standing, found
