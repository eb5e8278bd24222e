"""From tokens and two keys to a runner, in one transaction that somebody else pays for."""

from collections.abc import AsyncIterator

import pytest

from devnet.accounts import LOCAL
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.errors import TransactionReverted
from protocol.money import USDFC
from protocol.sender import Sender
from runner.register import register_node, stake_and_register

OWNER, NODE = LOCAL.owner(9), LOCAL.node(9)
STAKE = 150 * USDFC


@pytest.fixture
async def chain(anvil: Anvil, deployment: Deployment) -> AsyncIterator[Chain]:
    """A chain on which the owner has tokens and not one wei of coin."""
    async with Chain.connect(anvil.url, deployment) as connected:
        relayer = Sender(connected, LOCAL.relayer)
        await relayer.send(connected.token.functions.mint(OWNER.address, STAKE), label="mint")
        await anvil.rpc("anvil_setBalance", OWNER.address, "0x0")
        yield connected


async def test_tokens_and_two_keys_become_a_runner_in_one_transaction(chain: Chain) -> None:
    receipt = await stake_and_register(
        chain, owner=OWNER, node=NODE, stake=STAKE, label="desk", sender=Sender(chain, LOCAL.relayer)
    )
    runner = await chain.call(chain.reputation.functions.runnerOf(NODE.address))
    assert runner[:2] == (OWNER.address, receipt.block_number)
    assert (await chain.call(chain.wallet.functions.stakeOf(OWNER.address)))[0] == STAKE
    assert await chain.call(chain.token.functions.balanceOf(OWNER.address)) == 0
    assert (
        await chain.call(
            chain.token.functions.allowance(OWNER.address, chain.deployment.stake_wallet),
        )
        == 0
    )


async def test_with_too_few_tokens_nothing_is_done(chain: Chain) -> None:
    with pytest.raises(TransactionReverted, match="stake is too low"):
        await stake_and_register(
            chain, owner=OWNER, node=NODE, stake=2 * STAKE, label="desk", sender=Sender(chain, LOCAL.relayer)
        )
    assert await chain.call(chain.token.functions.balanceOf(OWNER.address)) == STAKE


async def test_a_runner_that_retired_is_not_brought_back_by_somebody_else(chain: Chain) -> None:
    relayer = Sender(chain, LOCAL.relayer)
    await stake_and_register(chain, owner=OWNER, node=NODE, stake=100 * USDFC, label="desk", sender=relayer)
    await Sender(chain, NODE).send(chain.reputation.functions.retire(NODE.address), label="retire")
    with pytest.raises(TransactionReverted, match="retired"):
        await stake_and_register(chain, owner=OWNER, node=NODE, stake=USDFC, label="desk", sender=relayer)
    await relayer.send(chain.token.functions.mint(OWNER.address, 1), label="mint")
    await chain.w3.provider.make_request("anvil_setBalance", [OWNER.address, hex(10**18)])  # type: ignore[arg-type]  # its own method
    await register_node(chain, owner=Sender(chain, OWNER), node=NODE, label="desk")
