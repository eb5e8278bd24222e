"""What goes wrong, said in words that help, and no token lost over it."""

from dataclasses import replace

import pytest

from client import Parity
from client.money import read_balance
from client.ordering import authorize, order_id
from protocol.deployment import save_deployment
from protocol.documents import canonical
from protocol.errors import (
    ContentMismatch,
    ContentUnavailable,
    InputError,
    InsufficientFunds,
    TransactionReverted,
)
from protocol.money import USDFC
from protocol.sender import Sender
from tests.client.seats import NAME, result_of

ASK = ("llm", "submit", "--prompt", "What is the capital of France?", "--model", NAME)


@pytest.fixture
async def no_token_lost(chain, accounts):
    """Hold the sum over all accounts, and what the wallet owes, to what it was."""
    everybody = [
        accounts.client,
        accounts.payer,
        accounts.outsider,
        accounts.treasury,
        *accounts.owners(3),
        *accounts.nodes(3),
    ]

    async def total() -> int:
        balances = [await read_balance(chain, account.address) for account in everybody]
        return sum(b.tokens + b.free + b.escrowed + b.bonded + b.unbonding for b in balances)

    before = await total()
    yield
    assert await total() == before
    held = await chain.token.functions.balanceOf(chain.deployment.stake_wallet).call()
    assert held == await chain.wallet.functions.liabilities().call()


pytestmark = pytest.mark.usefixtures("no_token_lost")


async def test_an_unknown_model_is_named_with_the_nearest(shell, runners):
    ran = await shell()("llm", "submit", "--prompt", "Why?", "--model", "tinny:1b", "--yes")

    assert ran.code == 2
    assert "error: model: no active runner offers 'tinny:1b'" in ran.err
    assert "hint: Did you mean tiny:1b? Offered now: tiny:1b." in ran.err


async def test_no_funds_is_said_with_what_is_missing(shell, runners, parity):
    before = await parity.balance()

    ran = await shell("outsider")(*ASK, "--max-price", "2", "--yes")

    assert ran.code == 3
    assert "the order would escrow 2 USDFC; only 0 USDFC is free" in ran.err
    assert "Add 2 USDFC, or lower --max-price. On a local chain: parity-client faucet." in ran.err
    assert (await parity.balance()).tokens == before.tokens


async def test_money_split_between_account_and_wallet_is_told_how_to_join(parity, runners):
    await parity.deposit(600 * USDFC)

    with pytest.raises(InsufficientFunds) as caught:
        await parity.plan_prompt("Why?", model=NAME, max_price=700 * USDFC)

    assert caught.value.hint == "Together it suffices: parity-client deposit --amount 100"


@pytest.mark.parametrize("paid_from", ["free balance", "tokens"])
async def test_an_expired_order_is_refused_and_escrows_nothing(parity, depositor, runners, anvil, paid_from):
    wallet = depositor if paid_from == "free balance" else parity
    before = await wallet.balance()
    plan = await wallet.plan_prompt("Why?", model=NAME)
    order = replace(plan.order, claim_by=await anvil.block_number() + 1)
    plan = replace(plan, order=order, task_id=order_id(wallet.chain, order))
    await anvil.mine(2)

    with pytest.raises(TransactionReverted) as caught:
        await wallet.submit_plan(plan)

    assert caught.value.name == "TaskDeadline"
    assert caught.value.exit_code == 3
    after = await wallet.balance()
    assert (after.tokens, after.free, after.escrowed) == (before.tokens, before.free, before.escrowed)


@pytest.mark.parametrize("paid_from", ["free balance", "tokens"])
async def test_a_replayed_signature_is_refused_and_pays_once(parity, depositor, runners, paid_from):
    wallet = depositor if paid_from == "free balance" else parity
    plan = await wallet.plan_prompt("Why?", model=NAME)
    await wallet.submit_plan(plan)
    before = await wallet.balance()

    with pytest.raises(TransactionReverted) as caught:
        await wallet.submit_plan(plan)

    assert caught.value.name == "TaskAlreadySubmitted"
    after = await wallet.balance()
    assert (after.tokens, after.free, after.escrowed) == (before.tokens, before.free, before.escrowed)
    assert after.escrowed == plan.order.reward


async def test_a_stolen_authorization_cannot_be_used_for_a_plain_deposit(parity, runners, accounts, chain):
    plan = await parity.plan_prompt("Why?", model=NAME)
    authorization = await authorize(chain, plan.order, account=accounts.client)
    thief = Sender(chain, accounts.outsider)
    call = chain.wallet.functions.depositWithAuthorization(
        accounts.client.address, plan.order.reward, order_id(chain, plan.order), authorization.as_tuple()
    )

    with pytest.raises(TransactionReverted, match="sign"):
        await thief.send(call, label="theft")


# A result whose digest won on chain, but which is not what was asked for.


