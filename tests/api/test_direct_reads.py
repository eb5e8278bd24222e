"""What a query asks of rows is read and written as it stands there; all else is as the types' resolvers say."""

from typing import Any

import httpx
import pytest
from graphql import parse
from graphql.utilities import get_operation_ast

from api.graphql.direct import Rows, rows_asked
from api.graphql.planning import plan_of
from api.graphql.schema import build_schema
from api.statements import Tables
from benchmarks.api_bench.queries import NAMED

from .conftest import Ask, Index, address, word
from .test_planned_queries import both

SCHEMA = build_schema()._schema  # strawberry has no public name for graphql-core's


def asked(query: str) -> dict[str, Rows]:
    document = parse(query)
    operation = get_operation_ast(document)
    assert operation is not None
    return rows_asked(plan_of(SCHEMA, document, operation, {}))


@pytest.mark.parametrize(
    ("name", "roots"),
    [
        ("task page", {"task"}),
        ("leaderboard", {"runners"}),
        ("runner profile", {"runner", "reputationEvents"}),
        ("session with rounds", {"session"}),
    ],
)
def test_the_pages_that_are_asked_most_are_read_without_objects(name: str, roots: set[str]) -> None:
    (named,) = (one for one in NAMED if one.name == name)
    assert asked(named.ours.query).keys() == roots


def test_only_the_columns_that_are_asked_for_are_read() -> None:
    rows = asked("{ tasks { nodes { id rewardUsdfc seats { paid node } } } }")["tasks"]
    assert rows.over("SELECT", Tables(), also=frozenset({"created_block"})) == (
        'SELECT level0."task_id" AS "task_id", level0."reward" AS "reward",'
        ' ARRAY(SELECT ROW(level1."paid"::text, level1."node") FROM ('
        'SELECT s.* FROM task_seats s WHERE s.task_id = level0."task_id" ORDER BY s.task_id, s.seat) AS level1)'
        ' AS "seats below", level0."created_block" AS "created_block" FROM (SELECT) AS level0'
    )


@pytest.mark.parametrize(
    "query",
    [
        "{ tasks { nodes { id tickets { rank } } } }",  # drawn on the chain
        '{ session(id: "0x00") { id roundList { contributionList { slot } } } }',
        "{ tasks { nodes { id } edges { node { payer } } } }",
        "{ tasks { pageInfo { hasNextPage } } }",
    ],
)
def test_what_does_not_stand_in_rows_is_left_to_the_resolvers(query: str) -> None:
    assert asked(query) == {}


@pytest.mark.parametrize(
    "query",
    [
        "{ prompt(id: %s) { prompt model } }",
        "{ prompts { nodes { model } } status { head } task(id: %s) { id } }",
    ],
)
async def test_a_row_that_is_not_as_the_schema_has_it_is_said_in_the_resolvers_words(
    index: Index, client: httpx.AsyncClient, query: str
) -> None:
    await index.sync(indexed=20)
    spec = await index.document({"kind": "llm", "prompt": "A prompt for no model"}, kind="spec")
    task_id = await index.task(1, spec=spec)
    body = {"query": query.replace("%s", f'"0x{task_id.hex()}"')}
    planned, other = await both(client, body)
    assert planned["errors"][0]["path"][-1] == "model"
    assert planned == other


WHERE = (
    "query($node: Address, $first: Int) { reputationEvents(first: $first, where: {%s}) { nodes { node } } }"
)


@pytest.mark.parametrize("filters", ["node: {eq: $node}", "node: {in: [$node]}", "node: {ne: $node}"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"node": None},
        {"node": "0x" + address(100).hex()},
        {"node": "0x" + address(100).hex(), "first": 1},
    ],
)
async def test_variables_in_arguments_are_taken_as_strawberry_takes_them(
    index: Index, client: httpx.AsyncClient, filters: str, variables: dict[str, Any]
) -> None:
    await index.sync(indexed=20)
    planned, other = await both(client, {"query": WHERE % filters, "variables": variables})
    assert planned == other


async def test_one_request_does_not_see_anothers_variables(index: Index, ask: Ask) -> None:
    await index.sync(indexed=20)
    for number in (1, 2):
        await index.task(number, payer=address(number))
    query = "query($payer: Address!) { tasks(where: {payer: {eq: $payer}}) { nodes { id } } }"
    for number in (1, 2, 1):
        answer = await ask(query, payer="0x" + address(number).hex())
        assert answer["data"]["tasks"]["nodes"] == [{"id": "0x" + word(number).hex()}]
