"""Network fees shown before a signature, of calls that can be simulated only after it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from client.foreseen import Foreseen
from client.parity import Parity
from client.records import Funding
from protocol.chain import Chain
from protocol.enums import Mode
from protocol.money import USDFC, format_native
from tests.client.cli import Cli
from tests.client.seats import NAME, Runners
from tests.client.sessions import SMALL, create

DEAREST = 5
"""Times the fee paid that a foreseen one may be: the base fee may double, and the first call of all is the dearest."""


async def fee_of(chain: Chain, transaction: str) -> int:
    receipt = await chain.w3.eth.get_transaction_receipt(transaction)
    return receipt["gasUsed"] * receipt["effectiveGasPrice"]


async def test_a_deposit_costs_no_more_than_was_shown(parity: Parity) -> None:
    shown = await parity.foreseen_fee(Foreseen.DEPOSIT)
    (deposit,) = (await parity.deposit(USDFC)).transactions
    assert deposit.network_fee <= shown <= DEAREST * deposit.network_fee


async def test_stake_that_is_deposited_first_costs_no_more_than_was_shown(parity: Parity) -> None:
    shown = await parity.foreseen_fee(Foreseen.DEPOSIT, Foreseen.STAKE)
    paid = sum(one.network_fee for one in (await parity.bond(USDFC)).transactions)
    assert paid <= shown <= DEAREST * paid


@pytest.mark.parametrize("mode", list(Mode))
async def test_an_order_paid_by_authorization_costs_no_more_than_its_plan_says(
    parity: Parity, chain: Chain, runners: Runners, mode: Mode
) -> None:
    plan = await parity.plan_prompt("What is the capital of France?", model=NAME, mode=mode)
    assert (plan.funding, plan.fee_is_estimate) == (Funding.AUTHORIZATION, True)
    paid = await fee_of(chain, (await parity.submit_plan(plan)).transaction_hash)
    assert paid <= plan.network_fee <= DEAREST * paid


async def test_an_order_from_the_free_balance_is_simulated_itself(
    depositor: Parity, chain: Chain, runners: Runners
) -> None:
    plan = await depositor.plan_prompt("What is the capital of France?", model=NAME)
    assert (plan.funding, plan.fee_is_estimate) == (Funding.FREE_BALANCE, False)
    assert await fee_of(chain, (await depositor.submit_plan(plan)).transaction_hash) <= plan.network_fee


async def test_a_session_paid_by_authorization_costs_no_more_than_its_dry_run_says(
    shell: Callable[..., Cli], chain: Chain, data: Path
) -> None:
    words = ("fl", "create-session-with-data", str(data), *SMALL)
    planned = (await shell()(*words, "--dry-run", "--json")).json
    assert planned["feeIsEstimate"] is True
    paid = await fee_of(chain, (await create(shell(), data)).json["transaction"]["transactionHash"])
    assert paid <= int(planned["networkFee"]) <= DEAREST * paid


async def test_the_first_deposit_and_a_channel_show_their_fee_before_anything_is_signed(
    shell: Callable[..., Cli], parity: Parity
) -> None:
    before = await parity.balance()
    deposit = await shell()("deposit", "--amount", "1", "--dry-run")
    about = format_native(await parity.foreseen_fee(Foreseen.DEPOSIT))
    assert f"about {about} ETH; exact once the authorization is signed" in deposit.out
    chat = await shell()("llm", "chat", "-p", "Tell a joke.", "-m", NAME, "--dry-run")
    assert "for each new channel, to open, close and collect it; none for a prompt" in chat.out
    assert await parity.balance() == before
