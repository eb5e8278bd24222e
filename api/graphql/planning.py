"""Queries compiled once into plans: what graphql-core's executor works out for every field of every row is worked out in advance.

A plan says, for each place of a selection, how its value is read from the parent, how it is written, and where a null may
stand. `api.graphql.running` walks it. The same resolvers are called as graphql-core would call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from api.graphql.fragments import fragments_of
from api.graphql.resolving import Resolver

Write = Callable[[Any], Any]
Read = Callable[[Any], Any]
Flags = Mapping[str, bool]
"""Values of the variables that `@skip` and `@include` ask for."""

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF


class NotPlannable(Exception):  # no error: graphql-core executes it instead
    """The operation has a part that plans do not cover, such as introspection."""


class BadItem(Exception):
    """An item of a list of scalars could not be written; `index` says which."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(str(cause))
        self.index = index
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Shape:
    """A type, taken apart: whether null may stand there, and, of a list, its items' shape."""

    nullable: bool
    item: "Shape | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """One place of a selection. `up` is how far above it a null lands that may not stand here."""

    key: str
    nodes: list[FieldNode]
    parent: GraphQLObjectType
    definition: GraphQLField
    shape: Shape
    up: int
    read: Read | None
    """Reads the value from the parent's; None where the resolver wants to know more, such as arguments."""
    resolve: Resolver | None
    """What is called where there is no `read`."""
    waits: bool
    write: Write | None
    """Writes a scalar, an enum or a list of them; None for objects."""
    selection: "Selection | None"

    @property
    def name(self) -> str:
        """Return the field's name, which an alias may hide."""
        return self.nodes[0].name.value


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of one type of object, in the order of the answer."""

    fields: tuple[FieldPlan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled query."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    selection: Selection


def plan_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, flags: Flags
) -> Plan:
    """Compile a query of a valid document; raises `NotPlannable`."""
    fragments = fragments_of(document)
    assert schema.query_type is not None
    planner = _Planner(schema, fragments, flags)
    return Plan(
        schema, operation, fragments, planner.selection(schema.query_type, [operation.selection_set], depth=0)
    )


def flags_asked(document: DocumentNode) -> frozenset[str]:
    """Name the variables that decide over parts of the document."""
    return frozenset(_flags(document))


def _flags(node: Any) -> Iterator[str]:
    for definition in node.definitions:
        yield from _flags_within(definition.selection_set)


def _flags_within(selections: SelectionSetNode) -> Iterator[str]:
    for selection in selections.selections:
        for directive in selection.directives or ():
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value
        below = getattr(selection, "selection_set", None)
        if below is not None:
            yield from _flags_within(below)


class _Planner:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], flags: Flags
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._flags = flags

    def selection(
        self, parent: GraphQLObjectType, sets: Sequence[SelectionSetNode], *, depth: int
    ) -> Selection:
        """Compile what is asked of a type; `depth` is how far up the nearest null may stand, from its fields."""
        collected: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for each in sets:
            self._collect(each, collected, visited)
        return Selection(
            tuple(self._field(parent, key, nodes, depth=depth) for key, nodes in collected.items())
        )

    def _collect(
        self, selections: SelectionSetNode, collected: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        # There are no interfaces and no unions: a valid fragment is always of the very type.
        for selection in selections.selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                collected.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                self._collect(selection.selection_set, collected, visited)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
                visited.add(selection.name.value)
                self._collect(self._fragments[selection.name.value].selection_set, collected, visited)

    def _included(self, selection: Any) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name not in ("skip", "include"):
                raise NotPlannable
            (argument,) = directive.arguments
            value = argument.value
            flag = self._flags[value.name.value] if isinstance(value, VariableNode) else value.value
            if flag == (name == "skip"):
                return False
        return True

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode], *, depth: int) -> FieldPlan:
        name = nodes[0].name.value
        if name == "__typename":
            return _typename(parent, key, nodes)
        definition = parent.fields.get(name)
        if definition is None:
            raise NotPlannable
        shape = _shape(definition.type)
        up = 1 + depth if not shape.nullable else 0
        named = get_named_type(definition.type)
        field = strawberry_field_of(definition)
        read = _reader(field, definition)
        selection = None
        if is_object_type(named):
            sets = [node.selection_set for node in nodes if node.selection_set is not None]
            selection = self.selection(named, sets, depth=_depth_below(shape, up))
        elif not is_leaf_type(named):
            raise NotPlannable
        return FieldPlan(
            key=key,
            nodes=nodes,
            parent=parent,
            definition=definition,
            shape=shape,
            up=up,
            read=read,
            resolve=None if read else Resolver(self._schema, field, definition, nodes[0]),
            waits=field.is_async,
            write=writer_of(definition.type) if is_leaf_type(named) else None,
            selection=selection,
        )


def strawberry_field_of(definition: GraphQLField) -> StrawberryField:
    """Return the declaration of a field."""
    field: StrawberryField = definition.extensions[_DEFINITION]
    return field


def kind_of(definition: GraphQLField) -> type | None:
    """Return the class of the objects that a field gives; None if it gives none, or none of ours."""
    declared = get_named_type(definition.type).extensions.get(_DEFINITION)
    return declared.origin if isinstance(declared, StrawberryObjectDefinition) else None


def _typename(parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> FieldPlan:
    def name(_value: object) -> str:
        return parent.name

    return FieldPlan(
        key=key,
        nodes=nodes,
        parent=parent,
        definition=GraphQLField(parent),
        shape=Shape(nullable=False),
        up=0,
        read=name,
        resolve=None,
        waits=False,
        write=name,
        selection=None,
    )


def _shape(of: GraphQLOutputType) -> Shape:
    nullable = not is_non_null_type(of)
    inner = of if nullable else of.of_type  # type: ignore[union-attr]
    return Shape(nullable, _shape(inner.of_type) if is_list_type(inner) else None)


def _depth_below(shape: Shape, up: int) -> int:
    """Return how far up a null lands that comes from within an object of this shape; of lists, from within an item."""
    while shape.item is not None:
        up = 0 if shape.item.nullable else up + 1
        shape = shape.item
    return up


def _reader(field: StrawberryField, definition: GraphQLField) -> Read | None:
    resolver = field.base_resolver
    if resolver is None:
        return attrgetter(field.python_name)
    if field.extensions:
        raise NotPlannable
    if definition.args or resolver.info_parameter is not None:
        return None
    if resolver.self_parameter is None and resolver.parent_parameter is None:
        return None
    return cast("Read", resolver.wrapped_func)


def writer_of(of: GraphQLOutputType) -> Write:
    """Make what writes a value of a leaf type, or of a list of them; null stays null, where it may be."""
    if is_non_null_type(of):
        write = writer_of(of.of_type)

        def required(value: Any) -> Any:
            if value is None:
                raise TypeError("null")
            return write(value)

        return required
    if not is_list_type(of):
        return _leaf(of)  # type: ignore[arg-type]
    write_item, nullable = writer_of(of.of_type), not is_non_null_type(of.of_type)

    def listed(values: Any) -> list[Any]:
        written = []
        for index, value in enumerate(values):
            try:
                written.append(None if value is None and nullable else write_item(value))
            except Exception as error:
                # A border: whatever a scalar's writer raises belongs to this item.
                raise BadItem(index, error) from error
        return written

    return listed


def _leaf(of: GraphQLLeafType) -> Write:
    if isinstance(of, GraphQLEnumType):
        return _enum(of)
    return of.coerce_output_value


def _enum(of: GraphQLEnumType) -> Write:
    """Write members of the enumeration, and their values as rows have them."""
    slow, known = of.coerce_output_value, {}
    for name, value in of.values.items():
        known[value.value] = name
    for member in getattr(of, "wrapped_cls", ()):
        known[member] = known[member.value]

    def write(value: Any) -> Any:
        return known.get(value) or slow(value)

    return write
