"""The SDK without an account: it looks, and signs nothing."""

import pytest

import client
from client import Parity
from protocol.deployment import save_deployment
from protocol.errors import InputError
from protocol.money import USDFC
from tests.client.seats import INPUT_PRICE, MODEL, NAME, OUTPUT_PRICE


@pytest.fixture
async def onlooker(settings):
    async with Parity.connect(settings) as parity:
        yield parity


def test_every_public_name_is_there():
    for name in client.__all__:
        assert getattr(client, name).__name__ == name


async def test_prices_are_estimated_without_an_account(onlooker, runners):
    found = await onlooker.estimate_price("Why is the sky blue?", NAME, replicas=2)

    assert found.model == MODEL
    assert (found.input_price, found.output_price) == (INPUT_PRICE, OUTPUT_PRICE)
    assert 0 < found.expected < found.max_price < USDFC


async def test_any_accounts_balance_can_be_read(onlooker, accounts):
    assert (await onlooker.balance(accounts.client.address)).tokens == 1000 * USDFC


@pytest.mark.parametrize("deed", ["deposit", "withdraw", "bond", "request_unbond"])
async def test_money_is_not_moved_without_an_account(onlooker, deed):
    with pytest.raises(InputError, match="account: none is connected"):
        await getattr(onlooker, deed)(1)


async def test_a_published_key_is_refused_on_a_public_chain(settings, deployment, accounts, anvil):
    public = settings.model_copy(update={"filecoin_chain_id": 314159})
    moved = deployment.model_copy(update={"chain_id": 314159, "local": False})
    save_deployment(moved, folder=settings.deployments_dir)
    await anvil.rpc("anvil_setChainId", 314159)

    with pytest.raises(InputError, match="published development account"):
        async with Parity.connect(public, accounts.client):
            pass
