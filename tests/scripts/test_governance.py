"""A proposal's whole life with `ape run`, and what each step says when it is not its turn."""

import re
from functools import partial

import pytest

from devnet.accounts import LocalAccounts
from protocol.chain import Chain
from protocol.deployment import Deployment, load_deployment
from scripts._encoding import encode_call
from tests.scripts.ape import Ape

OUTSIDER = "TEST::3"
PERIOD_S, TIMELOCK_S = 40, 5
FEE = 6
"""Where feeBps stands among the parameters."""
AUDIT_FEE = 3
"""Where auditFeeBps stands among the rules of audits."""
slow = partial(pytest.param, marks=pytest.mark.slow)


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


async def audit_rules(ape: Ape, versions: int) -> list[list[int]]:
    """The rules of audits of the first parameter versions."""
    async with Chain.connect(ape.url, load_deployment(31337, folder=ape.folder)) as chain:
        return [list(await chain.court.functions.rulesOf(n + 1).call()) for n in range(versions)]


async def session_params(ape: Ape) -> list[list[int]]:
    """All versions of the session parameters."""
    async with Chain.connect(ape.url, load_deployment(31337, folder=ape.folder)) as chain:
        latest = await chain.charter.functions.latestParamsId().call()
        return [list(await chain.charter.functions.paramsOf(n + 1).call()) for n in range(latest)]


async def carry_out(ape: Ape, number: str) -> None:
    """Vote for a proposal, and queue and execute it when its times have come."""
    for wait, step in (
        (2, ("vote", number, "for")),
        (PERIOD_S, ("queue", number)),
        (TIMELOCK_S, ("execute", number)),
    ):
        await ape.skip(wait)
        ran = await ape.run(*step)
        assert ran.status == 0, ran.err


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
    first, second = await audit_rules(deployed_chain, 2)
    assert second == first
    assert any(second)


async def test_one_proposal_changes_audits_and_sessions_and_leaves_the_rest(deployed_chain: Ape) -> None:
    number = await propose(deployed_chain, "--audit-fee-bps", "1000", "--session-tip", "20000")
    await carry_out(deployed_chain, number)
    assert await fees(deployed_chain) == [200, 200]
    first, second = await audit_rules(deployed_chain, 2)
    assert second == [*first[:AUDIT_FEE], 1000, *first[AUDIT_FEE + 1 :]]
    first, second = await session_params(deployed_chain)
    assert second == [20_000, *first[1:]]


@pytest.mark.slow
async def test_sessions_alone_get_no_new_task_parameters(deployed_chain: Ape) -> None:
    await carry_out(deployed_chain, await propose(deployed_chain, "--session-fee-bps", "100"))
    assert await fees(deployed_chain) == [200]
    assert len(await session_params(deployed_chain)) == 2


@pytest.mark.slow
async def test_rules_of_audits_are_those_of_the_newest_version_that_has_some(
    deployed_chain: Ape, deployment: Deployment
) -> None:
    async with Chain.connect(deployed_chain.url, deployment) as chain:
        params = await chain.escrow.functions.paramsOf(1).call()
    call = encode_call("TaskEscrow", "addParams", tuple(params))
    await deployed_chain.rpc("anvil_setBalance", deployment.timelock, hex(10**18))
    await deployed_chain.rpc("anvil_impersonateAccount", deployment.timelock)
    sent = {"from": deployment.timelock, "to": deployment.task_escrow, "data": "0x" + call.hex()}
    await deployed_chain.rpc("eth_sendTransaction", sent)

    await carry_out(deployed_chain, await propose(deployed_chain, "--fee-bps", "300"))
    assert await fees(deployed_chain) == [200, 200, 300]
    first, second, third = await audit_rules(deployed_chain, 3)
    assert not any(second)
    assert third == first


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
    # The clock stands again: on a busy machine the vote would be over before the third command is heard.
    await deployed_chain.rpc("anvil_setBlockTimestampInterval", 0)
    assert (await deployed_chain.run("vote", number, "against")).status == 0
    twice = await deployed_chain.run("vote", number, "for")
    assert twice.status == 2
    assert "already voted" in twice.err
    without = await deployed_chain.run("vote", number, "for", account=OUTSIDER)
    assert without.status == 2
    assert "had no votes when this vote opened" in without.err

    await deployed_chain.rpc("anvil_removeBlockTimestampInterval")
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
    ("option", "value", "status", "named"),
    [
        ("--fee-bps", "1001", 3, "The parameter feeBps is out of bounds."),
        ("--fee-bps", "200", 2, "nothing would change"),
        ("--session-max-misses", "0", 3, "maxMisses"),
        slow("--fee-bps", "70000", 2, "'--fee-bps'"),
        slow("--min-audit-bps", "0", 3, "The audit rule minAuditBps is out of bounds."),
        # Good for tasks alone, but a panel could not be drawn in time.
        slow("--panel-for", "2", 3, "The audit rule panelFor is out of bounds."),
    ],
)
async def test_what_could_not_be_carried_out_is_not_proposed(
    deployed_chain: Ape, option: str, value: str, status: int, named: str
) -> None:
    ran = await deployed_chain.run("propose", option, value)
    assert ran.status == status
    assert named in ran.err


async def test_a_proposal_that_is_not_there_is_named(deployed_chain: Ape) -> None:
    ran = await deployed_chain.run("vote", "12", "for")
    assert ran.status == 3
    assert "There is no proposal 12." in ran.err
