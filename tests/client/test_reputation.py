"""Runners seen by a client: record, standing, who watches whom, and reporting those who do not."""

import pytest

from protocol.sender import Sender
from tests.client.seats import NAME
from tests.monitored import enlist


@pytest.fixture
def node(accounts):
    return accounts.node(0).address


async def test_status_shows_a_runners_record_and_standing(shell, runners, depositor, node, accounts):
    submitted = await depositor.submit_prompt("Where?", model=NAME)
    await runners.answer(submitted.task_id)

    ran = await shell()("reputation", "status", "--runner-id", node, "--json")

    assert ran.code == 0, ran.err
    assert (ran.json["node"], ran.json["owner"]) == (node, accounts.owner(0).address)
    assert (ran.json["standing"], ran.json["right"], ran.json["level"]) == ("eligible", 1, "silver")
    assert int(ran.json["bonded"]) >= int(ran.json["neededStake"]) > 0
    assert "eligible: it may take seats" in (await shell()("reputation", "status", "--runner-id", node)).out


async def test_an_unknown_runner_is_said_to_be_unknown(shell, runners, accounts):
    ran = await shell()("reputation", "status", "--runner-id", accounts.outsider.address)

    assert ran.code == 1
    assert "nobody has registered it" in ran.err


async def test_a_retired_runner_is_not_eligible_and_the_command_says_so_by_its_status(
    shell, runners, chain, node, accounts
):
    assert (await shell()("reputation", "check-eligibility", "--runner-id", node)).code == 0
    await Sender(chain, accounts.node(0)).send(chain.reputation.functions.retire(node), label="retire")

    ran = await shell()("reputation", "check-eligibility", "--runner-id", node, "--json")

    assert ran.code == 1
    assert (ran.json["eligible"], ran.json["standing"], ran.json["reasons"]) == (
        False,
        "retired",
        ["it is retired"],
    )


async def test_eligibility_for_a_task_is_what_its_contract_would_answer(
    shell, runners, depositor, node, anvil
):
    submitted = await depositor.submit_prompt("Where?", model=NAME)
    ask = (
        "reputation",
        "check-eligibility",
        "--runner-id",
        node,
        "--task-id",
        "0x" + submitted.task_id.hex(),
    )

    early = await shell()(*ask, "--json")
    await anvil.mine(3)
    drawn = await shell()(*ask, "--json")

    assert (early.code, early.json["eligible"]) == (1, False)
    assert len(early.json["reasons"]) == 1
    assert (drawn.code, drawn.json["reasons"]) == (0, [])


async def test_the_result_document_is_written_as_the_chain_names_it(shell, runners, depositor, tmp_path):
    submitted = await depositor.submit_prompt("Where?", model=NAME)
    name, file = "0x" + submitted.task_id.hex(), tmp_path / "result.json"

    early = await shell()("task", "document", name)
    await runners.answer(submitted.task_id, "Paris.")
    ran = await shell()("task", "document", name, "-o", str(file), "--json")

    assert early.code == 1
    assert "has no result yet" in early.err
    assert ran.code == 0, ran.err
    answer = await depositor.answer(submitted.task_id)
    assert ran.json["cid"] == answer.result_cid
    assert b'"output":"Paris."' in file.read_bytes()


async def test_monitors_are_drawn_and_a_silent_one_can_be_reported_by_anybody(
    shell, runners, chain, anvil, accounts
):
    await enlist(chain, accounts)
    settings = await chain.call(chain.monitoring.functions.settings())
    await anvil.mine(max(settings[0], settings[5]))
    epoch = await chain.call(chain.monitoring.functions.epochAt(await chain.block_number())) + 1
    windows = await chain.call(chain.monitoring.functions.windowsOf(epoch))
    await anvil.mine(windows[0] + 1 - await chain.block_number())
    anyone = Sender(chain, accounts.relayer)
    await anyone.send(chain.monitoring.functions.openRound(epoch), label="open")
    monitoring = ("reputation", "monitoring")

    drawn = await shell()(*monitoring, "assignments", "--epoch", str(epoch), "--json")
    assert drawn.json, drawn.err
    duty = drawn.json[0]
    await anvil.mine(windows[3] + 1 - await chain.block_number())
    report = ("reputation", "report", "--monitor", duty["monitor"], "--runner-id", duty["target"])
    looked = await shell()(*report, "--round", str(epoch), "--dry-run")
    ran = await shell()(*report, "--round", str(epoch), "--yes", "--json")
    again = await shell()(*report, "--round", str(epoch), "--yes")

    assert looked.out.startswith("Report a monitor: not sent\n")
    assert "network fee  at most" in looked.out
    assert ran.code == 0, ran.err
    assert again.code == 3
    metrics = await shell()(*monitoring, "metrics", "--runner-id", duty["monitor"], "--json")
    stats = await shell()(*monitoring, "stats", "--json")
    assert metrics.json["marks"] == 1
    assert (stats.json["silent"], stats.json["lying"], stats.json["roundsOpened"]) == (1, 0, 1)
    mine = await shell()(*monitoring, "assignments", "--epoch", str(epoch), "--runner-id", duty["monitor"])
    assert "reported as silent or untrue" in mine.out


async def test_a_verdict_that_is_not_there_cannot_be_challenged(shell, runners, node):
    shown = await shell()("reputation", "challenge", "--runner-id", node, "--epoch", "1", "--dry-run")
    ran = await shell()("reputation", "challenge", "--runner-id", node, "--epoch", "1", "--yes")

    assert shown.code == ran.code == 3
    assert shown.err.splitlines()[-2] == ran.err.splitlines()[-2]
