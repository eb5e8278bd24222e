"""A proposal's whole life with `ape run`, and what each step says when it is not its turn."""

import re

import pytest

from devnet.accounts import LocalAccounts
from protocol.chain import Chain
from protocol.deployment import load_deployment
from tests.scripts.ape import Ape

OUTSIDER = "TEST::3"
PERIOD_S, TIMELOCK_S = 40, 5
FEE = 6
"""Where feeBps stands among the parameters."""


async def propose(ape: Ape, *options: str) -> str:
    ran = await ape.run("propose", *options)
    assert ran.status == 0, ran.err
    found = re.search(r"^Proposal (\d+)$", ran.out, flags=re.MULTILINE)
    assert found, ran.out
    return found[1]


async def fees(ape: Ape) -> list[int]:
    """feeBps of each parameter version."""
    async with Chain.connect(ape.url, load_deployment(31337, folder=ape.folder)) as chain:
        latest = await chain.escrow.functions.latestParamsId().call()
        return [(await chain.escrow.functions.paramsOf(n + 1).call())[FEE] for n in range(latest)]


async def test_a_proposal_is_voted_queued_and_executed_each_in_its_time(deployed_chain: Ape) -> None:
    number = await propose(deployed_chain, "--fee-bps", "300", "--description", "A higher fee")
    await deployed_chain.skip(2)
    voted = await deployed_chain.run("vote", number, "for", "--reason", "it is worth it")
    assert voted.status == 0, voted.err
    assert "100,000,000 votes for" in voted.out
    open_still = await deployed_chain.run("queue", number)
    assert open_still.status == 2
    assert re.search(r"the vote is open until .* UTC, in \d+ s", open_still.err)

    await deployed_chain.skip(PERIOD_S)
    not_queued = await deployed_chain.run("execute", number)
    assert not_queued.status == 2
    assert "not queued yet" in not_queued.err
    # The clock is stopped, so that the delay cannot be over by itself before the next look.
    await deployed_chain.rpc("anvil_setBlockTimestampInterval", 0)
    queued = await deployed_chain.run("queue", number, account=OUTSIDER)
    assert queued.status == 0, queued.err
    early = await deployed_chain.run("execute", number)
    assert early.status == 2
    assert re.search(r"may be executed from .* UTC, in 5 s", early.err)
    assert await fees(deployed_chain) == [200]

    await deployed_chain.rpc("anvil_removeBlockTimestampInterval")
    await deployed_chain.skip(TIMELOCK_S)
    executed = await deployed_chain.run("execute", number, account=OUTSIDER)
    assert executed.status == 0, executed.err
    assert "parameter version 2" in executed.out
    assert await fees(deployed_chain) == [200, 300]
    checked = await deployed_chain.run("check-deployment", account=None)
    assert checked.status == 0, checked.err
    assert "Governed: parameter version 2" in checked.out


async def test_votes_are_refused_in_words_before_the_vote_twice_and_without_tokens(
    deployed_chain: Ape,
) -> None:
    await deployed_chain.rpc("anvil_setBlockTimestampInterval", 0)
    number = await propose(deployed_chain, "--fee-bps", "300")
    early = await deployed_chain.run("vote", number, "for")
    assert early.status == 2
    assert re.search(r"not open yet: it opens .* UTC, in \d s", early.err)
    await deployed_chain.rpc("anvil_removeBlockTimestampInterval")
    await deployed_chain.skip(5)
    assert (await deployed_chain.run("vote", number, "against")).status == 0
    twice = await deployed_chain.run("vote", number, "for")
    assert twice.status == 2
    assert "already voted" in twice.err
    without = await deployed_chain.run("vote", number, "for", account=OUTSIDER)
    assert without.status == 2
    assert "had no votes when this vote opened" in without.err

    await deployed_chain.skip(PERIOD_S)
    defeated = await deployed_chain.run("queue", number)
    assert defeated.status == 2
    assert "is defeated: 0 for, 100,000,000 against, 0 abstain (quorum 4,000,000)" in defeated.err


async def test_proposing_takes_votes_which_a_holder_can_delegate(
    deployed_chain: Ape, accounts: LocalAccounts
) -> None:
    few = await deployed_chain.run("propose", "--fee-bps", "300", account=OUTSIDER)
    assert few.status == 2
    assert "has 0 votes and proposing takes 100,000" in few.err
    assert "ape run delegate" in few.err
    delegated = await deployed_chain.run("delegate", accounts.outsider.address)
    assert delegated.status == 0, delegated.err
    assert f"{accounts.outsider.address} has 100000000 votes" in delegated.out.replace(",", "")
    await deployed_chain.skip(2)
    proposed = await deployed_chain.run("propose", "--fee-bps", "300", account=OUTSIDER)
    assert proposed.status == 0, proposed.err


@pytest.mark.parametrize(
    ("fee", "status", "named"),
    [
        ("1001", 3, "The parameter feeBps is out of bounds."),
        ("70000", 2, "'--fee-bps'"),
        ("200", 2, "nothing would change"),
    ],
)
async def test_what_could_not_be_carried_out_is_not_proposed(
    deployed_chain: Ape, fee: str, status: int, named: str
) -> None:
    ran = await deployed_chain.run("propose", "--fee-bps", fee)
    assert ran.status == status
    assert named in ran.err


async def test_a_proposal_that_is_not_there_is_named(deployed_chain: Ape) -> None:
    ran = await deployed_chain.run("vote", "12", "for")
    assert ran.status == 3
    assert "There is no proposal 12." in ran.err
