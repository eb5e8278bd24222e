"""One prompt through everything: wallet, relay, escrow, lottery, model, reveal, settlement, index, GraphQL, commands."""

import asyncio
import json

import httpx
import pytest
from eth_account import Account

from client import Parity
from devnet.accounts import ACCOUNT_COUNT, LOCAL, account
from devnet.audit import count
from devnet.demo import PROMPT, client_settings, indexed, offered_model, run_demo
from protocol.enums import SeatState, TaskStatus
from protocol.money import USDFC, format_usdfc
from protocol.sender import Sender
from tests.end_to_end.leaks import logs_of, texts

pytestmark = pytest.mark.timeout(300)
EVERYONE = [account(index).address for index in range(ACCOUNT_COUNT)]


@pytest.fixture(scope="module")
async def outcome(network):
    """The demonstration job, done once."""
    return await run_demo(network)


async def test_a_prompt_is_answered_paid_and_accounted_for(outcome):
    assert {check.what: check.found for check in outcome.checks() if not check.holds} == {}
    assert "Paris" in outcome.answer.output
    assert outcome.answer.input_tokens > 0


async def test_graphql_reads_the_task_back(network, outcome):
    query = """query ($id: Bytes32!) { task(id: $id) {
        id status client reward paid fee returned specCid resultCid
        seats { node owner outcome } timeline { name txHash } prompt { prompt output }
    } }"""
    task = (await graphql(network, query, id="0x" + outcome.submitted.task_id.hex()))["task"]
    settlement = outcome.settlement
    assert (task["paid"], task["fee"], task["returned"]) == tuple(
        str(amount) for amount in (settlement.paid, settlement.fee, settlement.returned)
    )
    assert task["status"].lower() == "final"
    assert task["prompt"] == {"prompt": PROMPT, "output": outcome.answer.output}
    assert task["resultCid"] == outcome.answer.result_cid
    assert [seat["node"].lower() for seat in task["seats"]] == [node.lower() for node in outcome.winners]
    assert {"TaskSubmitted", "SeatClaimed", "SeatRevealed", "TaskFinalized"} <= {
        event["name"] for event in task["timeline"]
    }


async def test_the_command_line_reads_the_answer_back(shell, outcome):
    task_id = "0x" + outcome.submitted.task_id.hex()
    answer = await asyncio.to_thread(shell, f"parity-client llm get {task_id} --json")
    assert answer.returncode == 0, answer.stderr
    assert outcome.answer.output in json.dumps(json.loads(answer.stdout), ensure_ascii=False)


async def test_three_runners_agree_and_share_the_pay(network):
    outcome = await run_demo(network, replicas=3)
    assert {check.what: check.found for check in outcome.checks() if not check.holds} == {}
    assert len(outcome.winners) == 3
    assert len({payment.paid for payment in outcome.settlement.payments}) == 1


async def test_a_runner_killed_at_work_takes_up_its_seat_again_and_nothing_is_lost(network):
    wallet = Account.create()
    async with Parity.connect(client_settings(network), wallet) as parity:
        chain = parity.chain
        mint = chain.token.functions.mint(wallet.address, 10 * USDFC)
        await Sender(chain, LOCAL.outsider).send(mint, label="gift")
        before = await count(chain, [*EVERYONE, wallet.address])
        model = await offered_model(parity, replicas=1)
        # Long enough that the kill finds the model at work.
        submitted = await parity.submit_prompt(
            "Count from one to a thousand, in words.", model=model, max_tokens=900, via="relay"
        )
        number = await runner_with_the_seat(parity, submitted.task_id)
        await network.processes[f"runner-{number + 1}"].kill()
        seat = (await parity.record(submitted.task_id)).seats[0]
        assert seat.state is SeatState.CLAIMED, "the runner was done before it could be killed"
        await network.start_runner(number)
        answer = await parity.wait(submitted.task_id, timeout_s=180)
        record = await parity.record(submitted.task_id)
        after = await count(chain, [*EVERYONE, wallet.address])
        seen = await indexed(parity, submitted.task_id)
    assert answer.output
    assert record.status is TaskStatus.FINAL
    assert [(seat.node, seat.right) for seat in record.seats] == [(LOCAL.node(number).address, True)]
    assert record.settlement is not None
    assert record.settlement.slashed == 0
    assert after.total == before.total
    assert seen.paid_usdfc == format_usdfc(record.settlement.paid)


async def runner_with_the_seat(parity: Parity, task_id: bytes) -> int:
    async with asyncio.timeout(60):
        while True:
            if (await parity.progress(task_id)).claimed:
                node = (await parity.record(task_id)).seats[0].node
                return [one.address for one in LOCAL.nodes(3)].index(node)
            await asyncio.sleep(0.05)


async def graphql(network, query, **variables):
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{network.endpoints.server}/graphql", json={"query": query, "variables": variables}, timeout=10
        )
    body = answer.json()
    assert "errors" not in body, body["errors"]
    return body["data"]


async def test_the_logs_that_are_searched_for_secrets_are_those_of_every_process(network, outcome):
    assert PROMPT in (await texts(network)).values()
    assert {path.stem.split("-")[0] for path in logs_of(network)} == {"engine", "indexer", "runner", "server"}