@pytest.fixture
async def task_id(parity, runners):
    return (await parity.submit_prompt("Why?", model=NAME)).task_id


async def test_a_result_for_another_task_is_not_believed(parity, runners, task_id, shell):
    other = result_of(b"\x99" * 32)
    await runners.finish(task_id, await runners.content.add(canonical(other)))

    ran = await shell()("llm", "get", "0x" + task_id.hex())

    assert (ran.code, ran.out) == (1, "")
    assert f"answers task 0x{'99' * 32}" in ran.err
    assert "hint: Do not use it." in ran.err


async def test_a_result_of_another_model_is_not_believed(parity, runners, task_id):
    other = result_of(task_id, model="huge:70b@sha256:" + "cd" * 32)
    await runners.finish(task_id, await runners.content.add(canonical(other)))

    with pytest.raises(ContentMismatch, match="made by model huge:70b"):
        await parity.answer(task_id)


async def test_a_result_that_is_no_document_is_not_believed(parity, runners, task_id):
    await runners.finish(task_id, await runners.content.add(b'{"output": "trust me"}'))

    with pytest.raises(ContentMismatch, match="not a Parity document"):
        await parity.answer(task_id)


async def test_a_result_that_is_a_document_of_another_kind_is_not_believed(parity, runners, task_id, chain):
    order = (await chain.escrow.events.TaskSubmitted().get_logs(from_block=0))[-1]["args"]["order"]
    await runners.finish(task_id, bytes(order["spec"]))

    with pytest.raises(ContentMismatch, match="kind 'llm'"):
        await parity.answer(task_id)


async def test_a_result_that_nobody_has_is_said_to_be_missing(parity, runners, task_id):
    await runners.finish(task_id, b"\x77" * 32)

    with pytest.raises(ContentUnavailable):
        await parity.answer(task_id)


async def test_a_task_nobody_submitted_is_unknown(shell, runners):
    ran = await shell()("llm", "get", "0x" + "12" * 32)

    assert ran.code == 1
    assert "the chain has no such task" in ran.err


async def test_a_quorum_that_is_no_majority_is_refused_with_the_range(shell, runners):
    ran = await shell()(*ASK, "--replicas", "3", "--quorum", "1", "--yes")

    assert ran.code == 2
    assert "quorum: 1 of 3 is not a majority" in ran.err
    assert "choose a quorum from 2 to 3" in ran.err


async def test_an_empty_prompt_is_refused(shell, runners):
    ran = await shell()("llm", "submit", "--prompt", "  ", "--model", NAME, "--yes")

    assert ran.code == 2
    assert "error: prompt: empty" in ran.err


async def test_a_prompt_longer_than_the_model_holds_is_refused(parity, runners):
    with pytest.raises(InputError, match="the model has room for 4,096"):
        await parity.plan_prompt("word " * 5000, model=NAME)


async def test_another_chain_than_the_settings_say_is_refused(shell, deployment, home):
    outside = shell(FILECOIN_CHAIN_ID="1337")
    save_deployment(deployment.model_copy(update={"chain_id": 1337}), folder=home / "deployments")

    ran = await outside("balance")

    assert ran.code == 2
    assert "serves chain 31337, not 1337" in ran.err


async def test_a_node_that_is_down_is_said_to_be_down(shell):
    ran = await shell(FILECOIN_RPC="http://127.0.0.1:9")("balance")

    assert ran.code == 1
    assert "error: the chain's node at http://127.0.0.1:9 failed" in ran.err
    assert "Check FILECOIN_RPC" in ran.err


async def test_nothing_is_escrowed_when_the_prompt_cannot_be_stored(settings, accounts, runners):
    broken = settings.model_copy(update={"ipfs_api": "/ip4/127.0.0.1/tcp/9/http"})
    async with Parity.connect(settings, accounts.client) as parity:
        plan = await parity.plan_prompt("Why?", model=NAME)
    async with Parity.connect(broken, accounts.client) as parity:
        with pytest.raises(ContentUnavailable, match="IPFS"):
            await parity.submit_plan(plan)
        assert (await parity.balance()).escrowed == 0


async def test_prompts_are_answered_and_read_while_the_api_is_down(shell, runners):
    name = (await shell()(*ASK, "--yes")).out.strip()
    await runners.answer(bytes.fromhex(name[2:]))

    assert (await shell()("llm", "get", name)).out == "Paris.\n"
    listed = await shell()("llm", "list")
    assert listed.code == 1
    assert "the API server at http://127.0.0.1:9 does not answer" in listed.err


async def test_a_relay_that_is_down_escrows_nothing(shell, runners, parity):
    ran = await shell()(*ASK, "--relay", "--yes")

    assert ran.code == 1
    assert "does not answer" in ran.err
    assert (await parity.balance()).escrowed == 0
