"""Planned queries answer as Strawberry's executor does, which still answers what comes by GET."""

import json
import random
from typing import Any

import httpx
import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type

from api.graphql.schema import build_schema

from .conftest import Index, address, word

SCHEMA: GraphQLSchema = build_schema()._schema  # strawberry has no public name for graphql-core's
ARGUMENTS = {
    "task": f'(id: "0x{word(1).hex()}")',
    "prompt": f'(id: "0x{word(1).hex()}")',
    "runner": f'(node: "0x{address(100).hex()}")',
    "balance": f'(account: "0x{address(1).hex()}")',
    "tasks": "(first: 2)",
    "runners": "(first: 2)",
    "prompts": "(last: 2)",
    "reputationEvents": "(first: 2)",
    "channels": "",
    "vouchers": "(first: 2)",
    "votes": "(orderBy: WEIGHT_DESC)",
    "sessions": "",
    "models": "",
    "parameters": "",
    "status": "",
    "networkStats": "",
    "billingDays": "(days: 400)",
}


def selection(of: GraphQLObjectType, chance: random.Random, depth: int) -> str:
    """Write a random selection, with aliases, fragments and directives."""
    parts = ["__typename"] if chance.random() < 0.2 else []
    names = [name for name, field in of.fields.items() if not field.args and name != "tickets"]
    for name in chance.sample(names, min(len(names), chance.randint(1, 6))):
        named = get_named_type(of.fields[name].type)
        if is_leaf_type(named):
            part = name
        elif depth:
            assert isinstance(named, GraphQLObjectType)
            part = f"{name} {selection(named, chance, depth - 1)}"
        else:
            continue
        part = chance.choice(
            [part, part, f"... on {of.name} {{ {part} }}", f"...@include(if: $yes) {{ {part} }}"]
        )
        parts.append(part)
    scalars = [name for name in names if is_leaf_type(get_named_type(of.fields[name].type))]
    if scalars:
        parts.append(f"renamed: {chance.choice(scalars)} @skip(if: $no)")
    return f"{{ {' '.join(parts) or '__typename'} }}"


def question(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)  # no secret
    assert SCHEMA.query_type is not None
    roots = []
    for name in chance.sample(sorted(ARGUMENTS), 2):
        named = get_named_type(SCHEMA.query_type.fields[name].type)
        assert isinstance(named, GraphQLObjectType)
        roots.append(f"{name}{ARGUMENTS[name]} {selection(named, chance, 3)}")
    variables = {"yes": chance.random() < 0.8, "no": chance.random() < 0.3}
    return {"query": f"query($yes: Boolean!, $no: Boolean!) {{ {' '.join(roots)} }}", "variables": variables}


async def both(client: httpx.AsyncClient, body: dict[str, Any]) -> tuple[Any, Any]:
    parameters = {"query": body["query"], "variables": json.dumps(body.get("variables") or {})}
    planned = await client.post("/graphql", json=body)
    other = await client.get("/graphql", params=parameters)
    return planned.json(), other.json()


async def filled(index: Index) -> None:
    await index.sync(indexed=20)
    spec = await index.document({"kind": "llm", "model": "m@sha256:00", "prompt": "2+2?"}, kind="spec")
    result = await index.document({"kind": "llm-result", "output": "4", "inputTokens": 5}, kind="result")
    await index.runner(0)
    for number in (1, 2, 3):
        task_id = await index.task(number, spec=spec, result=result, status="final", winners=0b11, paid=98)
        await index.seat(task_id, 0, state="revealed", outcome="right", paid=49, result=result)
        await index.seat(task_id, 1, state="claimed", outcome="missed", slashed=10)
        await index.event(task_id, "TaskSubmitted", log_index=number)
        await index.channel(number)
        await index.voucher(number, block=number)
        await index.vote(number, block=number, support="against")


async def test_random_queries_have_equal_answers(index: Index, client: httpx.AsyncClient) -> None:
    await filled(index)
    answered = 0
    for seed in range(60):
        planned, other = await both(client, question(seed))
        assert planned == other, question(seed)["query"]
        answered += "errors" not in planned
    assert answered > 30


FAULTS = [
    "{ tasks(first: 5, last: 5) { nodes { id } } status { head } }",
    '{ a: tasks(after: "x") { nodes { id } } }',
    "{ billing(days: 0) { model } }",
    "{ billingDays(days: 1000) { day } status { head } }",
    "{ status(minBlock: 4000000) { head } }",
    '{ task(id: "0x12") { id } }',
    "{ nothing }",
    "{ task { id } }",
    "{",
]


@pytest.mark.parametrize("query", FAULTS)
async def test_a_fault_is_said_in_the_same_words(index: Index, client: httpx.AsyncClient, query: str) -> None:
    await index.sync(indexed=20)
    planned, other = await both(client, {"query": query})
    assert planned["errors"]
    assert planned == other
