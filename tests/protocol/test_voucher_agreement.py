"""Channels, vouchers and signed actions as Python makes them, on the real wallet."""

import secrets
from collections.abc import AsyncIterator

import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.action import Action, sign_action
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import TransactionReverted
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.typed_data import Domain, wallet_domain
from protocol.voucher import Channel, Voucher, channel_id, sign_channel, sign_voucher


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    async with Chain.connect(anvil.url, deployment) as connected:
        yield connected


def domain_of(chain: Chain) -> Domain:
    return wallet_domain(chain.deployment.chain_id, chain.deployment.stake_wallet)


async def opened(chain: Chain, accounts: LocalAccounts) -> Channel:
    """Open a channel from the payer, by its signature alone."""
    terms = Channel(
        payer=accounts.payer.address,
        node=accounts.node(0).address,
        owner=accounts.owner(0).address,
        amount=5 * USDFC,
        close_delay=await chain.call(chain.wallet.functions.minCloseDelay()),
        open_by=await chain.block_number() + 100,
        salt=secrets.token_bytes(32),
    )
    signature = sign_channel(terms, domain_of(chain), accounts.payer)
    call = chain.wallet.functions.openChannelFor(terms.as_tuple(), signature)
    await Sender(chain, accounts.relayer).send(call, label="open")
    return terms


def vouchers(chain: Chain, accounts: LocalAccounts, *, promised: dict[bytes, int]) -> list[Voucher]:
    domain = domain_of(chain)
    return [
        sign_voucher(channel, amount, domain, account=accounts.payer) for channel, amount in promised.items()
    ]


async def free(chain: Chain, address: str) -> int:
    return int((await chain.call(chain.wallet.functions.accountOf(address)))[0])


async def test_the_domain_and_a_channels_id_are_the_wallets(chain: Chain, accounts: LocalAccounts):
    terms = await opened(chain, accounts)
    expected = await chain.call(chain.wallet.functions.channelIdOf(terms.as_tuple()))
    assert channel_id(terms, domain_of(chain)) == expected
    funds = await chain.call(chain.wallet.functions.channelOf(expected, terms.payer, terms.owner))
    assert tuple(funds) == (5 * USDFC, 0, 0, False)


async def test_vouchers_are_redeemed_in_a_batch_by_the_runner(chain: Chain, accounts: LocalAccounts):
    terms = [await opened(chain, accounts) for _ in range(3)]
    ids = [channel_id(each, domain_of(chain)) for each in terms]
    before = await free(chain, terms[0].owner)
    batch = vouchers(chain, accounts, promised=dict(zip(ids, (USDFC, 2 * USDFC, 5 * USDFC), strict=True)))
    call = chain.wallet.functions.redeem(terms[0].owner, [each.as_tuple() for each in batch])
    await Sender(chain, accounts.node(0)).send(call, label="redeem")
    assert await free(chain, terms[0].owner) == before + 8 * USDFC


async def test_the_long_form_of_a_voucher_is_redeemed_too(chain: Chain, accounts: LocalAccounts):
    terms = await opened(chain, accounts)
    (voucher,) = vouchers(chain, accounts, promised={channel_id(terms, domain_of(chain)): USDFC})
    before = await free(chain, terms.owner)
    call = chain.wallet.functions.redeemSigned(
        terms.owner, terms.payer, voucher.channel_id, voucher.cumulative, voucher.signature
    )
    await Sender(chain, accounts.node(0)).send(call, label="redeem")
    assert await free(chain, terms.owner) == before + USDFC


async def test_a_voucher_above_the_deposit_is_refused_in_words(chain: Chain, accounts: LocalAccounts):
    terms = await opened(chain, accounts)
    batch = vouchers(chain, accounts, promised={channel_id(terms, domain_of(chain)): 6 * USDFC})
    call = chain.wallet.functions.redeem(terms.owner, [each.as_tuple() for each in batch])
    with pytest.raises(TransactionReverted, match="promises 6 USDFC; the channel holds 5 USDFC"):
        await Sender(chain, accounts.node(0)).send(call, label="redeem")


async def test_a_relayer_sends_a_signed_action(chain: Chain, accounts: LocalAccounts):
    payer, wallet = accounts.payer, chain.wallet
    before = (await chain.call(wallet.functions.stakeOf(payer.address)))[0]
    action = Action(
        account=payer.address,
        call=bytes.fromhex(wallet.encode_abi("bond", [3 * USDFC])[2:]),
        nonce=await chain.call(wallet.functions.nonces(payer.address, 4)),
        deadline=await chain.block_number() + 100,
    )
    signature = sign_action(action, domain_of(chain), payer)
    call = wallet.functions.executeFor(action.as_tuple(), signature)
    await Sender(chain, accounts.relayer).send(call, label="bond by signature")
    assert (await chain.call(wallet.functions.stakeOf(payer.address)))[0] == before + 3 * USDFC
    assert await chain.call(wallet.functions.nonces(payer.address, 4)) == (4 << 64) + 1
