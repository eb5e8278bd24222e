"""A prompt, from the question to the settled answer, with the runner's seat driven by the test."""

import asyncio
import re

import pytest

from client import Parity
from client.money import read_balance
from protocol.cid import digest_to_cid
from protocol.commitment import Reveal, commitment, new_salt
from protocol.content import IpfsStore
from protocol.documents import canonical
from protocol.enums import TaskStatus
from protocol.errors import ContentUnavailable
from protocol.money import USDFC
from protocol.sender import Sender
from tests.client.seats import INPUT_PRICE, MODEL, NAME, OUTPUT_PRICE, result_of

ASK = ("llm", "submit", "--prompt", "What is the capital of France?", "--model", NAME)
EARNED = (20 * INPUT_PRICE + 10 * OUTPUT_PRICE) // 1000


async def submitted(parity: Parity, **options):
    return await parity.submit_prompt("What is the capital of France?", model=NAME, **options)


async def test_models_lists_what_active_runners_offer_and_ask(shell, runners):
    ran = await shell()("llm", "models", "--json")

    (offer,) = ran.json
    assert (offer["name"], offer["digest"]) == (NAME, MODEL.partition("sha256:")[2])
    assert offer["node"] == runners.accounts.node(0).address
    assert offer["outputPriceUsdfc"] == "0.0002"
    assert "tiny:1b@sha256:abababababab" in (await shell()("llm", "models")).out


async def test_a_retired_runners_offer_is_not_listed(shell, runners, chain):
    node = runners.accounts.node(0)
    await Sender(chain, node).send(chain.reputation.functions.retire(node.address), label="retire")

    assert (await shell()("llm", "models", "--json")).json == []


