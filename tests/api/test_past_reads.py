"""Reads as of a block of the past, from the rows that the indexer keeps of it."""

from typing import Any

import pytest

from indexer.fold.history import FIXED
from indexer.tables import FOLDED_BY_NAME, as_of_function

from .conftest import Ask, Index, address, word
from .test_learning_reads import filled_row, hexed


@pytest.fixture
async def past(index: Index) -> Index:
    """An index whose past can be read, as a published one's can."""
    for name in FIXED:
        await index.connection.execute(as_of_function(FOLDED_BY_NAME[name]))
    await index.sync(indexed=50)
    return index


async def kept(index: Index, table: str, block: int, **given: Any) -> None:
    await filled_row(index, f"{table}_history", block_number=block, **given)


async def settled_task(index: Index) -> bytes:
    """A task that was opened at 10, claimed at 13 and settled at 20."""
    task_id = await index.task(1, status="final", paid=98, claimed=1, updated_block=20, result=word(5))
    await kept(index, "tasks", 10, task_id=task_id, status="open")
    await kept(index, "tasks", 13, task_id=task_id, status="committing", claimed=1)
    await kept(index, "tasks", 20, task_id=task_id, status="final", paid=98, claimed=1, result=word(5))
    await index.seat(task_id, 0, outcome="right", paid=98, state="revealed")
    await kept(index, "task_seats", 13, task_id=task_id, seat=0, state="claimed")
    await kept(index, "task_seats", 20, task_id=task_id, seat=0, state="revealed", outcome="right", paid=98)
    for block, name in ((10, "TaskSubmitted"), (13, "SeatClaimed"), (20, "TaskFinalized")):
        await index.event(task_id, name, log_index=block, block_number=block)
    return task_id


TASK = """query($id: Bytes32!, $block: UInt!) { task(id: $id, block: {number: $block}) {
  status paid updatedBlock seats { state outcome paid } timeline { name } } }"""


@pytest.mark.parametrize(
    ("block", "status", "seats", "events"),
    [(10, "OPEN", [], 1), (12, "OPEN", [], 1), (15, "COMMITTING", [("CLAIMED", None)], 2)],
)
async def test_a_task_is_told_as_it_was_with_all_that_hangs_on_it(
    past: Index, ask: Ask, block: int, status: str, seats: list[Any], events: int
) -> None:
    task_id = await settled_task(past)
    task = (await ask(TASK, id=hexed(task_id), block=block))["data"]["task"]
    assert (task["status"], task["paid"], len(task["timeline"])) == (status, "0", events)
    assert [(seat["state"], seat["outcome"]) for seat in task["seats"]] == seats


async def test_at_the_newest_block_the_past_is_the_present(past: Index, ask: Ask) -> None:
    task_id = await settled_task(past)
    now = await ask(
        TASK.replace(", block: {number: $block}", "").replace(", $block: UInt!", ""), id=hexed(task_id)
    )
    assert await ask(TASK, id=hexed(task_id), block=50) == now


async def test_before_it_was_submitted_there_was_no_task(past: Index, ask: Ask) -> None:
    task_id = await settled_task(past)
    assert (await ask(TASK, id=hexed(task_id), block=9))["data"]["task"] is None
    listed = await ask("{ tasks(block: {number: 9}) { nodes { id } } }")
    assert listed["data"]["tasks"]["nodes"] == []
    opened = await ask("{ tasks(block: {number: 12}, where: {status: {eq: OPEN}}) { nodes { status } } }")
    assert opened["data"]["tasks"]["nodes"] == [{"status": "OPEN"}]


async def test_a_block_that_is_not_indexed_yet_is_refused(past: Index, ask: Ask) -> None:
    (error,) = (await ask("{ tasks(block: {number: 51}) { nodes { id } } }"))["errors"]
    assert error["extensions"]["code"] == "index-behind"


