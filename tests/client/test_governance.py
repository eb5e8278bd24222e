"""A proposal's life from the command line, and what each step says when it is not its turn."""

import pytest

PERIOD_S, TIMELOCK_S = 40, 5


@pytest.fixture
def later(anvil):
    async def skip(seconds):
        await anvil.rpc("evm_increaseTime", seconds)
        await anvil.mine()

    return skip


async def test_a_proposal_is_made_voted_on_queued_and_executed(shell, chain, later):
    holder, outsider = shell("deployer"), shell("outsider")
    shown = await holder("gov", "propose", "--set", "fee-bps=300", "--dry-run")
    made = await holder("gov", "propose", "--set", "fee-bps=300", "--yes", "--json")
    assert "fee-bps from" in shown.out
    assert made.code == 0, made.err
    number = made.json["proposal"]["proposalId"]
    early = await outsider("gov", "queue", number, "--yes")
    assert early.code == 1

    await later(2)
    voteless = await outsider("gov", "vote", number, "for", "--yes")
    priced = await holder("gov", "vote", number, "for", "--dry-run", "--json")
    assert int(priced.json["networkFee"]) > 0
    voted = await holder("gov", "vote", number, "for", "--reason", "It pays for audits", "--yes", "--json")
    twice = await holder("gov", "vote", number, "for", "--yes")
    assert "had no votes when this vote opened" in voteless.err
    assert voted.code == 0, voted.err
    assert int(voted.json["proposal"]["votesFor"]) > 0
    assert "has already voted" in twice.err

    await later(PERIOD_S)
    queued = await outsider("gov", "queue", number, "--yes", "--json")
    assert queued.code == 0, queued.err
    waiting = await outsider("gov", "execute", number, "--yes")
    assert "may be executed from" in waiting.err
    await later(TIMELOCK_S)
    executed = await outsider("gov", "execute", number, "--yes", "--json")
    assert executed.code == 0, executed.err
    assert executed.json["proposal"]["state"] == "executed"

    latest = await chain.call(chain.escrow.functions.latestParamsId())
    assert (await chain.call(chain.escrow.functions.paramsOf(latest)))[6] == 300
    (listed,) = (await outsider("gov", "list", "--json")).json
    assert (listed["proposalId"], listed["state"]) == (number, "executed")
    assert [call["function"] for call in listed["calls"]] == ["addParams", "addRules"]
    assert "TaskEscrow.addParams(" in (await outsider("gov", "show", number)).out


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("fees=3", "there is no parameter 'fees'"),
        ("fee-bps=70000", "fee-bps cannot be 70000"),
        ("fee-bps=much", "is not NAME=VALUE with a whole number"),
    ],
)
async def test_a_wrong_parameter_is_named(shell, setting, said):
    ran = await shell("deployer")("gov", "propose", "--set", setting, "--yes")

    assert ran.code == 2
    assert said in ran.err


async def test_what_the_contracts_would_refuse_is_refused_before_the_vote(shell):
    assert (await shell("deployer")("gov", "propose", "--set", "fee-bps=9999", "--yes")).code == 3


async def test_whoever_has_no_votes_cannot_propose_and_learns_how_to_get_some(shell, chain, accounts):
    ran = await shell("client")("gov", "propose", "--set", "fee-bps=300", "--yes")
    delegated = await shell("deployer")("gov", "delegate", accounts.client.address, "--yes", "--json")

    assert ran.code == 1
    assert "parity-client gov delegate" in ran.err
    assert delegated.code == 0, delegated.err
    assert int(delegated.json["votes"]) > 0


async def test_an_unknown_proposal_is_refused_in_the_governors_words(shell):
    assert (await shell()("gov", "show", "12")).code == 3
    assert (await shell()("gov", "show", "twelve")).code == 2