async def test_one_signature_escrows_tokens_that_were_never_deposited(shell, runners, chain, accounts):
    before = await read_balance(chain, accounts.client.address)

    ran = await shell()(*ASK, "--max-price", "0.5", "--yes", "--json")

    after = await read_balance(chain, accounts.client.address)
    assert ran.code == 0, ran.err
    assert "tokens in the account, by one signed authorization" in ran.err
    assert after.escrowed == before.tokens - after.tokens == USDFC // 2
    assert ran.json["order"]["reward"] == str(USDFC // 2)


async def test_a_free_balance_is_spent_before_tokens(shell, runners, chain, accounts):
    before = await read_balance(chain, accounts.payer.address)

    ran = await shell("payer")(*ASK, "--max-price", "0.5", "--yes", "--json")

    after = await read_balance(chain, accounts.payer.address)
    assert ran.code == 0, ran.err
    assert "network fee    at most" in ran.err
    assert (after.tokens, before.free - after.free) == (before.tokens, USDFC // 2)


async def test_figures_are_shown_before_the_signature(shell, runners):
    ran = await shell()(*ASK)

    assert ran.code == 2
    for figure in ("escrowed", "expected", "network fee", "runners stake", "public"):
        assert re.search(rf"^  {figure} ", ran.err, re.MULTILINE), figure
    assert "--yes" in ran.err


async def test_a_dry_run_signs_and_stores_nothing(shell, parity, runners, anvil, ipfs_api):
    before, height = await parity.balance(), await anvil.block_number()

    ran = await shell()("llm", "submit", "-p", "Asked by nobody?", "-m", NAME, "--dry-run", "--json")

    assert ran.code == 0, ran.err
    assert await anvil.block_number() == height
    assert await parity.balance() == before
    with pytest.raises(ContentUnavailable):
        await IpfsStore(ipfs_api, timeout_s=1).get(bytes.fromhex(ran.json["order"]["spec"][2:]))


async def test_one_seat_is_not_said_to_be_compared(shell, runners):
    alone = await shell()(*ASK, "--dry-run")
    compared = await shell()(*ASK, "--dry-run", "--replicas", "3", "--quorum", "2")

    assert "not checked: you trust one runner" in alone.out
    assert "must agree" not in alone.out
    assert "2 of 3 answers must be the same" in compared.out


async def test_an_answer_is_printed_alone_on_standard_output(shell, runners):
    name = (await shell()(*ASK, "--yes")).out.strip()

    pending = await shell()("llm", "get", name)
    await runners.answer(bytes.fromhex(name[2:]), "Paris, of course.")
    answered = await shell()("llm", "get", name, "--wait")

    assert pending.out.startswith("open: 0 of 1 seats claimed, until block ")
    assert "USDFC came back to" in answered.err
    assert (answered.code, answered.out) == (0, "Paris, of course.\n")


async def test_json_has_one_shape_whatever_is_known_yet(shell, runners):
    asked = (await shell()(*ASK, "--yes", "--json")).json
    pending = (await shell()("llm", "get", asked["taskId"], "--json")).json
    await runners.answer(bytes.fromhex(asked["taskId"][2:]))
    answered = (await shell()("llm", "get", asked["taskId"], "--json")).json

    assert asked["answer"] is pending["answer"] is pending["settlement"] is None
    assert pending.keys() == answered.keys()
    assert (pending["status"], answered["status"]) == ("open", "final")
    assert answered["answer"]["output"] == "Paris."
    assert answered["settlement"]["escrowed"] == asked["order"]["reward"]


async def test_submit_and_wait_follows_the_task_to_its_answer(shell, runners, anvil, chain):
    async def answer_when_submitted() -> None:
        submissions, found = chain.escrow.events.TaskSubmitted(), []
        while not found:
            await asyncio.sleep(0.1)
            found = await submissions.get_logs(from_block=0)
        await runners.answer(bytes(found[0]["args"]["taskId"]))

    async with asyncio.TaskGroup() as group:
        group.create_task(answer_when_submitted())
        waiting = group.create_task(shell()(*ASK, "--wait", "--yes", "--json"))
    ran = waiting.result()

    assert ran.code == 0, ran.err
    assert ran.json["answer"]["output"] == "Paris."
    assert ran.json["answer"]["model"] == MODEL
    assert "final: 1 of 1 answers revealed" in ran.err


async def test_every_token_of_a_settled_task_is_accounted_for(parity, runners, chain, accounts):
    order = (await submitted(parity, max_price=USDFC // 2)).order
    before = await read_balance(chain, accounts.owner(0).address)
    task_id = await parity.chain.escrow.functions.orderId(order.as_tuple()).call()
    await runners.answer(task_id)

    settlement = await parity.settlement(task_id)

    assert settlement.escrowed == USDFC // 2
    assert settlement.escrowed == settlement.paid + settlement.fee + settlement.returned
    assert settlement.paid + settlement.fee == EARNED
    assert [(p.owner, p.paid) for p in settlement.payments] == [(accounts.owner(0).address, settlement.paid)]
    after = await read_balance(chain, accounts.owner(0).address)
    assert after.free - before.free == settlement.paid
    assert (await parity.balance()).free == settlement.returned


async def test_three_runners_of_whom_two_agree_settle_and_the_third_is_slashed(parity, runners, accounts):
    order = await submitted(parity, replicas=3)
    escrow, chain = parity.chain.escrow.functions, parity.chain
    await runners.anvil.mine(3)
    right = await runners.content.add(canonical(result_of(order.task_id)))
    wrong = await runners.content.add(canonical(result_of(order.task_id, "Lyon.")))
    opened = [
        Reveal(result=r, input_tokens=20, output_tokens=10, salt=new_salt()) for r in (right, right, wrong)
    ]
    senders = [Sender(chain, accounts.node(n)) for n in range(3)]
    for sender in senders:
        await sender.send(escrow.claim(order.task_id), label="claim")
    for seat, (sender, reveal) in enumerate(zip(senders, opened, strict=True)):
        sealed = commitment(order.task_id, sender.address, reveal)
        await sender.send(escrow.commit(order.task_id, seat, sealed), label="commit")
    for seat, (sender, reveal) in enumerate(zip(senders, opened, strict=True)):
        await sender.send(escrow.reveal(order.task_id, seat, reveal.as_tuple()), label="reveal")

    record = await parity.record(order.task_id)
    settlement = record.settlement

    assert (record.status, record.quorum) == (TaskStatus.FINAL, 2)
    assert [seat.right for seat in record.seats] == [True, True, False]
    assert settlement.payments[2].slashed == order.order.bond // 2
    assert settlement.compensation == 0
    assert settlement.escrowed == settlement.paid + settlement.fee + settlement.returned
    assert (await parity.answer(order.task_id)).output == "Paris."


async def test_steps_name_every_transaction_in_the_order_of_the_chain(parity, runners):
    order = await submitted(parity)
    await runners.answer(order.task_id)

    steps = await parity.transactions(order.task_id)

    names = [step.name for step in steps]
    assert [name for name in names if name.startswith(("Task", "Seat"))] == [
        "TaskSubmitted",
        "SeatClaimed",
        "SeatCommitted",
        "SeatRevealed",
        "TaskFinalized",
    ]
    assert {"Escrowed", "BondLocked", "Settled", "Moved"} <= set(names)
    assert [step.block for step in steps] == sorted(step.block for step in steps)
    assert order.transaction_hash in {step.transaction_hash for step in steps}


async def test_task_get_shows_seats_steps_and_settlement(shell, parity, runners):
    order = await submitted(parity)
    await runners.answer(order.task_id)
    name = "0x" + order.task_id.hex()

    ran = await shell()("task", "get", name, "--json")
    read = await shell()("task", "get", name)

    assert ran.json["task"]["status"] == "final"
    assert ran.json["task"]["seats"][0]["right"] is True
    assert int(ran.json["task"]["settlement"]["paid"]) + int(ran.json["task"]["settlement"]["fee"]) == EARNED
    assert ran.json["task"]["specCid"] == digest_to_cid(order.order.spec)
    assert "TaskFinalized" in read.out
    assert f"USDFC to {runners.accounts.owner(0).address}" in read.out


async def test_an_unclaimed_task_is_cancelled_and_all_of_it_returns(shell, depositor, runners):
    before = await depositor.balance()
    order = await submitted(depositor)

    ran = await shell("payer")("task", "cancel", "0x" + order.task_id.hex(), "--yes")

    assert ran.code == 0, ran.err
    after = await depositor.balance()
    assert (after.free, after.escrowed) == (before.free, 0)


async def test_a_wait_that_is_too_short_tells_how_to_go_on(shell, parity, runners):
    order = await submitted(parity)
    name = "0x" + order.task_id.hex()

    ran = await shell()("llm", "get", name, "--wait", "--timeout", "1")

    assert ran.code == 4
    assert f"parity-client llm get {name} --wait" in ran.err
    assert ran.out == ""


async def test_a_creator_address_other_than_the_wallets_is_refused_with_the_reason(shell, runners, accounts):
    ran = await shell()(*ASK, "--yes", "--creator-address", accounts.outsider.address)

    assert ran.code == 2
    assert f"is not the wallet's address, {accounts.client.address}" in ran.err
    assert "The creator signs the order" in ran.err


async def test_the_guides_own_submission_works(shell, runners, accounts):
    address = accounts.client.address.lower()

    ran = await shell()(
        *("llm", "submit", "--prompt", "Explain quantum computing", "--model", NAME),
        *("--creator-address", address, "--client-id", "my-app", "--yes"),
    )

    assert ran.code == 0, ran.err
    assert re.fullmatch(r"0x[0-9a-f]{64}\n", ran.out)


async def test_a_long_prompt_gets_a_context_with_room_for_it(parity, runners):
    plan = await parity.plan_prompt("word " * 1500, model=NAME)

    assert plan.spec.options.num_ctx == 4096


async def test_a_warning_tells_that_a_low_cap_may_find_no_runner(shell, runners):
    ran = await shell()(*ASK, "--max-price", "0.00001", "--yes")

    assert ran.code == 0, ran.err
    assert "runners may ignore it" in ran.err
