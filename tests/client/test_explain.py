"""Why a task waits or failed, said from what the chain, the lottery and the runners' profiles show."""

import pytest

from protocol.commitment import Reveal, commitment, new_salt
from protocol.money import USDFC
from protocol.sender import Sender
from tests.client.seats import NAME


@pytest.fixture
def explained(shell):
    async def ask(task_id):
        ran = await shell("payer")("task", "explain", "0x" + task_id.hex(), "--json")
        assert ran.code == 0, ran.err
        return ran.json

    return ask


def obstacles(found, node):
    return next(each for each in found["candidates"] if each["node"] == node)["obstacles"]


async def test_before_its_draw_a_task_waits_for_the_draw(explained, runners, depositor):
    submitted = await depositor.submit_prompt("Where?", model=NAME)

    found = await explained(submitted.task_id)

    assert found["summary"].startswith("It waits for its draw")
    assert {each["rank"] for each in found["candidates"]} == {None}


async def test_each_runner_is_ranked_and_what_is_against_it_is_said(
    explained, shell, runners, depositor, anvil, accounts
):
    submitted = await depositor.submit_prompt("Where?", model=NAME)
    await anvil.mine(3)

    found = await explained(submitted.task_id)
    text = (await shell()("task", "explain", "0x" + submitted.task_id.hex())).out

    assert found["able"] == 1
    assert sorted(each["rank"] for each in found["candidates"]) == [0, 1, 2]
    assert obstacles(found, accounts.node(0).address) == []
    assert obstacles(found, accounts.node(1).address) == ["offers no model, or its profile cannot be read"]
    assert "may claim it now have not" in text or "waits for its turn" in text


async def test_a_price_below_what_runners_ask_is_named_as_the_reason(
    explained, runners, depositor, anvil, accounts
):
    submitted = await depositor.submit_prompt("Where?", model=NAME, max_price=1)
    await anvil.mine(3)

    found = await explained(submitted.task_id)

    assert (found["able"], found["summary"]) == (0, "Too few runners can take it: 1 wanted, 0 could.")
    assert "the longest answer is worth" in obstacles(found, accounts.node(0).address)[0]
    assert f"0x{submitted.task_id.hex()}" in " ".join(found["remedies"])


async def test_stake_that_is_too_little_for_the_seat_is_named_as_the_reason(
    explained, runners, depositor, anvil, accounts, chain
):
    owner = accounts.owner(0)
    bonded = (await chain.call(chain.wallet.functions.stakeOf(owner.address)))[0]
    submitted = await depositor.submit_prompt("Where?", model=NAME, max_price=bonded + USDFC)
    await anvil.mine(3)

    found = await explained(submitted.task_id)

    assert any(
        "of stake free, and a seat takes" in said for said in obstacles(found, accounts.node(0).address)
    )


async def test_a_task_that_nobody_claimed_is_ended_by_anybody_and_explained(
    explained, shell, runners, depositor, anvil
):
    submitted = await depositor.submit_prompt("Where?", model=NAME)
    name = "0x" + submitted.task_id.hex()
    early = await shell()("task", "advance", name, "--yes")
    await anvil.mine(submitted.order.claim_by + 1 - await anvil.block_number())

    overdue = await explained(submitted.task_id)
    ended = await shell()("task", "advance", name, "--yes")
    found = await explained(submitted.task_id)

    assert early.code == 3
    assert "not claimed in time" in overdue["summary"]
    assert ended.code == 0, ended.err
    assert found["summary"].startswith("Too few runners took a seat by block")


async def test_a_task_that_was_taken_back_says_so(explained, shell, runners, depositor):
    submitted = await depositor.submit_prompt("Where?", model=NAME)
    await shell("payer")("task", "cancel", "0x" + submitted.task_id.hex(), "--yes")

    assert (await explained(submitted.task_id))["summary"].startswith("Whoever ordered or pays took it back")


async def test_runners_that_disagree_are_counted(explained, runners, depositor, anvil, chain, accounts):
    submitted = await depositor.submit_prompt("Where?", model=NAME, replicas=2)
    task, escrow = submitted.task_id, chain.escrow.functions
    await anvil.mine(3)
    reveals = {}
    for seat in (0, 1):
        node = accounts.node(seat)
        await Sender(chain, node).send(escrow.claim(task), label="claim")
        reveals[seat] = Reveal(
            result=bytes([seat + 1]) * 32, input_tokens=1, output_tokens=1, salt=new_salt()
        )
    working = await explained(task)
    for seat, opened in reveals.items():
        sealed = commitment(task, accounts.node(seat).address, opened)
        await Sender(chain, accounts.node(seat)).send(escrow.commit(task, seat, sealed), label="commit")
    for seat, opened in reveals.items():
        call = escrow.reveal(task, seat, opened.as_tuple())
        await Sender(chain, accounts.node(seat)).send(call, label="reveal")

    found = await explained(task)

    assert len(working["facts"]) == 2
    assert working["summary"].startswith("Runners are at work")
    assert found["summary"].startswith("Too few runners agreed on a result")
    assert found["facts"][0] == "2 of 2 had to agree; 2 revealed, 2 different answers"
