"""The cost of a query, calculated before it runs: each object costs 1, multiplied by the lengths of the lists that contain it."""

from collections.abc import Iterator, Mapping

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from strawberry.extensions import SchemaExtension

from api.graphql.excess import nodes
from api.graphql.fragments import fragments_of
from api.paging import DEFAULT_PAGE

MAX_COST = 10_000

_LENGTHS = {
    "seats": 3,
    "timeline": 12,
    "tickets": 20,
    "models": 4,
    "parameters": 4,
    "calls": 2,
    "roundList": 10,
    "participants": 8,
    "contributionList": 8,
    "panels": 2,
    "votes": 5,
    "reports": 4,
}
"""How long a list without pages usually is; what is not here is one object."""
_LENGTH_ARGUMENTS = frozenset({"first", "last"})
_CONNECTION_PARTS = frozenset({"edges", "nodes", "node", "pageInfo"})

Fragments = Mapping[str, FragmentDefinitionNode]


class CostLimit(SchemaExtension):
    """Refuses an operation that costs more than `MAX_COST`, and says what it would cost."""

    def on_validate(self) -> Iterator[None]:
        """Reckon after validation, which refuses fragments that contain themselves: `ValidationCache` comes before."""
        self._reckon()
        yield

    def _reckon(self) -> None:
        context = self.execution_context
        if context.pre_execution_errors != [] or context.graphql_document is None:
            return
        cost = cost_of(context.graphql_document, context.variables or {})
        if cost > MAX_COST:
            extensions = {
                "code": "too-costly",
                "field": "query",
                "hint": "Ask for fewer rows a page, or for less of each.",
                "cost": cost,
                "limit": MAX_COST,
            }
            message = f"the query costs {cost}; the limit is {MAX_COST}"
            context.pre_execution_errors = [GraphQLError(message, extensions=extensions)]


def cost_of(document: DocumentNode, variables: Mapping[str, object]) -> int:
    """Reckon the dearest operation of a valid document."""
    fragments = fragments_of(document)
    return max(
        (
            _selected(definition.selection_set, fragments, variables)
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
        ),
        default=0,
    )


def depends_on_variables(document: DocumentNode) -> bool:
    """Return whether the length of some list is a variable's."""
    return any(
        isinstance(node, ArgumentNode)
        and node.name.value in _LENGTH_ARGUMENTS
        and isinstance(node.value, VariableNode)
        for node in nodes(document)
    )


def _selected(selections: SelectionSetNode, fragments: Fragments, variables: Mapping[str, object]) -> int:
    total = 0
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            total += _field(selection, fragments, variables)
        elif isinstance(selection, InlineFragmentNode):
            total += _selected(selection.selection_set, fragments, variables)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value in fragments:
            total += _selected(fragments[selection.name.value].selection_set, fragments, variables)
    return total


def _field(field: FieldNode, fragments: Fragments, variables: Mapping[str, object]) -> int:
    if field.selection_set is None:
        return 0
    inner = _selected(field.selection_set, fragments, variables)
    name = field.name.value
    if name in _CONNECTION_PARTS:
        return inner
    return _length(field, variables) * (1 + inner)


def _length(field: FieldNode, variables: Mapping[str, object]) -> int:
    for argument in field.arguments or ():
        if argument.name.value in _LENGTH_ARGUMENTS:
            value = argument.value
            if isinstance(value, IntValueNode):
                return max(int(value.value), 1)
            if isinstance(value, VariableNode):
                given = variables.get(value.name.value)
                return max(given, 1) if isinstance(given, int) else DEFAULT_PAGE
    if _is_connection(field):
        return DEFAULT_PAGE
    return _LENGTHS.get(field.name.value, 1)


def _is_connection(field: FieldNode) -> bool:
    selections = field.selection_set.selections if field.selection_set else ()
    return any(
        isinstance(selection, FieldNode) and selection.name.value in ("edges", "nodes")
        for selection in selections
    )
