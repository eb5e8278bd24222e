"""What Python computes and what the contracts compute is the same, on a real chain."""

import secrets
from collections.abc import AsyncIterator, Callable

import pytest
from eth_account.signers.local import LocalAccount

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol import lottery, typed_data
from protocol.chain import Chain
from protocol.commitment import Reveal, commitment
from protocol.deployment import Deployment
from protocol.enums import Mode, TaskStatus
from protocol.money import USDFC
from protocol.order import Order
from protocol.sender import Sender

MakeOrder = Callable[..., Order]


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


def escrow_domain(chain: Chain) -> typed_data.Domain:
    return typed_data.escrow_domain(chain.deployment.chain_id, chain.deployment.task_escrow)


def token_domain(chain: Chain) -> typed_data.Domain:
    return typed_data.token_domain(chain.deployment.chain_id, chain.deployment.usdfc)


async def test_a_task_id_is_the_contracts_order_id(chain: Chain, make_order: MakeOrder):
    for order in (
        make_order(),
        make_order(
            mode=Mode.AUDITED,
            reward=2**96 - 1,
            claim_by=2**40 - 1,
            client_epoch=2**64 - 1,
            retention=2**32 - 1,
        ),
        make_order(payer="0x70997970C51812dc3A010C7d01b50e0d17dc79C8", salt=secrets.token_bytes(32)),
    ):
        expected = await chain.call(chain.escrow.functions.orderId(order.as_tuple()))
        assert typed_data.task_id(order, escrow_domain(chain)) == expected


async def test_a_commitment_is_the_contracts(chain: Chain, accounts: LocalAccounts):
    reveal = Reveal(
        result=secrets.token_bytes(32),
        fingerprint=secrets.token_bytes(32),
        input_tokens=2**32 - 1,
        output_tokens=7,
        salt=secrets.token_bytes(32),
    )
    task, node = secrets.token_bytes(32), accounts.node(0).address
    expected = await chain.call(chain.escrow.functions.commitmentOf(task, node, reveal.as_tuple()))
    assert commitment(task, node, reveal) == expected


async def test_a_deposit_nonce_is_the_wallets(chain: Chain):
    seed = secrets.token_bytes(32)
    assert typed_data.deposit_nonce(seed) == await chain.call(chain.wallet.functions.depositNonce(seed))


async def test_the_domains_are_the_contracts(chain: Chain, make_order: MakeOrder):
    digest = typed_data.task_id(make_order(), escrow_domain(chain))
    assert digest == await chain.call(chain.escrow.functions.orderId(make_order().as_tuple()))
    assert await chain.call(chain.token.functions.name()) == typed_data.token_domain(1, "0x").name


async def test_one_signature_funds_and_submits_an_order(
    chain: Chain, accounts: LocalAccounts, make_order: MakeOrder
):
    order = await submitted(chain, accounts, make_order)
    task = typed_data.task_id(order, escrow_domain(chain))
    stored = await chain.call(chain.escrow.functions.taskOf(task))
    assert TaskStatus(stored[-1]) is TaskStatus.OPEN


async def test_a_deposit_by_signature_reaches_the_ledger(chain: Chain, accounts: LocalAccounts):
    client, seed, amount = accounts.client, secrets.token_bytes(32), 3 * USDFC
    await give(chain, accounts, client.address, amount)
    before = (await chain.call(chain.wallet.functions.accountOf(client.address)))[0]
    signed = typed_data.sign_authorization(
        client,
        payee=chain.wallet.address,
        value=amount,
        nonce=typed_data.deposit_nonce(seed),
        valid_before=2**40,
        domain=token_domain(chain),
    )
    deposit = chain.wallet.functions.depositWithAuthorization(client.address, amount, seed, signed.as_tuple())
    await Sender(chain, accounts.relayer).send(deposit, label="deposit")
    assert (await chain.call(chain.wallet.functions.accountOf(client.address)))[0] == before + amount


