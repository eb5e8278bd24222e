"""Requests made to break something: each is refused in words that name what is wrong, and none is a fault of the server."""

import base64
import hashlib
import json
from typing import Any

import httpx
import pytest

from .conftest import Index
from .test_subscriptions import opened

JSON = {"Content-Type": "application/json"}
ID = "0x" + "00" * 32

WHERE = [
    ("prompts", "PromptWhere", {"clientId": {"eq": "a\0b"}}),
    ("billing", "BillingWhere", {"model": {"in": ["m", "\0"]}}),
    ("runners", "RunnerWhere", {"model": {"eq": "\0"}}),
]


def graphql(query: str, variables: object = None) -> str:
    return json.dumps({"query": query, "variables": variables or {}})


async def post(client: httpx.AsyncClient, body: str | bytes) -> httpx.Response:
    answer = await client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code in (200, 400), answer.text
    for error in answer.json().get("errors", ()):
        assert error.get("extensions", {}).get("code") != "internal", error
    return answer


@pytest.mark.parametrize(("name", "kind", "where"), WHERE, ids=lambda value: str(value)[:20])
async def test_text_that_no_database_stores_is_refused_in_variables(
    index: Index, client: httpx.AsyncClient, name: str, kind: str, where: dict[str, Any]
) -> None:
    await index.sync(indexed=1)
    query = f"query($w: {kind}) {{ {name}(where: $w) {{ __typename }} }}"
    answer = await post(client, graphql(query, {"w": where}))
    assert answer.status_code == 400
    assert "variables.w." in answer.json()["detail"]
    assert "U+0000" in answer.json()["detail"]


async def test_text_that_no_database_stores_is_refused_in_literals(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=1)
    query = r'{ prompts(where: {clientId: {eq: "\u0000"}}) { __typename } }'
    (error,) = (await post(client, graphql(query))).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("bad-request", "where")


UNREADABLE = [
    rb'{"query": "{ status { head } }", "operationName": "\ud800"}',
    rb'{"query": "query($k: String!) { intent(kind: $k) }", "variables": {"k": "\udfff"}}',
    b'{"query": "\xff"}',
    b'"x"',
    b"7",
    b"null",
    b"",
    b"[" * 100_000,
    b'{"query": "{ status { head } }", "variables": {"w": ' + b"[" * 65 + b"]" * 65 + b"}}",
    b'{"query": "{ status { head } }", "variables": {"w": ' + b'{"and":[' * 500 + b"]}" * 500 + b"}}",
    b'{"query": "{ status { head } }", "variables": {"w": ' + b"9" * 5000 + b"}}",
    b'{"query": "{ status { head } }", "variables": {"w": 1e999}}',
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[-30:]))
async def test_a_body_that_cannot_be_read_is_refused_by_graphql_and_rest_alike(
    index: Index, client: httpx.AsyncClient, body: bytes
) -> None:
    await index.sync(indexed=1)
    for path in ("/graphql", "/api/v1/tasks"):
        answer = await client.post(path, content=body, headers=JSON)
        assert answer.status_code == 400, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_batch_is_refused_clearly_however_long(client: httpx.AsyncClient) -> None:
    for count in (0, 1, 10_000):
        answer = await client.post("/graphql", json=[{"query": "{ status { head } }"}] * count)
        assert answer.status_code == 400
        assert "Batching" in answer.json()["detail"]


TOO_MUCH = [
    ("{" + " ".join(f"a{n}: status {{ head }}" for n in range(31)) + "}", "aliases"),
    ("{ tasks { nodes {" + " ".join(f"a{n}: id" for n in range(400)) + "} } }", "aliases"),
    ("{ status " + "@skip(if: false) " * 400 + "{ head } }", "tokens"),
    ("{" + "a{" * 900 + "b" + "}" * 901, "nested"),
    ("{ tasks(where: " + "[" * 900 + "]" * 900 + ") { nodes { id } } }", "nested"),
    ("{ tasks(first: " + "9" * 5000 + ") { nodes { id } } }", "digits"),
    ("{ status(minBlock: " + "9" * 5000 + ") { head } }", "digits"),
    ("{ tasks(first: 2147483647) { nodes { id } } }", "costs"),
    ("{" + "status { head } " * 31 + "}", "more than 30 times"),
    ("{ status {" + "head " * 31 + "} }", "more than 30 times"),
    ("{" + "status { head head head head } " * 8 + "}", "more than 30 times"),
    (
        (
            "{ status { ...A ...B ... { head } } }"
            f" fragment A on Status {{ {'head ' * 15} }} fragment B on Status {{ {'head ' * 15} }}"
        ),
        "more than 30 times",
    ),
    (
        "{ status { ...A } } fragment A on Status { head ...B } fragment B on Status { ...A }",
        "itself",
    ),
    ("{ tasks { nodes { ...A } } } fragment A on Task { seats { task { ...A } } }", "itself"),
]


@pytest.mark.parametrize(("query", "said"), TOO_MUCH, ids=lambda value: value[:25])
async def test_a_query_of_too_much_is_refused_and_the_limit_named(
    index: Index, client: httpx.AsyncClient, query: str, said: str
) -> None:
    await index.sync(indexed=1)
    (error,) = (await post(client, graphql(query))).json()["errors"]
    assert said in error["message"]


async def test_fields_may_come_together_from_fragments(index: Index, client: httpx.AsyncClient) -> None:
    await index.sync(indexed=1)
    query = (
        "{"
        + "...A status { ...B } " * 15
        + "} fragment A on Query { status { head ...B } } fragment B on Status { head }"
    )
    assert (await post(client, graphql(query))).json() == {"data": {"status": {"head": 1}}}


