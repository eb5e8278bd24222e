import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from eth_account import Account

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import (
    ChainError,
    InputError,
    InsufficientFunds,
    TransactionReverted,
    TransactionTimeout,
)
from protocol.money import USDFC
from protocol.sender import Receipt, Sender

SOMEBODY = "0x000000000000000000000000000000000000bEEF"


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


@pytest.fixture
def impatient(chain: Chain) -> Chain:
    """Return the chain with waits that a test can wait for."""
    return replace(chain, network=replace(chain.network, stuck_after_s=0.3, receipt_timeout_s=3))


async def nonces(chain: Chain, address: str) -> int:
    return await chain.w3.eth.get_transaction_count(address)


async def test_a_transaction_is_sent_and_its_receipt_given(chain: Chain, accounts: LocalAccounts):
    sender = Sender(chain, accounts.outsider)
    receipt = await sender.send(chain.token.functions.mint(SOMEBODY, 5 * USDFC), label="mint")
    assert await chain.call(chain.token.functions.balanceOf(SOMEBODY)) == 5 * USDFC
    assert receipt.block_number == await chain.block_number()
    assert receipt.raw["transactionHash"].to_0x_hex() == receipt.transaction_hash
    assert receipt.fee_paid > 0
    assert receipt.gas_used > 21_000


