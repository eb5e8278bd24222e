"""The guardian's one command, and what becomes of others who try it."""

import pytest

from devnet.accounts import LocalAccounts
from protocol.chain import Chain
from protocol.deployment import load_deployment
from protocol.errors import TransactionReverted
from tests.scripts.ape import Ape

GUARDIAN = "TEST::6"
OUTSIDER = "TEST::3"


async def test_the_guardian_pauses_deposits_and_they_begin_again_by_themselves(
    deployed_chain: Ape, accounts: LocalAccounts
) -> None:
    deployment = load_deployment(31337, folder=deployed_chain.folder)
    ran = await deployed_chain.run("pause", "StakeWallet", "20", account=GUARDIAN)
    assert ran.status == 0, ran.err
    assert "StakeWallet is paused until block" in ran.out
    async with Chain.connect(deployed_chain.url, deployment) as chain:
        deposit, client = chain.wallet.functions.deposit(1), accounts.client.address
        with pytest.raises(TransactionReverted, match="The guardian has paused"):
            await chain.call(deposit, sender=client)
        await chain.call(chain.wallet.functions.requestUnbond(1), sender=accounts.owner(0).address)
        await deployed_chain.rpc("anvil_mine", "0x14")
        with pytest.raises(TransactionReverted, match="may take 0 USDFC"):
            await chain.call(deposit, sender=client)

    again = await deployed_chain.run("pause", "StakeWallet", "20", account=GUARDIAN)
    assert again.status == 3
    assert "may be paused again from block" in again.err


@pytest.mark.parametrize(
    ("arguments", "account", "status", "named"),
    [
        (("TaskEscrow", "20"), OUTSIDER, 3, "may not do this"),
        (("TaskEscrow", "241"), GUARDIAN, 3, "A pause lasts 240 blocks at most, not 241"),
        (("RunnerReputation", "20"), GUARDIAN, 2, "TaskEscrow"),
        (("TaskEscrow", "0"), GUARDIAN, 2, "BLOCKS"),
    ],
)
async def test_what_cannot_be_paused_is_refused_with_the_reason(
    deployed_chain: Ape, arguments: tuple[str, ...], account: str, status: int, named: str
) -> None:
    ran = await deployed_chain.run("pause", *arguments, account=account)
    assert ran.status == status, ran.out + ran.err
    assert named in ran.err
