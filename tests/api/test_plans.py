"""The named queries of the benchmark read by index: none of their statements scans a table that grows."""

import json
import random
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from api.chain_link import ChainLink
from api.database import TURNS, Database, Snapshot
from api.feed import BlockFeed
from api.graphql.persisted import PersistedQueries
from api.graphql.preparing import PreparedQueries
from api.graphql.quick import QuickQueries
from api.graphql.schema import LIMITS, MAX_TOKENS, build_schema
from api.relay import Budget, Relay
from api.services import Services
from api.settings import ServerSettings
from api.shared.state import SharedState
from api.statements import Statement
from benchmarks.api_bench.dataset import fill
from benchmarks.api_bench.queries import NAMED, Named
from protocol.deployment import Deployment
from tests.api.conftest import address, word

TASKS = 40_000
SMALL = {"sync_state", "totals", "parameters", "runners", "runner_reputation"}
"""Tables of one row, or of one for each runner."""


class Explaining(Snapshot):
    """Keeps the plan of every statement that it runs."""

    plans: list[Any] = []  # noqa: RUF012  # shared by the snapshots of one test

    async def _run(self, statement: Statement) -> list[Any]:
        for options in ("FORMAT JSON", "FORMAT JSON, GENERIC_PLAN"):  # Postgres may use either
            explained = Statement(f"EXPLAIN ({options}) {statement.text}", statement.arguments)
            (row,) = await super()._run(explained)
            (plan,) = row.values()
            self.plans.append(json.loads(plan) if isinstance(plan, str) else plan)
        return await super()._run(statement)


class ExplainingDatabase(Database):
    def snapshot(self, *, once: bool = False, turns: int = TURNS) -> Snapshot:
        return Explaining(self.connections, once=once, turns=turns)


def scans(plan: Any) -> Iterator[str]:
    """Name the tables that a plan reads from end to end."""
    if isinstance(plan, list):
        for part in plan:
            yield from scans(part)
    elif isinstance(plan, dict):
        if plan.get("Node Type") in ("Seq Scan", "Parallel Seq Scan"):
            yield plan["Relation Name"]
        for value in plan.values():
            yield from scans(value)


@pytest.fixture(scope="session")
async def filled(postgres: Any) -> str:
    url = await postgres.create_database("plans")
    connection = await asyncpg.connect(url)
    await fill(connection, TASKS)
    await connection.close()
    return url


async def as_rows(query: str, variables: dict[str, Any], services: Services) -> Any:
    """Answer as `/graphql` does: from rows, where all that is asked stands in rows."""
    schema = build_schema()._schema  # strawberry has no public name for graphql-core's
    quick = QuickQueries(PreparedQueries(schema, rules=LIMITS, max_tokens=MAX_TOKENS), PersistedQueries())
    answer = await quick.answer(json.dumps({"query": query, "variables": variables}).encode(), services)
    assert answer is not None
    return json.loads(answer)


async def as_objects(query: str, variables: dict[str, Any], services: Services) -> Any:
    """Answer as Strawberry does: by the types' own resolvers."""
    answer = await build_schema().execute(query, variable_values=variables, context_value=services)
    assert answer.errors is None
    return {"data": answer.data}


async def scanned_by(
    query: str, variables: dict[str, Any], *, way: Any, filled: str, nowhere: Deployment
) -> set[str]:
    """Answer a query, which must find something, and name the tables that were read from end to end."""
    settings = ServerSettings(database_url=filled, _env_file=None)
    link, feed = ChainLink("http://127.0.0.1:9", nowhere), BlockFeed(filled)
    async with ExplainingDatabase(filled) as database, SharedState(filled) as shared:
        relay = Relay(link, None, state=shared, budget=Budget(shared, intents=1, window_s=1.0))
        services = Services(
            settings=settings, database=database, feed=feed, link=link, relay=relay, shared=shared
        )
        Explaining.plans = []
        answer = await way(query, variables, services)
    assert "errors" not in answer
    assert all(answer["data"].values()), answer
    assert Explaining.plans
    return {table for plan in Explaining.plans for table in scans(plan)}


@pytest.mark.parametrize("way", [as_rows, as_objects])
@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.name)
async def test_a_named_query_scans_no_table_that_grows(
    filled: str, nowhere: Deployment, named: Named, way: Any
) -> None:
    variables = dict(named.ours.variables(random.Random(1), TASKS))
    assert await scanned_by(named.ours.query, variables, way=way, filled=filled, nowhere=nowhere) <= SMALL


VOTERS_AND_PAYERS = [
    "{ votes { nodes { voter } } }",
    "{ votes(orderBy: WEIGHT_DESC, last: 3) { nodes { voter } } }",
    '{ votes(where: {proposalId: {eq: "7"}, support: {eq: FOR}}) { nodes { voter } } }',
    '{ votes(where: {proposalId: {eq: "7"}}, orderBy: WEIGHT_DESC) { nodes { voter } } }',
    '{ votes(where: {voter: {eq: "%s"}}, orderBy: WEIGHT_DESC) { nodes { voter } } }',
    "{ vouchers { nodes { channel { id } runner { node } } } }",
    '{ vouchers(where: {payer: {eq: "%s"}}) { nodes { amount } } }',
    '{ vouchers(where: {node: {eq: "%s"}}, orderBy: REDEEMED_ASC) { nodes { amount } } }',
    '{ vouchers(where: {channelId: {eq: "%s"}}) { nodes { amount } } }',
    "{ channels { nodes { vouchers(first: 5) { nodes { amount } } } } }",
    "{ channels(where: {status: {eq: OPEN}}) { nodes { left } } }",
    '{ account(address: "%s") { votes { nodes { weight } } } }',
    '{ account(address: "%s") { vouchersPaid { nodes { amount } } vouchersReceived { nodes { amount } } } }',
]


@pytest.mark.parametrize("query", VOTERS_AND_PAYERS)
async def test_votes_and_vouchers_are_found_by_index(filled: str, nowhere: Deployment, query: str) -> None:
    some = word(7) if "channelId" in query else address(7)
    query = query.replace("%s", "0x" + some.hex())
    assert await scanned_by(query, {}, way=as_rows, filled=filled, nowhere=nowhere) <= SMALL
