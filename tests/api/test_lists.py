"""Pages, filters and limits of lists."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.paging import _read_cursor
from api.queries.tasks import CREATED_DESC
from protocol.errors import InputError

from .conftest import Ask, Index, address, word

PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $order: TaskOrder! = CREATED_DESC, $where: TaskWhere) {
  tasks(first: $first, after: $after, last: $last, before: $before, orderBy: $order, where: $where) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


def ids(answer: Any) -> list[int]:
    return [int(edge["node"]["id"], 16) for edge in answer["data"]["tasks"]["edges"]]


async def walk(ask: Ask, *, size: int, backwards: bool, **variables: Any) -> list[int]:
    """Follow cursors from one end to the other."""
    seen: list[int] = []
    cursor = None
    while True:
        part = {"last": size, "before": cursor} if backwards else {"first": size, "after": cursor}
        answer = await ask(PAGE, **part, **variables)
        info = answer["data"]["tasks"]["pageInfo"]
        seen = ids(answer) + seen if backwards else seen + ids(answer)
        if not info["hasPreviousPage" if backwards else "hasNextPage"]:
            return seen
        cursor = info["startCursor" if backwards else "endCursor"]


@pytest.mark.parametrize("order", ["CREATED_DESC", "CREATED_ASC", "REWARD_DESC", "REWARD_ASC"])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_following_cursors_either_way_gives_every_row_once_and_in_order(
    index: Index, ask: Ask, order: str, size: int
) -> None:
    rewards = [5, 1, 10**25, 5, 5, 2, 3]
    for number, reward in enumerate(rewards, 1):
        await index.task(number, reward=reward)
    key = {"CREATED": lambda n: (10 + n // 2, n), "REWARD": lambda n: (rewards[n - 1], n)}[
        order.partition("_")[0]
    ]
    expected = sorted(range(1, 8), key=key, reverse=order.endswith("DESC"))
    assert await walk(ask, size=size, backwards=False, order=order) == expected
    assert await walk(ask, size=size, backwards=True, order=order) == expected


async def test_a_page_does_not_shift_when_rows_are_added_before_it(index: Index, ask: Ask) -> None:
    for number in range(1, 5):
        await index.task(number)
    first = await ask(PAGE, first=2)
    assert ids(first) == [4, 3]
    await index.task(9)
    assert ids(await ask(PAGE, first=2, after=first["data"]["tasks"]["pageInfo"]["endCursor"])) == [2, 1]


WHERES: list[tuple[dict[str, Any], list[int]]] = [
    ({"status": {"eq": "FINAL"}}, [3, 2]),
    ({"status": {"ne": "FINAL"}}, [4, 1]),
    ({"status": {"in": ["FINAL", "FAILED"]}}, [4, 3, 2]),
    ({"status": {"notIn": ["FINAL", "FAILED"]}}, [1]),
    ({"status": None}, [4, 3, 2, 1]),
    ({"reward": {"gt": "2", "lte": "4"}}, [4, 3]),
    ({"client": {"eq": "0x" + address(2).hex()}}, [2]),
    ({"node": {"eq": "0x" + address(101).hex()}}, [4]),
    ({"createdAt": {"gte": "2026-01-01T00:00:03Z"}}, [4, 3]),
    ({"createdBlock": {"lt": 11}}, [1]),
    ({"or": [{"client": {"eq": "0x" + address(2).hex()}}, {"status": {"eq": "FAILED"}}]}, [4, 2]),
    ({"not": {"status": {"eq": "FINAL"}, "reward": {"eq": "3"}}}, [4, 2, 1]),
    ({"and": [{"status": {"eq": "FINAL"}}, {"reward": {"lt": "3"}}]}, [2]),
    ({"id": {"in": ["0x" + word(1).hex(), "0x" + word(4).hex()]}}, [4, 1]),
    ({"and": []}, [4, 3, 2, 1]),
    ({"or": []}, []),
    (
        {"or": [{}, {"status": {"eq": "FAILED"}}]},
        [4, 3, 2, 1],
    ),  # nothing is demanded of the first: it always holds
    ({"not": {}}, []),
    ({"or": [{}] * 300_000}, [4, 3, 2, 1]),
]


@pytest.mark.parametrize(("where", "expected"), WHERES, ids=lambda value: str(value)[:60])
async def test_a_filter_keeps_what_it_says(
    index: Index, ask: Ask, where: dict[str, Any], expected: list[int]
) -> None:
    statuses = ["open", "final", "final", "failed"]
    for number, status in enumerate(statuses, 1):
        await index.task(number, status=status, reward=number, client=address(number))
    await index.seat(word(4), 1)
    assert ids(await ask(PAGE, first=10, where=where)) == expected


REFUSED: list[tuple[str, str, str]] = [
    ("{ tasks(first: 1001) { nodes { id } } }", "bad-request", "first"),
    (
        "{ tasks(first: 1000) { nodes { seats { runner { stake { free } } } timeline { name } } } }",
        "too-costly",
        "query",
    ),
    ("{ tasks(first: 0) { nodes { id } } }", "bad-request", "first"),
    ("{ tasks(first: 1, last: 1) { nodes { id } } }", "bad-request", "last"),
    ('{ tasks(after: "nonsense") { nodes { id } } }', "bad-request", "after"),
    (
        "{ tasks(where: {or: [%s]}) { nodes { id } } }" % ("{status: {eq: OPEN}}," * 110),
        "bad-request",
        "where",
    ),
    ("{ status(minBlock: 7) { head } }", "index-behind", ""),
]


@pytest.mark.parametrize(("query", "code", "field"), REFUSED, ids=lambda value: value[:40])
async def test_a_refused_query_says_which_argument_and_what_to_do(
    index: Index, ask: Ask, monkeypatch, query: str, code: str, field: str
) -> None:
    monkeypatch.setattr("api.graphql.operation.MIN_BLOCK_WAIT_S", 0.05)
    await index.sync(indexed=6)
    (error,) = (await ask(query))["errors"]
    assert error["extensions"]["code"] == code
    assert (error["extensions"]["field"] or "") == field
    assert error["extensions"]["hint"]


async def test_a_cursor_of_another_order_is_refused(index: Index, ask: Ask) -> None:
    await index.task()
    cursor = (await ask(PAGE))["data"]["tasks"]["pageInfo"]["endCursor"]
    answer = await ask(PAGE, after=cursor, order="REWARD_ASC")
    assert "belongs to the order created_desc" in answer["errors"][0]["message"]


LIMITS = [
    (f'{{ task(id: "0x{"00" * 32}") {{ {"prompt { task { " * 4} id {"} } " * 4} }} }}', "depth"),
    ("{" + " ".join(f"a{n}: status {{ head }}" for n in range(31)) + "}", "31 aliases"),
    ("{ status {" + "head " * 2000 + "} }", "tokens"),
]


@pytest.mark.parametrize(("query", "words"), LIMITS, ids=["depth", "aliases", "tokens"])
async def test_a_query_over_a_limit_is_told_which(ask: Ask, query: str, words: str) -> None:
    answer = await ask(query)
    assert words in answer["errors"][0]["message"]
    assert not answer.get("data")


BAD = [
    ('{ task(id: "0x12") { id } }', "not 32 bytes"),
    ('{ balance(account: "0x12") { free } }', "not an address"),
    ('{ balance(account: "0xF39fd6e51aad88F6F4ce6aB8827279cffFb92266") { free } }', "checksum"),
    ('{ tasks(where: {reward: {eq: "1.5"}}) { nodes { id } } }', "whole number"),
    ("{ tasks(where: {createdBlock: {eq: -1}}) { nodes { id } } }", "2^53"),
]


@pytest.mark.parametrize(("query", "words"), BAD, ids=lambda value: value[:30])
async def test_a_malformed_value_is_refused_before_anything_is_read(ask: Ask, query: str, words: str) -> None:
    assert words in (await ask(query))["errors"][0]["message"]


async def test_a_statement_over_its_time_is_cancelled_and_says_so(index: Index, serve: Any) -> None:
    await index.task()
    async with serve(database_url=index.url, statement_timeout_s=0.1) as client:
        async with index.connection.transaction():
            await index.connection.execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
            answer = await client.post("/graphql", json={"query": "{ tasks { nodes { id } } }"})
        assert answer.json()["errors"][0]["extensions"]["code"] == "statement-timeout"
        again = await client.post("/graphql", json={"query": "{ tasks { nodes { id } } }"})
        assert len(again.json()["data"]["tasks"]["nodes"]) == 1


async def test_a_read_that_names_a_block_waits_for_the_index_to_hold_it(index: Index, ask: Ask) -> None:
    await index.sync(indexed=5)
    reading = asyncio.ensure_future(ask("query($b: UInt) { status(minBlock: $b) { indexedBlock } }", b=8))
    for block in (6, 7, 8):
        await asyncio.sleep(0.05)
        await index.sync(indexed=block)
    assert (await reading)["data"]["status"] == {"indexedBlock": 8}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=40))
def test_no_text_is_a_cursor_by_accident(text: str) -> None:
    with pytest.raises(InputError):
        _read_cursor(CREATED_DESC, text, side="after")
