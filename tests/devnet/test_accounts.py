import pytest

from devnet.accounts import ACCOUNT_COUNT, LOCAL, MAX_RUNNERS, account


def test_the_first_account_is_the_one_that_every_local_chain_has():
    assert account(0).address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def test_no_two_roles_share_an_account():
    roles = [
        LOCAL.deployer,
        LOCAL.treasury,
        LOCAL.client,
        LOCAL.outsider,
        LOCAL.relayer,
        LOCAL.payer,
        LOCAL.guardian,
    ]
    everyone = [*roles, *LOCAL.owners(MAX_RUNNERS), *LOCAL.nodes(MAX_RUNNERS)]
    assert len({one.address for one in everyone}) == len(everyone)


async def test_every_account_has_coin_for_gas_on_a_local_chain(anvil):
    assert int(await anvil.rpc("eth_getBalance", account(ACCOUNT_COUNT - 1).address, "latest"), 16) > 0


def test_runners_beyond_the_last_are_refused():
    with pytest.raises(IndexError, match="numbered 0 to"):
        LOCAL.node(MAX_RUNNERS)