async def test_what_would_revert_is_not_sent(chain: Chain, accounts: LocalAccounts):
    sender = Sender(chain, accounts.outsider)
    before = await nonces(chain, sender.address)
    with pytest.raises(TransactionReverted) as caught:
        await sender.send(chain.wallet.functions.withdraw(10**30 // 10**6), label="withdraw")
    assert caught.value.name == "WalletInsufficient"
    assert "USDFC needed" in str(caught.value)
    assert caught.value.exit_code == 3
    assert await nonces(chain, sender.address) == before


async def test_a_deed_that_another_made_dearer_meanwhile_is_done_with_more_gas(
    chain: Chain, accounts: LocalAccounts
):
    holder, mint = Account.create(), chain.token.functions.mint
    await chain.w3.provider.make_request("anvil_setBalance", [holder.address, hex(10**18)])
    await Sender(chain, accounts.outsider).send(mint(holder.address, 5), label="mint")

    @asynccontextmanager
    async def meanwhile() -> AsyncIterator[None]:
        """To fill the holder's balance takes more gas than to add to it: it is emptied between price and broadcast."""
        if await chain.call(chain.token.functions.balanceOf(holder.address)):
            everything = chain.token.functions.transfer(SOMEBODY, 5)
            await Sender(chain, holder).send(everything, label="transfer")
        yield

    sender = Sender(chain, accounts.outsider, turn=meanwhile)
    before = await nonces(chain, sender.address)
    await sender.send(mint(holder.address, 7), label="mint")
    assert await chain.call(chain.token.functions.balanceOf(holder.address)) == 7
    assert await nonces(chain, sender.address) == before + 2


async def test_a_dry_run_prices_a_call_and_sends_nothing(chain: Chain, accounts: LocalAccounts):
    sender = Sender(chain, accounts.outsider)
    before = await nonces(chain, sender.address)
    prepared = await sender.prepare(chain.token.functions.mint(SOMEBODY, 1), label="mint")
    used = (await sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint")).gas_used
    assert used < prepared.gas < 2 * used
    assert prepared.most_it_costs == prepared.gas * prepared.fees.max_fee
    assert await nonces(chain, sender.address) == before + 1


async def test_an_account_that_cannot_pay_the_network_fee_is_told_in_coin(chain: Chain):
    sender = Sender(chain, Account.create())
    with pytest.raises(InsufficientFunds, match="has 0 ETH") as caught:
        await sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint")
    assert "USDFC does not pay network fees" in str(caught.value.hint)


async def test_fifty_transactions_at_once_take_fifty_nonces_without_a_gap(
    chain: Chain, accounts: LocalAccounts
):
    sender = Sender(chain, accounts.outsider)
    before = await nonces(chain, sender.address)
    async with asyncio.TaskGroup() as group:
        sends = [
            group.create_task(sender.send(chain.token.functions.mint(SOMEBODY, 1), label=f"mint {number}"))
            for number in range(50)
        ]
    assert len({send.result().transaction_hash for send in sends}) == 50
    assert await nonces(chain, sender.address) == before + 50
    assert await chain.call(chain.token.functions.balanceOf(SOMEBODY)) == 50


async def test_two_processes_with_one_key_both_get_through(chain: Chain, accounts: LocalAccounts):
    one, other = Sender(chain, accounts.outsider), Sender(chain, accounts.outsider)
    async with asyncio.TaskGroup() as group:
        for sender in (one, other) * 5:
            group.create_task(sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint"))
    assert await chain.call(chain.token.functions.balanceOf(SOMEBODY)) == 10


async def test_the_nonces_of_what_a_reorganisation_dropped_are_used_again(
    chain: Chain, accounts: LocalAccounts
):
    sender = Sender(chain, accounts.outsider)
    mint = chain.token.functions.mint(SOMEBODY, 1)
    for _ in range(2):
        await sender.send(mint, label="mint")
    await chain.w3.provider.make_request("anvil_reorg", [2, []])
    async with asyncio.timeout(60):
        await sender.send(mint, label="mint")
    assert await chain.call(chain.token.functions.balanceOf(SOMEBODY)) == 1


async def test_what_a_reorganisation_dropped_before_a_transaction_that_waits_is_done_again_once(
    anvil: Anvil, impatient: Chain, accounts: LocalAccounts
):
    sender = Sender(impatient, accounts.outsider)
    await sender.send(impatient.token.functions.mint(SOMEBODY, 1), label="mint")
    await anvil.rpc("evm_setAutomine", False)
    sent: asyncio.Queue[str] = asyncio.Queue()
    sending = asyncio.create_task(
        sender.send(impatient.token.functions.mint(SOMEBODY, 10), label="mint", on_sent=sent.put_nowait)
    )
    await sent.get()
    await anvil.rpc("anvil_reorg", 1, [])
    await until(lambda: _mines(anvil, sending))
    assert (await sending).raw["status"] == 1
    await anvil.mine(3)
    assert await impatient.call(impatient.token.functions.balanceOf(SOMEBODY)) == 11


async def test_a_gap_of_what_failed_is_filled_and_the_failure_is_not_done_after_all(
    anvil: Anvil, impatient: Chain, accounts: LocalAccounts
):
    token, holder = impatient.token.functions, accounts.outsider
    other = Sender(impatient, accounts.treasury)
    await other.send(token.mint(holder.address, 5), label="mint")

    @asynccontextmanager
    async def meanwhile() -> AsyncIterator[None]:
        """What was to be moved is gone between simulation and broadcast."""
        if await impatient.call(token.balanceOf(holder.address)):
            await Sender(impatient, holder).send(token.transfer(accounts.treasury.address, 5), label="other")
        yield

    sender = Sender(impatient, holder, turn=meanwhile)
    with pytest.raises(TransactionReverted):
        await sender.send(token.transfer(SOMEBODY, 5), label="transfer")
    minted = await other.send(token.mint(holder.address, 5), label="mint")
    again = await anvil.rpc("eth_getRawTransactionByHash", minted.transaction_hash)

    await anvil.rpc("evm_setAutomine", False)
    sent: asyncio.Queue[str] = asyncio.Queue()
    sender._turn = contextlib.nullcontext  # nobody gets in between any more
    sending = asyncio.create_task(
        sender.send(token.mint(SOMEBODY, 100), label="mint", on_sent=sent.put_nowait)
    )
    await sent.get()
    await anvil.rpc("anvil_reorg", 2, [[again, 0]])
    await until(lambda: _mines(anvil, sending))
    assert (await sending).raw["status"] == 1
    assert await impatient.call(token.balanceOf(SOMEBODY)) == 100
    assert await impatient.call(token.balanceOf(holder.address)) == 5


async def test_a_gap_from_before_the_process_began_is_filled_when_what_waits_is_stuck(
    anvil: Anvil, impatient: Chain, accounts: LocalAccounts
):
    await Sender(impatient, accounts.outsider).send(impatient.token.functions.mint(SOMEBODY, 1), label="mint")
    await anvil.rpc("evm_setAutomine", False)
    restarted = Sender(impatient, accounts.outsider)
    sent: asyncio.Queue[str] = asyncio.Queue()
    sending = asyncio.create_task(
        restarted.send(impatient.token.functions.mint(SOMEBODY, 10), label="mint", on_sent=sent.put_nowait)
    )
    await sent.get()
    await anvil.rpc("anvil_reorg", 1, [])
    await until(lambda: _mines(anvil, sending))
    await sending
    assert await impatient.call(impatient.token.functions.balanceOf(SOMEBODY)) == 10


async def test_a_nonce_that_was_used_elsewhere_is_noticed(chain: Chain, accounts: LocalAccounts):
    sender = Sender(chain, accounts.outsider)
    await sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint")
    await Sender(chain, accounts.outsider).send(chain.token.functions.mint(SOMEBODY, 1), label="elsewhere")
    await sender.send(chain.token.functions.mint(SOMEBODY, 1), label="mint")
    assert await chain.call(chain.token.functions.balanceOf(SOMEBODY)) == 3


async def test_a_stuck_transaction_is_sent_again_dearer_and_lands_once(
    anvil: Anvil, impatient: Chain, accounts: LocalAccounts
):
    await anvil.rpc("evm_setAutomine", False)
    sender = Sender(impatient, accounts.outsider)
    sent: asyncio.Queue[str] = asyncio.Queue()
    sending = asyncio.create_task(
        sender.send(impatient.token.functions.mint(SOMEBODY, 7), label="mint", on_sent=sent.put_nowait)
    )
    first = await sent.get()
    offered = (await impatient.w3.eth.get_transaction(first))["maxFeePerGas"]  # type: ignore[arg-type]
    await anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(offered + 1))
    await anvil.mine()
    assert not sending.done()
    await until(lambda: _is_dearer(anvil, than=offered))
    await anvil.mine()
    receipt = await sending
    assert receipt.transaction_hash != first
    assert await impatient.call(impatient.token.functions.balanceOf(SOMEBODY)) == 7
    await anvil.mine(3)
    assert await impatient.call(impatient.token.functions.balanceOf(SOMEBODY)) == 7


async def test_a_transaction_replaced_by_another_process_is_sent_again(
    anvil: Anvil, impatient: Chain, accounts: LocalAccounts
):
    await anvil.rpc("evm_setAutomine", False)
    sender = Sender(impatient, accounts.outsider)
    sent: asyncio.Queue[str] = asyncio.Queue()
    sending = asyncio.create_task(
        sender.send(impatient.token.functions.mint(SOMEBODY, 7), label="mint", on_sent=sent.put_nowait)
    )
    first = await sent.get()
    original = await impatient.w3.eth.get_transaction(first)  # type: ignore[arg-type]
    await anvil.rpc("anvil_dropTransaction", first)
    intruder = accounts.outsider.sign_transaction(
        {
            "to": SOMEBODY,
            "value": 1,
            "gas": 21_000,
            "nonce": original["nonce"],
            "chainId": 31337,
            "maxFeePerGas": original["maxFeePerGas"] * 10,
            "maxPriorityFeePerGas": original["maxFeePerGas"] * 5,
            "type": 2,
        }
    )
    await impatient.w3.eth.send_raw_transaction(intruder.raw_transaction)
    await anvil.mine()
    second = await sent.get()
    await anvil.mine()
    receipt = await sending
    assert receipt.transaction_hash == second
    assert await impatient.call(impatient.token.functions.balanceOf(SOMEBODY)) == 7


async def test_a_transaction_in_no_block_in_time_is_reported_with_its_hash(
    anvil: Anvil, impatient: Chain, accounts: LocalAccounts
):
    await anvil.rpc("evm_setAutomine", False)
    sender = Sender(impatient, accounts.outsider)
    with pytest.raises(TransactionTimeout) as caught:
        await sender.send(impatient.token.functions.mint(SOMEBODY, 7), label="mint")
    assert caught.value.exit_code == 4
    assert await impatient.w3.eth.get_transaction(caught.value.transaction_hash)  # type: ignore[arg-type]
    assert "before doing the same again" in str(caught.value.hint)


async def test_a_transaction_that_another_one_overtakes_reverts_with_the_reason(
    anvil: Anvil, chain: Chain, accounts: LocalAccounts
):
    async def wallet_send(function: object, label: str) -> None:
        await sender.send(function, label=label)  # type: ignore[arg-type]

    sender = Sender(chain, accounts.outsider)
    await wallet_send(chain.token.functions.mint(sender.address, 10 * USDFC), "mint")
    await wallet_send(chain.token.functions.approve(chain.wallet.address, 10 * USDFC), "approve")
    await wallet_send(chain.wallet.functions.deposit(10 * USDFC), "deposit")
    balance = (await chain.call(chain.wallet.functions.accountOf(sender.address)))[0]
    await anvil.rpc("evm_setAutomine", False)
    slow, fast = Sender(chain, accounts.outsider), asyncio.Event()

    prepared = await slow.prepare(chain.wallet.functions.withdraw(balance), label="withdraw")
    overtaking = asyncio.create_task(
        sender.send(chain.wallet.functions.withdraw(balance), label="first", on_sent=lambda _: fast.set())
    )
    await fast.wait()
    nonce, sent = await slow._submit(prepared)
    await anvil.mine()
    await overtaking
    raw = await slow._wait(prepared, nonce=nonce, sent=sent)
    assert raw is not None
    with pytest.raises(TransactionReverted) as caught:
        await slow._checked(raw, prepared)
    assert caught.value.name == "WalletInsufficient"


async def test_a_development_key_cannot_send_on_a_public_chain(chain: Chain, accounts: LocalAccounts):
    public = replace(chain, deployment=chain.deployment.model_copy(update={"chain_id": 314159}))
    with pytest.raises(InputError, match="published development account"):
        Sender(public, accounts.outsider)


async def test_a_transaction_that_the_node_refuses_says_so(chain: Chain, accounts: LocalAccounts):
    sender = Sender(chain, accounts.outsider)
    with pytest.raises(ChainError, match="mint: the node refused the transaction"):
        await sender._broadcast(b"\x02garbage", "0x" + "00" * 32, label="mint")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what only another process's state can tell."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 (the event is in another process)
            await asyncio.sleep(0.02)


async def _mines(anvil: Anvil, sending: "asyncio.Task[Receipt]") -> bool:
    """Mine, unless it is in a block already."""
    if not sending.done():
        await anvil.mine()
    return sending.done()


async def _is_dearer(anvil: Anvil, *, than: int) -> bool:
    pool = (await anvil.rpc("txpool_content"))["pending"]
    return any(int(tx["maxFeePerGas"], 16) > than + 1 for account in pool.values() for tx in account.values())
