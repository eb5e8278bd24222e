"""The client's queries and the server's schema are one."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from client import api, billing, queries, recent
from client.reputation import views

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "schema.graphql"


@pytest.mark.parametrize(
    "query",
    [*queries.QUERIES, *views.QUERIES, billing.BILLING, recent.RECENT],
    ids=lambda query: query.split()[1].partition("(")[0],
)
def test_a_query_asks_only_for_what_the_schema_has(query):
    schema = build_schema(SCHEMA.read_text())

    assert validate(schema, parse(query)) == []


def test_a_query_with_an_unknown_field_is_caught():
    schema = build_schema(SCHEMA.read_text())

    assert validate(schema, parse(queries.STATUS.replace("reorgs", "reorganisations")))


@pytest.mark.parametrize(
    ("query", "kind", "path"),
    [
        (queries.STATUS, api.IndexStatus, ("status",)),
        (queries.TASK, api.TaskView, ("task",)),
        (queries.PROMPTS, api.PromptView, ("prompts", "nodes")),
        (queries.RUNNERS, api.RunnerView, ("runners", "nodes")),
        (views.LEADERBOARD, views.Ranked, ("runners", "nodes")),
        (views.EVENTS, views.ScoreChange, ("reputationEvents", "nodes")),
        (views.FIGURES, views.Figures, ("networkStats",)),
        (billing.BILLING, billing.Bill, ("billing",)),
        (recent.RECENT, recent.Settled, ("prompts", "nodes")),
    ],
)
def test_a_record_has_a_place_for_every_field_asked_and_asks_for_every_field_it_has(query, kind, path):
    selection = parse(query).definitions[0].selection_set
    for name in path:
        selection = next(f for f in selection.selections if f.name.value == name).selection_set
    asked = {field.name.value for field in selection.selections}

    assert asked == {field.alias for field in kind.model_fields.values()}
