from devnet.accounts import LocalAccounts
from protocol.chain import Chain
from protocol.deployment import load_deployment
from protocol.money import USDFC
from tests.scripts.ape import Ape

CLIENT = "TEST::2"
OUTSIDER = "TEST::3"


async def stake_of(ape: Ape, owner: str) -> tuple[int, int, int]:
    """Bonded, unbonding and free base units."""
    async with Chain.connect(ape.url, load_deployment(31337, folder=ape.folder)) as chain:
        wallet = chain.wallet.functions
        bonded, _ = await wallet.stakeOf(owner).call()
        pending, _ = await wallet.unbondingOf(owner).call()
        free, _ = await wallet.accountOf(owner).call()
    return bonded, pending, free


async def test_stake_goes_in_and_comes_out_after_the_delay(
    deployed_chain: Ape, accounts: LocalAccounts
) -> None:
    outsider = accounts.outsider.address
    funded = await deployed_chain.run("fund", outsider, "--usdfc", "300", "--native", "1")
    assert funded.status == 0, funded.err
    staked = await deployed_chain.run("stake", "250.5", account=OUTSIDER)
    assert staked.status == 0, staked.err
    assert "250.5 USDFC bonded: enough for 2 runners" in staked.out

    started = await deployed_chain.run("unstake", "100", account=OUTSIDER)
    assert started.status == 0, started.err
    assert "in 720 blocks" in started.out
    early = await deployed_chain.run("unstake", "--complete", account=OUTSIDER)
    assert early.status == 2
    assert "still unbonding" in early.err

    await deployed_chain.rpc("anvil_mine", "0x2d0")
    ended = await deployed_chain.run("unstake", "--complete", account=OUTSIDER)
    assert ended.status == 0, ended.err
    bonded, pending, free = await stake_of(deployed_chain, outsider)
    assert (bonded * 10, pending, free) == (1505 * USDFC, 0, 100 * USDFC)


async def test_an_unbonding_that_was_cancelled_is_bonded_again(
    deployed_chain: Ape, accounts: LocalAccounts
) -> None:
    before = await stake_of(deployed_chain, accounts.owner(0).address)
    assert (await deployed_chain.run("unstake", "1", account="TEST::10")).status == 0
    cancelled = await deployed_chain.run("unstake", "--cancel", account="TEST::10")
    assert cancelled.status == 0, cancelled.err
    assert await stake_of(deployed_chain, accounts.owner(0).address) == before


async def test_staking_more_than_one_has_says_how_much_is_missing(deployed_chain: Ape) -> None:
    ran = await deployed_chain.run("stake", "1000000000", account=CLIENT)
    assert ran.status == 2
    assert "USDFC outside the wallet" in ran.err
    assert "ape run fund" in ran.err


async def test_unbonding_more_than_is_unlocked_says_how_much_can_be(deployed_chain: Ape) -> None:
    ran = await deployed_chain.run("unstake", "1000000000", account=CLIENT)
    assert ran.status == 2
    assert "0 USDFC can be unbonded now" in ran.err


async def test_an_amount_that_is_none_is_named(deployed_chain: Ape) -> None:
    ran = await deployed_chain.run("stake", "12,5", account=CLIENT)
    assert ran.status == 2
    assert "amount" in ran.err.lower()


async def test_scripts_say_that_nothing_is_deployed(empty: Ape) -> None:
    ran = await empty.run("stake", "1")
    assert ran.status == 2
    assert "no deployment for chain 31337" in ran.err
