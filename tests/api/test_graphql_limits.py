"""Costs, persisted queries, and the promise that the schema keeps to its clients."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse
from graphql.utilities import find_breaking_changes

from api.graphql.cost import cost_of
from api.graphql.schema import schema_text

from .conftest import Ask, Index, Serve

ROOT = Path(__file__).parents[2]
SCHEMA = "docs/reference/schema.graphql"

COSTS = [
    ("{ status { head } }", {}, 1),
    ("{ tasks(first: 5) { nodes { id } } }", {}, 5),
    ("{ tasks { nodes { id } } }", {}, 20),
    ("query($n: Int) { tasks(first: $n) { edges { node { seats { node } } } } }", {"n": 10}, 40),
    ("{ ...A } fragment A on Query { tasks(last: 2) { nodes { ... on Task { prompt { id } } } } }", {}, 4),
    ("{ a: status { head } b: status { head } }", {}, 2),
]


@pytest.mark.parametrize(("query", "variables", "cost"), COSTS, ids=lambda value: str(value)[:30])
def test_a_query_costs_what_it_reads(query: str, variables: dict[str, Any], cost: int) -> None:
    assert cost_of(parse(query), variables) == cost


async def test_a_query_over_the_cost_is_told_what_it_costs(index: Index, ask: Ask) -> None:
    await index.sync(indexed=1)
    query = "query($n: Int!) { tasks(first: $n) { nodes { seats { runner { stake { free } } } timeline { name } } } }"
    answer = await ask(query, n=1000)
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("too-costly", 10_000)
    assert error["extensions"]["cost"] > 10_000
    assert not answer.get("data")
    assert (await ask(query, n=10))["data"]["tasks"]["nodes"] == []
    assert (await ask("{ tasks(first: 1000) { nodes { id } } }"))["data"]["tasks"]["nodes"] == []


def persisted(query: str) -> dict[str, Any]:
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


async def test_a_persisted_query_is_sent_once_and_known_to_every_process(index: Index, serve: Serve) -> None:
    await index.sync(indexed=7)
    query = "{ status { indexedBlock } }"
    async with serve(database_url=index.url) as one, serve(database_url=index.url) as other:
        body: dict[str, Any] = {"extensions": persisted(query)}
        unknown = (await one.post("/graphql", json=body)).json()
        assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        first = await one.post("/graphql", json={**body, "query": query})
        again = await other.post("/graphql", json=body)
        assert first.json() == again.json() == {"data": {"status": {"indexedBlock": 7}}}


async def test_a_digest_of_another_document_is_refused(client: httpx.AsyncClient) -> None:
    for extensions in (
        persisted("{ other }"),
        {"persistedQuery": {"version": 2, "sha256Hash": "00" * 32}},
        {"persistedQuery": "x"},
    ):
        answer = await client.post(
            "/graphql", json={"query": "{ status { head } }", "extensions": extensions}
        )
        assert answer.json()["errors"][0]["extensions"]["code"] == "bad-request"
        assert answer.json()["data"] is None


def test_the_schema_breaks_nothing_that_was_committed_before() -> None:
    before = _committed()
    if before is None:
        pytest.skip("no earlier commit to compare with")
    changes = find_breaking_changes(build_schema(before), build_schema(schema_text()))
    assert [change.description for change in changes] == [], "clients rely on what they were promised"


def test_what_would_break_clients_is_found() -> None:
    text = schema_text()
    broken = text.replace("indexedBlock: UInt!", "indexedBlock: UInt", 1)
    assert broken != text
    assert find_breaking_changes(build_schema(text), build_schema(broken))


def _committed() -> str | None:
    """Give the schema as of where this branch left the main line, or of the commit before."""
    for revision in ("origin/main", "main"):
        base = _git("merge-base", "HEAD", revision)
        if base and base != _git("rev-parse", "HEAD"):
            return _git("show", f"{base}:{SCHEMA}")
    return _git("show", f"HEAD~1:{SCHEMA}")


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


async def test_fragments_that_double_with_every_level_are_refused_before_anything_walks_them(
    client: httpx.AsyncClient,
) -> None:
    fragments = " ".join(f"fragment F{n} on Query {{ ...F{n - 1} ...F{n - 1} }}" for n in range(1, 151))
    query = "{ ...F150 } fragment F0 on Query { status { head } } " + fragments
    for answer in (
        await client.post("/graphql", json={"query": query}),
        await client.get("/graphql", params={"query": query}),
    ):
        assert answer.status_code == 200
        (error,) = answer.json()["errors"]
        assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("too-many-fragments", 500)
