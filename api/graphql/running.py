"""Executes a plan: calls resolvers, writes values, and places nulls and errors as the GraphQL specification requires.

What has to be waited for is gathered level by level over the whole answer, so that the reads of a level go to the database
together, as the data loaders have it.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, located_error
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, is_awaitable

from api.graphql.direct import Written
from api.graphql.planning import BadItem, FieldPlan, Plan, Selection, Shape

Place = tuple[Any, ...] | None
"""Where a value is in the answer: the place that it is in, and its key or index there; None for the answer itself."""

Container = dict[str, Any] | list[Any]


@dataclass(slots=True)
class _Waiting:
    field: FieldPlan
    awaited: Awaitable[Any]
    answer: dict[str, Any]
    place: Place


async def run(
    plan: Plan, context: object, variables: VariableValues
) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    """Execute a query; gives its data (None if a null had to rise that far) and its errors."""
    running = _Running(plan, context, variables)
    data = running.write_object(plan.selection, None, None)
    await running.finish()
    return running.with_nulls(data), running.errors


class _Running:
    def __init__(self, plan: Plan, context: object, variables: VariableValues) -> None:
        self.errors: list[GraphQLError] = []
        self._plan = plan
        self._context = context
        self._variables = variables
        self._waiting: list[_Waiting] = []
        self._nulls: list[list[Any]] = []

    async def finish(self) -> None:
        """Await what was begun, and what comes of it, until there is nothing left."""
        while self._waiting:
            level, self._waiting = self._waiting, []
            values = await _all_of([one.awaited for one in level])
            for one, value in zip(level, values, strict=True):
                one.answer[one.field.key] = self._complete(one.field, value, one.place)

    def with_nulls(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Put nulls where errors want them: last, since what was still awaited might have written below."""
        for path in self._nulls:
            if not path:
                return None
            holder: Any = data
            for key in path[:-1]:
                holder = holder[key]
                if holder is None:
                    break
            if holder is not None:
                holder[path[-1]] = None
        return data

    def write_object(self, selection: Selection, source: Any, place: Place) -> dict[str, Any]:
        """Write what is asked of an object; what has to be awaited gets its place and comes later."""
        answer: dict[str, Any] = {}
        for field in selection.fields:
            key = field.key
            try:
                value = field.read(source) if field.read else self._resolve(field, source, place)
                if field.waits:
                    answer[key] = None
                    self._waiting.append(_Waiting(field, value, answer, (place, key)))
                    continue
                if field.write is not None and value is not None:
                    answer[key] = field.write(value)
                    continue
            except Exception as error:  # noqa: BLE001
                # A border: resolvers and writers may raise anything, and it belongs to this field.
                self._fail(field, error, (place, key))
                answer[key] = None
            else:
                answer[key] = self._complete(field, value, (place, key))
        return answer

    def _resolve(self, field: FieldPlan, source: Any, place: Place) -> Any:
        plan = self._plan
        info = GraphQLResolveInfo(
            field.name,
            field.nodes,
            field.definition.type,
            field.parent,
            _path_of(field, place),
            plan.schema,
            plan.fragments,
            None,
            plan.operation,
            self._variables,
            self._context,
            is_awaitable,
            None,
            None,  # type: ignore[arg-type]  # helpers for resolvers that start work of their own; ours do not
        )
        assert field.resolve is not None
        return field.resolve(source, info)

    def _complete(self, field: FieldPlan, value: Any, place: Place) -> Any:
        if isinstance(value, Exception):
            self._fail(field, value, place)
            return None
        if field.selection is None:
            return self._leaf(field, value, place)
        return self._value(field, field.shape, field.up, value, place)

    def _leaf(self, field: FieldPlan, value: Any, place: Place) -> Any:
        if value is None:
            if not field.shape.nullable:
                self._fail(field, _null(field), place)
            return None
        assert field.write is not None
        try:
            return field.write(value)
        except Exception as error:  # noqa: BLE001
            # A border: as in `write_object`.
            self._fail(field, error, place)
            return None

    def _value(self, field: FieldPlan, shape: Shape, up: int, value: Any, place: Place) -> Any:
        if isinstance(value, Written):
            return value.answer
        if value is None:
            if not shape.nullable:
                self._fail(field, _null(field), place, up=up)
            return None
        if shape.item is None:
            assert field.selection is not None
            return self.write_object(field.selection, value, place)
        item = shape.item
        up_item = 0 if item.nullable else up + 1
        return [self._value(field, item, up_item, each, (place, index)) for index, each in enumerate(value)]

    def _fail(self, field: FieldPlan, error: Exception, place: Place, *, up: int | None = None) -> None:
        if up is None:
            up = field.up
        if isinstance(error, BadItem):
            place, error = (place, error.index), error.cause
            up = up + 1
        path = _path(place)
        target = path[: len(path) - up]
        if up and target in self._nulls:
            return  # Somebody else has made a null of it, and said why.
        if up:
            self._nulls.append(target)
        self.errors.append(located_error(error, field.nodes, path))


async def _all_of(awaited: list[Awaitable[Any]]) -> list[Any]:
    """Await all at once and give what came of each; a single one needs no task of its own."""
    if len(awaited) > 1:
        return await asyncio.gather(*awaited, return_exceptions=True)
    try:
        return [await awaited[0]]
    except Exception as error:  # noqa: BLE001
        # A border: as `gather` does, for `_complete` to put it in its place.
        return [error]


def _null(field: FieldPlan) -> TypeError:
    return TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")


def _path_of(field: FieldPlan, place: Place) -> Path:
    above: Path | None = None
    for key in _path(place):
        above = Path(above, key, None)
    return Path(above, field.key, field.parent.name)


def _path(place: Place) -> list[Any]:
    path: list[Any] = []
    while place is not None:
        place, key = place
        path.append(key)
    path.reverse()
    return path
