"""One GraphQL operation: its snapshot, its wait for a block, and its errors."""

from collections.abc import AsyncIterator, Mapping
from types import TracebackType

import asyncpg
import strawberry
import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension

from api.database import TURNS
from api.graphql.direct import Rows, Unusual
from api.graphql.reading import Reading
from api.graphql.scalars import UInt
from api.problems import problem_of
from api.services import Services
from protocol.errors import ParityError

MIN_BLOCK_WAIT_S = 5.0

log = structlog.get_logger(__name__)


class Operation:
    """What resolvers find in `info.context`. `reading` is opened at its first use and renewed for each event."""

    exceeded = False
    """Whether it was to read once, and had to read more."""

    unusual = False
    """Whether rows were not as the schema has them, so that objects have to be asked for."""

    def __init__(
        self,
        services: Services,
        *,
        once: bool = False,
        turns: int = TURNS,
        asked: Mapping[str, Rows] | None = None,
    ) -> None:
        self.services = services
        self.asked = asked or {}
        """What is asked of rows in root fields that may be answered with them, by the field's key in the answer."""
        self._once = once
        self._turns = turns
        self._reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """Return the operation's reading."""
        if self._reading is None:
            services = self.services
            database = services.database
            snapshot = database.snapshot(once=True, turns=self._turns) if self._once else database.snapshot()
            self._reading = Reading(snapshot, services.link, services.shared)
        return self._reading

    async def renew(self) -> Reading:
        """Return a reading of now, for the next event of a subscription."""
        await self.close()
        return self.reading

    async def close(self) -> None:
        """Close the reading, if there is one."""
        reading, self._reading = self._reading, None
        if reading is not None:
            self.exceeded = reading.snapshot.exceeded
            await reading.close()


Info = strawberry.Info[Operation, None]


@strawberry.input(
    description="A block of the past. At it, what hangs on the answer is as it was at the end of that block too."
)
class BlockInput:
    number: UInt


def asked_by(info: Info) -> Rows | None:
    """Return what a root field asks of rows; None if it wants objects."""
    return info.context.asked.get(str(info.path.key))


class noting_unusual:  # noqa: N801  # a context manager reads as a verb
    """Note that rows were not as the schema has them, for whoever executes the query."""

    def __init__(self, info: Info) -> None:
        self._info = info

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Unusual):
            self._info.context.unusual = True


async def reading_of(info: Info, min_block: int | None, block: BlockInput | None = None) -> Reading:
    """Return the reading that a field asks for; `IndexBehind` if the index does not hold the blocks."""
    reading = info.context.reading
    number = block.number if block else None
    await reading.require(max((given for given in (min_block, number) if given is not None), default=None))
    return reading.at(number)


class OneSnapshot(SchemaExtension):
    """Provides every operation, and every event of a subscription, a snapshot of its own, and closes it."""

    async def on_operation(self) -> AsyncIterator[None]:
        operation = Operation(self.execution_context.context)
        self.execution_context.context = operation
        try:
            yield
        finally:
            await operation.close()

    async def on_stream_result(self, _result: object) -> AsyncIterator[None]:
        # Closed before the event is sent, so that a slow reader holds no connection.
        await self.execution_context.context.close()
        yield


class WaitForBlock(SchemaExtension):
    """Waits, before anything is read, until the index holds the highest `minBlock` asked for."""

    async def on_execute(self) -> AsyncIterator[None]:
        context = self.execution_context
        document = context.graphql_document
        wanted = wanted_block(document, context.variables or {}) if document else None
        if wanted is not None:
            feed = context.context.services.feed
            await feed.wait_for(wanted, timeout_s=MIN_BLOCK_WAIT_S)
        yield


class ErrorsInWords(SchemaExtension):
    """Adds to errors a `code`, a `field` and a `hint`; hides what only a developer should see, and logs it."""

    async def on_operation(self) -> AsyncIterator[None]:
        yield
        put_in_words(getattr(self.execution_context.result, "errors", None))

    async def on_stream_result(self, result: object) -> AsyncIterator[None]:
        put_in_words(getattr(result, "errors", None))
        yield


def require_operation(document: DocumentNode, name: str | None) -> None:
    """Raise `GraphQLError` unless the document has the operation of this name or, without one, exactly one."""
    if get_operation_ast(document, name) is not None:
        return
    names = [
        one.name.value if one.name else "one without a name"
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode)
    ]
    wrong = "several operations and no operationName" if name is None else f"no operation {name!r:.80}"
    raise GraphQLError(
        f"the document has {wrong}" if names else "the document has no operation",
        extensions={
            "code": "bad-request",
            "field": "operationName" if names else "query",
            "hint": f"Pass one of these as operationName: {', '.join(names):.300}." if names else "Add one.",
        },
    )


def wanted_block(document: DocumentNode, variables: Mapping[str, object]) -> int | None:
    """Return the highest `minBlock` that a document asks for."""
    heights: list[int] = []
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        for selection in operation.selection_set.selections:
            for argument in (selection.arguments or ()) if isinstance(selection, FieldNode) else ():
                if argument.name.value == "minBlock":
                    value = _integer(argument.value, variables)
                    heights.extend([value] if value is not None else [])
    return max(heights, default=None)


def _integer(node: object, variables: Mapping[str, object]) -> int | None:
    if isinstance(node, IntValueNode):
        return int(node.value)
    value = variables.get(node.name.value) if isinstance(node, VariableNode) else None
    return value if isinstance(value, int) else None


def put_in_words(errors: list[GraphQLError] | None) -> None:
    """Put errors in words for those who asked, in place."""
    for index, error in enumerate(errors or ()):
        assert errors is not None
        errors[index] = _in_words(error)


def _in_words(error: GraphQLError) -> GraphQLError:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error
    if isinstance(cause, ParityError):
        problem = problem_of(cause)
        return _replaced(error, problem.detail, problem.extensions())
    if isinstance(cause, asyncpg.PostgresError):
        log.error("statement failed", exc_info=cause)
    else:
        log.error("resolver failed", path=error.path, exc_info=cause)
    return _replaced(error, "The server failed on this field; its log says why.", {"code": "internal"})


def _replaced(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)
