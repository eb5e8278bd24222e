"""The schema, its limits, and its text."""

from collections.abc import Iterator
from typing import Any

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
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from api.graphql.cost import CostLimit
from api.graphql.excess import refuse_excess
from api.graphql.mutation import Mutation
from api.graphql.operation import ErrorsInWords, OneSnapshot, WaitForBlock, require_operation
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
    """Parses what was not parsed lately, and refuses fragments that multiply, before anything walks them.

    It also refuses a document in which the operation is not found, of which Strawberry would take the first.
    """

    def on_parse(self) -> Iterator[None]:
        """Parse, then count."""
        yield from super().on_parse()
        context = self.execution_context
        if context.graphql_document is not None:
            refuse_excess(context.graphql_document)
            require_operation(context.graphql_document, context._provided_operation_name)  # noqa: SLF001  # its public one may be the first's


class QuietSchema(strawberry.Schema):
    """Leaves the logging of errors to `ErrorsInWords`, which knows a person's mistake from a fault of ours.

    What is answered once can be no subscription.
    """

    async def execute(self, *arguments: Any, **named: Any) -> ExecutionResult:
        """Execute a query or a mutation."""
        allowed = named.pop("allowed_operation_types", None) or set(OperationType)
        named["allowed_operation_types"] = set(allowed) - {OperationType.SUBSCRIPTION}
        return await super().execute(*arguments, **named)

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        # What `BoundedParser` refuses is an answer. Over a websocket it would end the operation without a word.
        try:
            return await super()._prepare_operation_async(context, extensions_runner)
        except GraphQLError as error:
            return PreExecutionError(data=None, errors=[error])

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