async def test_a_runners_name_is_text_that_a_screen_shows_as_it_stands(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=1)
    label = "de\x1b[31msk\u202e\x01\n".encode().ljust(32, b"\0")
    node = await index.runner(0, label=label)
    answer = await post(client, graphql("{ runners { nodes { name label } } }"))
    assert answer.json()["data"]["runners"]["nodes"] == [{"name": "de[31msk", "label": "0x" + label.hex()}]
    assert (await client.get(f"/api/v1/runners/0x{node.hex()}")).json()["label"] == "de[31msk"
    assert "\x1b" not in (await client.get("/")).text


@pytest.mark.parametrize("first", [-(2**31), -1, 0, 1001])
async def test_a_page_has_from_one_to_a_thousand_rows(
    index: Index, client: httpx.AsyncClient, first: int
) -> None:
    await index.sync(indexed=1)
    for argument in ("first", "last"):
        query = f"query($n: Int) {{ tasks({argument}: $n) {{ nodes {{ id }} }} }}"
        (error,) = (await post(client, graphql(query, {"n": first}))).json()["errors"]
        assert "from 1 to 1000 rows" in error["message"]


WIDE = [
    ("runners", "RunnerWhere", {"score": {"gte": 2**53 - 1}}),
    ("tasks", "TaskWhere", {"reward": {"gt": str(2**256 - 1)}}),
]


@pytest.mark.parametrize(("name", "kind", "where"), WIDE, ids=lambda value: str(value)[:40])
async def test_a_number_larger_than_its_column_matches_nothing(
    index: Index, client: httpx.AsyncClient, name: str, kind: str, where: dict[str, Any]
) -> None:
    await index.sync(indexed=1)
    await index.runner(0)
    await index.task(1)
    query = f"query($w: {kind}) {{ {name}(where: $w) {{ nodes {{ __typename }} }} }}"
    assert (await post(client, graphql(query, {"w": where}))).json()["data"] == {name: {"nodes": []}}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_outside_all_calendars_is_refused(
    index: Index, client: httpx.AsyncClient, moment: str
) -> None:
    await index.sync(indexed=1)
    query = "query($w: TaskWhere) { tasks(where: $w) { nodes { id } } }"
    (error,) = (await post(client, graphql(query, {"w": {"createdAt": {"gt": moment}}}))).json()["errors"]
    assert "ISO 8601" in error["message"]


FORGED = [
    ["created_desc", ID, "1"],
    ["created_desc", "1", "2"],
    ["created_desc", str(2**63), ID],
    ["created_desc", "-1", ID],
    ["created_desc", "9" * 5000, ID],
    ["created_desc", "1"],
    ["created_desc", None, {}],
    {},
]


@pytest.mark.parametrize("content", FORGED, ids=lambda value: str(value)[:30])
async def test_a_forged_cursor_is_refused_before_the_database_sees_it(
    index: Index, client: httpx.AsyncClient, content: object
) -> None:
    await index.sync(indexed=1)
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    query = "query($c: String) { tasks(after: $c) { nodes { id } } }"
    (error,) = (await post(client, graphql(query, {"c": cursor}))).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("bad-request", "after")


async def test_a_document_with_a_nought_in_it_is_answered_and_not_kept(
    index: Index, client: httpx.AsyncClient
) -> None:
    await index.sync(indexed=7)
    query = "{ status { head } } # \0"
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
    parameters = {"query": query, "extensions": json.dumps(named)}
    answer = await client.get("/graphql", params=parameters)
    assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/llm/prompts?clientId=a%00", "clientId"),
        ("/api/v1/llm/billing/metrics?clientId=%00", "clientId"),
        ("/api/v1/runners?model=%00", "model"),
        ("/api/v1/tasks?first=" + "9" * 4000, "first"),
        ("/api/v1/tasks/%00", "id"),
    ],
    ids=lambda value: value[:30],
)
async def test_rest_names_the_parameter_that_it_cannot_use(
    index: Index, client: httpx.AsyncClient, path: str, field: str
) -> None:
    await index.sync(indexed=1)
    answer = await client.get(path)
    assert (answer.status_code, answer.json().get("field")) == (400, field), answer.text


TWO = "query A { __typename } query B { __typename }"


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        (TWO, None, "several operations"),
        (TWO, "C", "no operation 'C'"),
        ("{ __typename }", "", "no operation ''"),
        ("fragment f on Task { id }", None, "no operation"),
        ("{ tasks(first: %s) { nodes { id } } }" % ("1" * 101), None, "a number has 101 digits"),
    ],
)
async def test_a_document_without_the_one_operation_is_refused_over_http_and_websocket_alike(
    client: httpx.AsyncClient, query: str, name: str | None, words: str
) -> None:
    body = {"query": query, "operationName": name}
    (error,) = (await post(client, json.dumps(body))).json()["errors"]
    assert words in error["message"]
    async with opened(client) as socket:
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": body}))
        message = json.loads(await socket.recv())
    assert message["type"] == "error"
    assert message["payload"][0]["message"] == error["message"]


async def test_a_subscription_over_http_is_shown_the_way(client: httpx.AsyncClient) -> None:
    answer = await post(client, graphql("subscription { block { number } }"))
    assert (answer.status_code, "graphql-transport-ws" in answer.json()["hint"]) == (400, True)
