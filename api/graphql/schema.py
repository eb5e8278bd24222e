"""The schema, its limits, and its text."""

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from api.graphql.mutation import Mutation
from api.graphql.operation import ErrorsInWords, OneSnapshot, WaitForBlock
from api.graphql.query import Query
from api.graphql.scalars import SCALARS
from api.graphql.subscription import Subscription

MAX_DEPTH = 8
MAX_ALIASES = 30
MAX_TOKENS = 2000


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
            lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
            lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
            OneSnapshot,
            WaitForBlock,
            ErrorsInWords,
        ],
    )


def schema_text() -> str:
    """Write the schema in the schema definition language."""
    return print_schema(build_schema()).strip() + "\n"
