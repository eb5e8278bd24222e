"""The schema, its limits, and its text."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    ValidationCache,
)
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from api.graphql.cost import CostLimit
from api.graphql.excess import refuse_excess
from api.graphql.mutation import Mutation
from api.graphql.operation import ErrorsInWords, OneSnapshot, WaitForBlock
from api.graphql.query import Query
from api.graphql.scalars import SCALARS
from api.graphql.subscription import Subscription

MAX_DEPTH = 8
MAX_ALIASES = 30
MAX_TOKENS = 2000
CACHED_DOCUMENTS = 100
"""Documents whose parsing and validation are remembered beside the queries that `api.graphql.preparing` keeps."""

# Made once: what is remembered of a document's validation goes by the very rules.
LIMITS = [
    *QueryDepthLimiter(max_depth=MAX_DEPTH).validation_rules,
    *MaxAliasesLimiter(max_alias_count=MAX_ALIASES).validation_rules,
]


class BoundedParser(ParserCache):
    """Parses what was not parsed lately, and refuses fragments that multiply, before anything walks them."""

    def on_parse(self) -> Iterator[None]:
        """Parse, then count."""
        yield from super().on_parse()
        document = self.execution_context.graphql_document
        if document is not None:
            refuse_excess(document)


class QuietSchema(strawberry.Schema):
    """Leaves the logging of errors to `ErrorsInWords`, which knows a person's mistake from a fault of ours."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing."""


def build_schema() -> strawberry.Schema:
    """Build the schema. Limits apply to every operation, over HTTP and over websockets."""
    return QuietSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
            lambda: AddValidationRules(LIMITS),
            lambda: BoundedParser(maxsize=CACHED_DOCUMENTS),
            lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
            CostLimit,
            OneSnapshot,
            WaitForBlock,
            ErrorsInWords,
        ],
    )


def schema_text() -> str:
    """Write the schema in the schema definition language."""
    return print_schema(build_schema()).strip() + "\n"
