"""Audited orders: what they ask, the answer before it is final, and a payer's challenge and appeal."""

import pytest

from client.auditing import read_case
from protocol.audit import Ballot, seal
from protocol.commitment import new_salt
from protocol.enums import AuditStage, Mode
from protocol.lottery import MAX_TICKET
from protocol.money import USDFC
from protocol.sender import Sender
from tests.client.seats import NAME
from tests.monitored import RUNNERS, enlist

ASK = ("llm", "submit", "--prompt", "Where?", "--model", NAME, "--mode", "audited")
JURY = range(1, RUNNERS)


async def answered(depositor, runners):
    """Order an audited answer and have it revealed: it may be challenged for some blocks."""
    submitted = await depositor.submit_prompt("Where?", model=NAME, mode=Mode.AUDITED)
    await runners.reveal_alone(submitted.task_id)
    return submitted.task_id


@pytest.fixture
async def revealed(depositor, runners):
    return await answered(depositor, runners)


async def judge(chain, anvil, accounts, task_id, *, valid):
    """Seat auditors until the panel is full, and let all of them vote the same."""
    court, salts = chain.court.functions, {}
    await anvil.mine(3)
    while await chain.call(court.thresholdOf(task_id, 0)) < MAX_TICKET:
        await anvil.mine()
    for number in JURY:
        node = accounts.node(number)
        ballot = Ballot(valid=valid, evidence=bytes(32), salt=new_salt())
        if (await read_case(chain, task_id)).stage is not AuditStage.VOTING:
            break
        await Sender(chain, node).send(
            court.vote(task_id, seal(task_id, 0, node.address, ballot)), label="vote"
        )
        salts[number] = ballot
    for seat, (number, ballot) in enumerate(salts.items()):
        call = court.openVote(task_id, seat, ballot.as_tuple())
        await Sender(chain, accounts.node(number)).send(call, label="open")


async def test_an_audited_order_asks_for_the_bond_that_covers_its_reward(shell, runners, chain):
    plain = await shell("payer")(*ASK, "--max-price", "5", "--dry-run", "--json")
    shown = await shell("payer")(*ASK, "--max-price", "5", "--dry-run")

    assert plain.code == 0, plain.err
    audit, order = plain.json["audit"], plain.json["order"]
    assert order["mode"] == int(Mode.AUDITED)
    assert int(order["bond"]) >= max(int(audit["minBond"]), 5 * USDFC // audit["riskMultiple"])
    assert "you can challenge it" in shown.out


async def test_a_panel_judges_one_answer(shell, runners):
    ran = await shell("payer")(*ASK, "--replicas", "3", "--dry-run")

    assert ran.code == 2
    assert "replicas: a panel judges one answer, not 3" in ran.err


async def test_an_answer_can_be_read_before_it_is_final_and_is_said_not_to_be(shell, revealed, depositor):
    name = "0x" + revealed.hex()

    ran = await shell()("llm", "get", name, "--json")
    text = await shell()("llm", "get", name)

    assert (ran.json["status"], ran.json["answer"]["output"]) == ("challengeable", "Paris.")
    assert ran.json["answer"]["provisional"] is True
    assert text.out == "Paris.\n"
    assert "not final" in text.err
    assert f"parity-client task dispute {name}" in text.err


async def test_a_payer_that_challenges_a_false_answer_gets_everything_back(
    shell, runners, depositor, chain, anvil, accounts
):
    await enlist(chain, accounts)
    revealed = await spared(depositor, runners, chain, anvil)
    mine, name = shell("payer"), "0x" + revealed.hex()
    before = await depositor.balance()
    shown = await mine("task", "dispute", name, "--dry-run")
    refused = await mine("task", "dispute", name)
    ran = await mine("task", "dispute", name, "--yes", "--json")
    during = await mine("task", "case", name, "--json")
    assert "of your free balance, lost if a panel finds the answer valid" in shown.out
    assert (refused.code, ran.code) == (2, 0), ran.err
    assert (during.json["stage"], during.json["challenger"]) == ("voting", depositor.address)

    await judge(chain, anvil, accounts, revealed, valid=False)
    verdict = await mine("task", "case", name, "--json")
    assert (verdict.json["stage"], verdict.json["valid"]) == ("appealable", False)
    lost = await mine("task", "appeal", name, "--yes")
    assert lost.code == 3
    await anvil.mine(verdict.json["deadline"] + 1 - await anvil.block_number())
    await Sender(chain, accounts.relayer).send(chain.court.functions.advance(revealed), label="advance")

    settlement = await depositor.settlement(revealed)
    after = await depositor.balance()
    assert (settlement.returned, settlement.paid, settlement.fee) == (settlement.escrowed, 0, 0)
    assert settlement.slashed > 0
    assert after.free > before.free + settlement.escrowed
    over = await mine("llm", "get", name)
    assert over.code == 1
    assert "a panel of auditors threw its answer out" in over.err


async def spared(depositor, runners, chain, anvil):
    """Order until the beacon spares an answer, which it does with nearly all."""
    while True:
        task_id = await answered(depositor, runners)
        await anvil.mine(3)
        await Sender(chain, runners.accounts.relayer).send(chain.court.functions.draw(task_id), label="draw")
        if (await depositor.disputes.case(task_id)).stage is AuditStage.CLEARED:
            return task_id


async def test_an_answer_that_nobody_audits_is_paid_as_its_escrow_says(
    runners, depositor, chain, anvil, accounts
):
    task_id = await spared(depositor, runners, chain, anvil)
    case = await depositor.disputes.case(task_id)
    await anvil.mine(case.deadline + 1 - await anvil.block_number())
    await Sender(chain, accounts.relayer).send(chain.court.functions.advance(task_id), label="advance")

    settlement = await depositor.settlement(task_id)
    assert settlement.escrowed == settlement.paid + settlement.fee + settlement.returned
    assert sum(payment.paid for payment in settlement.payments) == settlement.paid
    assert (await depositor.answer(task_id)).provisional is False


async def test_what_was_ordered_in_quorum_mode_cannot_be_disputed(shell, runners, depositor):
    submitted = await depositor.submit_prompt("Where?", model=NAME)

    ran = await shell("payer")("task", "dispute", "0x" + submitted.task_id.hex(), "--yes")

    assert ran.code == 1
    assert "ordered in quorum mode" in ran.err


async def test_before_the_draw_nobody_is_accused(shell, revealed, depositor):
    case = await depositor.disputes.case(revealed)

    ran = await shell("payer")("task", "dispute", "0x" + revealed.hex(), "--yes")

    assert ran.code == 1
    assert f"whether it is audited anyway is drawn in block {case.draw_block}" in ran.err


async def test_a_challenge_without_the_bond_in_the_free_balance_says_how_much_lacks(
    shell, revealed, depositor, anvil
):
    await anvil.mine(3)
    await depositor.withdraw((await depositor.balance()).free)

    ran = await shell("payer")("task", "dispute", "0x" + revealed.hex(), "--yes")

    assert ran.code == 3
    assert "parity-client deposit --amount" in ran.err


async def test_there_is_nothing_to_challenge_before_an_answer_is_revealed(shell, runners, depositor):
    submitted = await depositor.submit_prompt("Where?", model=NAME, mode=Mode.AUDITED)
    name = "0x" + submitted.task_id.hex()

    ran = await shell("payer")("task", "dispute", name, "--yes")
    appealed = await shell("payer")("task", "appeal", name, "--yes")

    assert (ran.code, appealed.code) == (1, 1)
    assert "there is no answer to dispute" in ran.err
    assert "there is no verdict to appeal" in appealed.err