async def test_a_registration_signed_by_the_node_is_taken(chain: Chain, accounts: LocalAccounts):
    await enlist(chain, accounts, nodes=[accounts.node(15)])
    runner = await chain.call(chain.reputation.functions.runnerOf(accounts.node(15).address))
    assert runner[0] == accounts.outsider.address


async def test_ticket_threshold_and_draw_are_the_contracts_block_by_block(
    anvil: Anvil,
    chain: Chain,
    accounts: LocalAccounts,
    make_order: MakeOrder,
):
    # So many runners that a single seat does not admit them all at once.
    await enlist(chain, accounts, nodes=[accounts.node(number) for number in range(3, 16)])
    order = await submitted(chain, accounts, make_order, replicas=1, quorum=1)
    task, node = typed_data.task_id(order, escrow_domain(chain)), accounts.node(0).address
    seed_block = (await chain.call(chain.escrow.functions.taskOf(task)))[4]
    step = await chain.call(chain.escrow.functions.wideningStep())
    redraw = await chain.call(chain.escrow.functions.REDRAW())
    await anvil.mine(seed_block + 1 - await chain.block_number())
    for waited in (1, step, redraw, redraw + 1, 2 * redraw + 5):
        await anvil.mine(max(0, seed_block + waited - await chain.block_number()))
        now = await chain.block_number()
        draw, seed = await chain.call(chain.escrow.functions.seedOf(task), block=now)
        active = await chain.call(chain.reputation.functions.activeRunners(), block=now)
        assert draw == lottery.draw_block(seed_block, now, redraw)
        assert lottery.ticket(seed, task, node) == await chain.call(
            chain.escrow.functions.ticketOf(task, node), block=now
        )
        expected = await chain.call(chain.escrow.functions.thresholdOf(task), block=now)
        assert lottery.threshold(active, order.replicas, now - seed_block, step) == expected
        assert (expected < lottery.MAX_TICKET) == (waited <= step)


async def give(chain: Chain, accounts: LocalAccounts, to: str, amount: int) -> None:
    await Sender(chain, accounts.relayer).send(chain.token.functions.mint(to, amount), label="mint")


async def stake(chain: Chain, accounts: LocalAccounts, owner: Sender, amount: int) -> None:
    await give(chain, accounts, owner.address, amount)
    await owner.send(chain.token.functions.approve(chain.wallet.address, amount), label="approve")
    await owner.send(chain.wallet.functions.deposit(amount), label="deposit")
    await owner.send(chain.wallet.functions.bond(amount), label="bond")


async def enlist(chain: Chain, accounts: LocalAccounts, *, nodes: list[LocalAccount]) -> None:
    owner = Sender(chain, accounts.outsider)
    await stake(chain, accounts, owner, len(nodes) * 100 * USDFC)
    domain = typed_data.reputation_domain(chain.deployment.chain_id, chain.deployment.runner_reputation)
    for node in nodes:
        registration = typed_data.Registration(
            owner=owner.address,
            node=node.address,
            label=b"desk".ljust(32, b"\0"),
            profile=secrets.token_bytes(32),
            deadline=2**40,
        )
        call = chain.reputation.functions.register(
            registration.node,
            registration.label,
            registration.profile,
            registration.deadline,
            typed_data.sign_registration(registration, domain, node),
        )
        await owner.send(call, label="register")


async def submitted(
    chain: Chain,
    accounts: LocalAccounts,
    make_order: MakeOrder,
    **changes: object,
) -> Order:
    client = accounts.client
    order = make_order(
        client=client.address,
        payer=client.address,
        claim_by=await chain.block_number() + 2000,
        params_id=chain.deployment.params_id,
        salt=secrets.token_bytes(32),
        **changes,
    )
    await give(chain, accounts, client.address, order.reward)
    signed = typed_data.sign_authorization(
        client,
        payee=chain.wallet.address,
        value=order.reward,
        nonce=typed_data.task_id(order, escrow_domain(chain)),
        valid_before=2**40,
        domain=token_domain(chain),
    )
    submit = chain.escrow.functions.submitWithAuthorization(order.as_tuple(), b"", signed.as_tuple())
    await Sender(chain, accounts.relayer).send(submit, label="submit")
    return order
