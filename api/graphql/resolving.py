"""Resolvers called with arguments that are converted once per query; each request only fills in the values of variables.

Strawberry finds out for every request how arguments are named and of which types they are. Here it converts them once,
with holes where the variables are; each request gets a copy with the holes filled, and what has none as it is. What cannot be converted with holes in it,
such as an input object that is a variable as a whole, is converted for each request.
"""

import dataclasses
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, cast

from graphql import FieldNode, GraphQLField, GraphQLResolveInfo, GraphQLSchema, VariableNode, Visitor, visit
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField


class Resolver:
    """A field's resolver, for one place of a query."""

    def __init__(
        self, schema: GraphQLSchema, field: StrawberryField, definition: GraphQLField, node: FieldNode
    ) -> None:
        assert field.base_resolver is not None
        self._call = cast("Callable[..., Any]", field.base_resolver.wrapped_func)
        self._takes_self = field.base_resolver.self_parameter is not None
        self._parent = field.base_resolver.parent_parameter
        self._info = field.base_resolver.info_parameter
        strawberry_schema = schema._strawberry_schema  # type: ignore[attr-defined]  # noqa: SLF001  # its only name
        self._types = strawberry_schema.schema_converter.scalar_registry
        self._config = strawberry_schema.config
        self._field, self._definition, self._node = field, definition, node
        self._variables = _variables_in(node)
        holes = {name: _Hole(name) for name in self._variables}
        self._settled: dict[str, Any] | None
        try:
            self._settled = self._converted(VariableValues({}, holes))
        except Exception:  # noqa: BLE001  # whatever is wrong is said when values are
            self._settled = None
        self._fills = _fills_in(self._settled or {})

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        """Call it as Strawberry would."""
        arguments = self._arguments(info.variable_values)
        if self._parent is not None:
            arguments[self._parent.name] = source
        if self._info is not None:
            arguments[self._info.name] = self._config.info_class(_raw_info=info, _field=self._field)
        return self._call(source, **arguments) if self._takes_self else self._call(**arguments)

    def _arguments(self, variables: VariableValues) -> dict[str, Any]:
        given = variables.coerced
        if self._settled is None or any(given.get(name) is None for name in self._variables):
            return self._converted(variables)
        return self._settled | {name: fill(given) for name, fill in self._fills.items()}

    def _converted(self, variables: VariableValues) -> dict[str, Any]:
        values = get_argument_values(self._definition, self._node, variables)
        return convert_arguments(values, self._field.arguments, self._types, self._config)


@dataclasses.dataclass(frozen=True, slots=True)
class _Hole:
    """Where a variable's value goes."""

    variable: str


Fill = Callable[[Mapping[str, Any]], Any]
"""Makes a value from those of the variables."""


def _fills_in(values: Mapping[str, Any]) -> dict[str, Fill]:
    return {name: fill for name, value in values.items() if (fill := _fill_of(value)) is not None}


def _fill_of(value: Any) -> Fill | None:
    """Compile what makes a value with its holes filled; None if it has none, so that all requests may have the same."""
    if isinstance(value, _Hole):
        return itemgetter(value.variable)
    if isinstance(value, list):
        fills = [_fill_of(item) for item in value]
        if not any(fills):
            return None
        return lambda given: [fill(given) if fill else item for item, fill in zip(value, fills, strict=True)]
    if dataclasses.is_dataclass(value):
        return _fill_of_input(value)
    return None


def _fill_of_input(value: Any) -> Fill | None:
    parts = _fills_in(vars(value))
    if not parts:
        return None

    def fill(given: Mapping[str, Any]) -> Any:
        made = object.__new__(type(value))
        vars(made).update(vars(value))
        vars(made).update((name, part(given)) for name, part in parts.items())
        return made

    return fill


def _variables_in(node: FieldNode) -> frozenset[str]:
    found: set[str] = set()

    class Names(Visitor):
        def enter_variable(self, variable: VariableNode, *_place: object) -> None:
            found.add(variable.name.value)

    for argument in node.arguments or ():
        visit(argument, Names())
    return frozenset(found)
