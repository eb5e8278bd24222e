"""Audited lives on the real contracts: tables, contracts and a fresh fold agree."""

from typing import Any

import pytest

from devnet.anvil import Anvil
from indexer.settings import IndexerSettings
from protocol.commitment import Reveal, new_salt
from protocol.enums import AuditStage, Mode
from protocol.money import USDFC
from protocol.typed_data import task_id
from tests.indexer.test_on_anvil import (
    Network,
    an_order,
    assert_verified,
    escrow_domain,
    fetch,
    indexer,
    network,
    settings,
)

__all__ = ["network", "settings"]

EVIDENCE, SALT = b"\x05" * 32, b"\x06" * 32


class Courtroom:
    """One audited task: node 0 answers, nodes 1 and 2 may judge."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.court = network.chain.court.functions
        self.task = b""

    async def spared(self) -> None:
        """Answer until the beacon calls no audit; the case then lies open to a challenge."""
        while True:
            await self.answer()
            await self.network.anvil.mine(3)
            await self.network.payer.send(self.court.draw(self.task), label="draw")
            if (await self.stage())[0] is AuditStage.CLEARED:
                return

    async def answer(self) -> None:
        order = await an_order(self.network, mode=Mode.AUDITED, replicas=1, quorum=1, bond=10 * USDFC)
        escrow, deployment = self.network.chain.escrow.functions, self.network.chain.deployment
        await self.network.payer.send(escrow.submit(order.as_tuple()), label="submit")
        self.task = task_id(order, escrow_domain(deployment.chain_id, deployment.task_escrow))
        await self.network.anvil.mine(12)
        await self.network.nodes[0].send(escrow.claim(self.task), label="claim")
        opened = Reveal(result=b"\x01" * 32, input_tokens=5, output_tokens=9, salt=new_salt())
        await self.network.nodes[0].send(escrow.reveal(self.task, 0, opened.as_tuple()), label="reveal")

    async def stage(self) -> tuple[AuditStage, int]:
        case = await self.network.chain.call(self.court.caseOf(self.task))
        return AuditStage(case[5]), int(case[1])

    async def advance(self) -> None:
        _, deadline = await self.stage()
        await self.network.anvil.mine(deadline + 1 - await self.network.chain.block_number())
        await self.network.payer.send(self.court.advance(self.task), label="advance")

    async def judge(self, *, valid: bool) -> None:
        """Seal and open two votes of three."""
        await self.network.anvil.mine(12)
        judges = self.network.nodes[1:]
        ballot = (valid, EVIDENCE, SALT)
        for judge in judges:
            seal = await self.network.chain.call(self.court.sealOf(self.task, 0, judge.address, ballot))
            await judge.send(self.court.vote(self.task, seal), label="vote")
        await self.advance()
        for seat, judge in enumerate(judges):
            await judge.send(self.court.openVote(self.task, seat, ballot), label="open vote")


@pytest.fixture
async def courtroom(network: Network) -> Courtroom:
    made = Courtroom(network)
    await made.answer()
    return made


async def rows(settings: IndexerSettings, courtroom: Courtroom) -> tuple[Any, Any]:
    return (
        await fetch(settings, "SELECT * FROM public.tasks WHERE task_id = $1", courtroom.task),
        await fetch(settings, "SELECT * FROM public.audits WHERE task_id = $1", courtroom.task),
    )


async def test_a_challenge_that_convicts_adds_up(
    courtroom: Courtroom, settings: IndexerSettings, anvil: Anvil
) -> None:
    async with indexer(settings):
        await courtroom.spared()
        await courtroom.network.payer.send(courtroom.court.challenge(courtroom.task), label="challenge")
        await courtroom.judge(valid=False)
        await assert_verified(settings, anvil)
        await courtroom.advance()
        await assert_verified(settings, anvil)
    task, audit = await rows(settings, courtroom)
    assert (task["status"], task["returned"], task["paid"], task["slashed"]) == (
        "failed",
        task["reward"],
        0,
        5 * USDFC,
    )
    assert (audit["stage"], audit["valid"], audit["audited"], audit["fees"]) == ("closed", False, False, 0)
    votes = await fetch(
        settings,
        "SELECT array_agg(outcome) AS outcomes, sum(paid) AS paid FROM public.audit_votes WHERE task_id = $1",
        courtroom.task,
    )
    assert votes["outcomes"] == ["right", "right"]
    assert votes["paid"] > 0


async def test_an_answer_that_nobody_doubts_adds_up(
    courtroom: Courtroom, settings: IndexerSettings, anvil: Anvil
) -> None:
    async with indexer(settings):
        await courtroom.advance()
        if (await courtroom.stage())[0] is AuditStage.VOTING:
            await courtroom.judge(valid=True)
            await courtroom.advance()
        await assert_verified(settings, anvil)
    task, audit = await rows(settings, courtroom)
    assert task["status"] == "final"
    assert task["paid"] + task["fee"] + task["returned"] + audit["fees"] == task["reward"]
    assert audit["valid"]
    assert bool(audit["fees"]) is audit["audited"]