async def test_runners_balances_and_channels_have_a_past_too(past: Index, ask: Ask) -> None:
    node = await past.runner(0, score=900_000)
    fixed = {"node": node, "owner": address(200), "label": word(0), "profile": word(300)}
    await kept(past, "runners", 1, status="active", registered_block=1, **fixed)
    await kept(past, "runner_reputation", 1, node=node, score=500_000)
    await kept(past, "runner_reputation", 30, node=node, score=900_000)
    await filled_row(past, "balances", account=address(200), bonded=7, updated_block=40)
    await kept(past, "balances", 5, account=address(200), bonded=3)
    await kept(past, "balances", 40, account=address(200), bonded=7)
    terms = {"payer": address(1), "node": node, "owner": address(200)}
    await filled_row(past, "channels", channel_id=word(1), status="closed", redeemed=9, deposited=9, **terms)
    await kept(past, "channels", 8, channel_id=word(1), status="open", deposited=9)
    await kept(past, "channels", 45, channel_id=word(1), status="closed", redeemed=9, deposited=9)
    answer = await ask(
        """query($n: Address!, $o: Address!) {
          then: runner(node: $n, block: {number: 20}) { score stake { bonded } heartbeat { version } }
          now: runner(node: $n) { score stake { bonded } }
          best: runners(block: {number: 20}) { nodes { score } }
          balance(account: $o, block: {number: 4}) { bonded }
          channels(block: {number: 20}) { nodes { status left } } }""",
        n=hexed(node),
        o=hexed(address(200)),
    )
    assert answer["data"] == {
        "then": {"score": 500_000, "stake": {"bonded": "3"}, "heartbeat": None},
        "now": {"score": 900_000, "stake": {"bonded": "7"}},
        "best": {"nodes": [{"score": 500_000}]},
        "balance": {"bonded": "0"},
        "channels": {"nodes": [{"status": "OPEN", "left": "9"}]},
    }


async def test_a_prompt_of_the_past_has_no_answer_yet(past: Index, ask: Ask) -> None:
    spec = await past.document({"kind": "llm", "model": "m@sha256:00", "prompt": "2+2?"}, kind="spec")
    result = await past.document(
        {"kind": "llm-result", "output": "4", "inputTokens": 1, "outputTokens": 1}, kind="result"
    )
    task_id = await past.task(1, spec=spec, result=result, status="final", paid=98)
    await kept(past, "tasks", 10, task_id=task_id, status="open")
    await kept(past, "tasks", 20, task_id=task_id, status="final", result=result, paid=98)
    query = "query($id: Bytes32!, $b: UInt!) { prompt(id: $id, block: {number: $b}) { status output cost } }"
    then = (await ask(query, id=hexed(task_id), b=12))["data"]["prompt"]
    assert then == {"status": "OPEN", "output": None, "cost": "0"}
    later = (await ask(query, id=hexed(task_id), b=20))["data"]["prompt"]
    assert later == {"status": "FINAL", "output": "4", "cost": "98"}


async def test_a_filter_of_the_past_looks_at_the_past(past: Index, ask: Ask) -> None:
    task_id = await settled_task(past)
    node = await past.runner(0)
    offered = {"kind": "runner-profile", "models": [{"name": "small", "context": 8}]}
    profile = await past.document(offered, kind="profile")
    fixed = {"node": node, "owner": address(200), "label": word(0)}
    await kept(past, "runners", 1, status="active", registered_block=1, profile=profile, **fixed)
    await kept(past, "runners", 15, status="active", registered_block=1, profile=word(301), **fixed)
    await kept(past, "runner_reputation", 1, node=node, score=500_000)
    query = """query($n: Address!, $b: UInt!) {
      tasks(block: {number: $b}, where: {node: {eq: $n}}) { nodes { id } }
      runners(block: {number: $b}, where: {model: {eq: "small"}}) { nodes { node } } }"""
    before = (await ask(query, n=hexed(node), b=12))["data"]  # the seat is claimed at block 13
    assert (before["tasks"]["nodes"], len(before["runners"]["nodes"])) == ([], 1)
    after = (await ask(query, n=hexed(node), b=15))["data"]
    assert (after["tasks"]["nodes"], after["runners"]["nodes"]) == ([{"id": hexed(task_id)}], [])
