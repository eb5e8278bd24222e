"""The SDK without an account: it looks, and signs nothing."""

import inspect

import pytest

import client
from client import Parity, SyncParity
from client.disputes import Disputes
from client.governance import Governance
from client.reputation import Reputation
from client.sync import SyncDisputes, SyncGovernance, SyncReputation
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


def test_the_waiting_sdk_does_the_same_without_an_event_loop(settings, accounts):
    with SyncParity.connect(settings, accounts.payer) as parity:
        before = parity.balance()
        parity.withdraw(USDFC)
        after = parity.balance()

        assert parity.address == accounts.payer.address
        assert before.free - after.free == USDFC
        assert parity.governance.proposals() == ()
        assert parity.run(lambda waiting: waiting.unbond_delay()) == parity.unbond_delay() > 0


def test_every_coroutine_of_the_sdk_has_its_waiting_twin():
    faces = {
        Parity: SyncParity,
        Reputation: SyncReputation,
        Disputes: SyncDisputes,
        Governance: SyncGovernance,
    }
    for face, waiting in faces.items():
        methods = {name for name, value in inspect.getmembers(face) if inspect.iscoroutinefunction(value)}
        assert {name for name in methods if not name.startswith("_")} <= set(vars(waiting))


def test_an_error_closes_the_connection_and_passes_on(settings):
    with pytest.raises(InputError, match="account: none"), SyncParity.connect(settings) as parity:
        parity.withdraw(1)
