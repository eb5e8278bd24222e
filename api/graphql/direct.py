"""Answers written directly from database rows: only the columns that a query asks for, without objects in between.

For root fields whose whole selection stands in rows (`api.graphql.links` tells which do). Their resolvers ask by `read_one`
or `connection`; whatever is out of the ordinary, such as a null where there may be none, is left to the types' own
resolvers, which find the right words for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLBoolean, GraphQLInt, GraphQLString, is_non_null_type

from api.database import Record
from api.graphql.links import Derived, Linked, columns_of, told_of
from api.graphql.planning import FieldPlan, Plan, Write, kind_of, strawberry_field_of, writer_of
from api.graphql.reading import Ahead, Found, Reading, RowLoader, loader_named

_AS_IT_IS = frozenset({GraphQLString, GraphQLInt, GraphQLBoolean})


class Unusual(Exception):  # no error: whoever executes the query does it anew without rows
    """Rows are not as the schema has them."""


class NotDirect(Exception):  # no error: the resolvers do it instead
    """Something is asked for that does not stand in rows."""


class Written:
    """A value in the form that it has in the answer."""

    __slots__ = ("answer",)

    def __init__(self, answer: Any) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Column:
    """A place in the answer for a column's value; `write` is None where it is written as it is."""

    key: str
    column: str
    write: Write | None
    nullable: bool


@dataclass(frozen=True, slots=True)
class _Constant:
    """A place in the answer for what is known without reading."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Link:
    """A place in the answer for rows of another table; `path` is where it is asked for, by the names of fields."""

    key: str
    column: str
    path: str
    loader: RowLoader
    nullable: bool
    absent: Callable[[Any], Record] | None
    rows: "Rows"

    def write(self, parent: Record, found: "Finds") -> Any:
        """Write what hangs on a row."""
        key = parent[self.column]
        value = None if key is None else found[self].get(key)
        if self.loader.many:
            return [self.rows.write(row, found) for row in value or ()]
        if value is None and key is not None and self.absent is not None:
            value = self.absent(key)
        if value is None:
            if not self.nullable:
                raise Unusual
            return None
        return self.rows.write(value, found)

    def keys_of(self, parents: Iterable[Record]) -> list[bytes]:
        """Return the keys of what hangs on rows, each once."""
        return list({key: None for row in parents if (key := row[self.column]) is not None})

    def rows_in(self, found: "Finds") -> Iterator[Record]:
        """Yield the rows that were found."""
        for value in found[self].values():
            if self.loader.many:
                yield from value
            else:
                yield value


Finds = dict[_Link, Found]


@dataclass(frozen=True, slots=True)
class Rows:
    """What is asked of rows of one type, in the order of the answer."""

    fields: tuple[_Column | _Constant | _Link, ...]
    columns: frozenset[str]
    links: tuple[_Link, ...]

    async def one(
        self, reading: Reading, loader: RowLoader, key: bytes, *, ahead: Mapping[str, Ahead]
    ) -> Written | None:
        """Read one row and what hangs on it; what `ahead` finds by the same key is asked for in the same statement.

        Raises `Unusual`, as `all` does.
        """
        asked = loader.ask(reading, [key], columns=self.columns)
        early = [
            (link, link.loader.ask(reading, [key], columns=link.rows.columns, load=ahead[link.path].load))
            for link in self._all_links()
            if link.path in ahead
        ]
        rows = await asked
        found = {link: link.loader.found(await below) for link, below in early}
        if not rows:
            return None
        await self._find(reading, rows, found)
        return self._written(rows[0], found)

    async def all(self, reading: Reading, rows: Sequence[Record]) -> list[Written]:
        """Write rows, with what hangs on them."""
        found: Finds = {}
        await self._find(reading, rows, found)
        return [self._written(row, found) for row in rows]

    async def _find(self, reading: Reading, rows: Sequence[Record], found: Finds) -> None:
        """Read what was not found yet of all that hangs on rows, one statement a level."""
        level = [(link, rows) for link in self.links]
        while level:
            asked = []
            for link, parents in level:
                if link not in found and (keys := link.keys_of(parents)):
                    asked.append((link, link.loader.ask(reading, keys, columns=link.rows.columns)))
                else:
                    found.setdefault(link, {})
            for link, below in asked:
                found[link] = link.loader.found(await below)
            level = [(below, list(link.rows_in(found))) for link, _ in level for below in link.rows.links]

    def _all_links(self) -> Iterator[_Link]:
        for link in self.links:
            yield link
            yield from link.rows._all_links()  # noqa: SLF001  # its own kind

    def _written(self, row: Record, found: Finds) -> Written:
        try:
            return Written(self.write(row, found))
        except Exception as error:
            # A border: whatever a scalar's writer raises belongs to one field, and the resolvers will say to which.
            raise Unusual from error

    def write(self, row: Record, found: Finds) -> dict[str, Any]:
        """Write a row."""
        answer: dict[str, Any] = {}
        for field in self.fields:
            if isinstance(field, _Column):
                value = row[field.column]
                if value is None and not field.nullable:
                    raise Unusual
                answer[field.key] = value if value is None or field.write is None else field.write(value)
            else:
                answer[field.key] = field.value if isinstance(field, _Constant) else field.write(row, found)
        return answer


def rows_asked(plan: Plan) -> dict[str, Rows]:
    """Return what a query asks of rows in each root field where that is all it asks, by the field's key in the answer."""
    asked = {}
    for field in plan.selection.fields:
        rows = _rows_below(field)
        if rows is not None:
            asked[field.key] = rows
    return asked


def _rows_below(root: FieldPlan) -> Rows | None:
    """Compile what is asked of a root field's rows: those that it gives, or that the page has which it gives."""
    places = list(_places(root))
    if len(places) != 1:
        return None
    try:
        return _rows(places[0], path="")
    except NotDirect:
        return None


def _places(field: FieldPlan) -> Iterator[FieldPlan]:
    kind = kind_of(field.definition)
    if kind is None or field.selection is None:
        return
    if columns_of(kind) is not None:
        yield field
    else:
        for below in field.selection.fields:
            if below.name in ("edges", "node", "nodes"):
                yield from _places(below)


def _rows(field: FieldPlan, *, path: str) -> Rows:
    kind = kind_of(field.definition)
    columns = columns_of(kind) if kind else None
    if columns is None or field.selection is None:
        raise NotDirect
    fields = tuple(_place(each, columns, path=path) for each in field.selection.fields)
    links = tuple(each for each in fields if isinstance(each, _Link))
    used = frozenset(each.column for each in fields if not isinstance(each, _Constant))
    return Rows(fields, used, links)


def _place(field: FieldPlan, columns: Mapping[str, str | None], *, path: str) -> _Column | _Constant | _Link:
    if field.name == "__typename":
        return _Constant(field.key, field.parent.name)
    declared = strawberry_field_of(field.definition)
    told = told_of(declared.metadata)
    if isinstance(told, Linked):
        path = f"{path}.{field.name}" if path else field.name
        return _Link(
            key=field.key,
            column=_column(told.attribute, columns),
            path=path,
            loader=loader_named(told.loader),
            nullable=field.shape.nullable,
            absent=told.absent,
            rows=_rows(field, path=path),
        )
    if isinstance(told, Derived):
        return _Column(field.key, _column(told.attribute, columns), told.make, field.shape.nullable)
    if declared.base_resolver is not None or field.selection is not None:
        raise NotDirect
    return _Column(field.key, _column(declared.python_name, columns), _write(field), field.shape.nullable)


def _column(attribute: str, columns: Mapping[str, str | None]) -> str:
    column = columns.get(attribute, attribute)
    if column is None:
        raise NotDirect
    return column


def _write(field: FieldPlan) -> Write | None:
    of = field.definition.type
    if is_non_null_type(of):
        of = of.of_type
    return None if of in _AS_IT_IS else writer_of(of)
