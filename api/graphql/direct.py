"""Answers written directly from database rows, read in one statement a root field: only the columns that a query asks for.

For root fields whose whole selection stands in rows (`api.graphql.links` tells which do). Their resolvers ask by `read_one`
or `connection`; whatever is out of the ordinary, such as a null where there may be none, is left to the types' own
resolvers, which find the right words for it. What hangs on a row is selected with it, as a row or an array of rows within it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from graphql import GraphQLBoolean, GraphQLInt, GraphQLOutputType, GraphQLString, is_non_null_type

from api.database import Record
from api.graphql.links import Columns, Derived, Linked, columns_of, told_of
from api.graphql.planning import FieldPlan, Plan, Write, kind_of, strawberry_field_of, writer_of
from api.graphql.reading import Reading, RowLoader, SharedLoader, loader_named
from api.statements import Tables, correlated

_AS_IT_IS = frozenset({GraphQLString, GraphQLInt, GraphQLBoolean})
_AS_TEXT: Mapping[str, Write | None] = {"BigInt": None, "JSON": msgspec.Raw}
"""Scalars that Postgres writes as the answer has them, so that nobody has to read them, and how that text is put there."""

Row = Any
"""A row: by its columns' names, or, within another row, by its columns' places."""
Place = str | int


class Unusual(Exception):  # no error: whoever executes the query does it anew without rows
    """Rows are not as the schema has them."""


class NotDirect(Exception):  # no error: the resolvers do it instead
    """Something is asked for that does not stand in rows."""


class Written:
    """A value in the form that it has in the answer."""

    __slots__ = ("answer",)

    def __init__(self, answer: Any) -> None:
        self.answer = answer


class _Field(NamedTuple):
    """A place in the answer, and the place of its value in the row."""

    key: str
    place: Place
    write: Write | None
    """None where it is written as it is."""
    without: Callable[[Row], Any]
    """Gives what is written where the row has a null."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's value, which Postgres may be asked to write."""

    column: str
    as_text: bool = False

    def select(self, level: int, tables: Tables) -> str:  # noqa: ARG002  # as `_Related` has it
        """Write it as a select list has it."""
        return f'level{level}."{self.column}"' + ("::text" if self.as_text else "")

    def of(self, record: Record) -> Any:
        """Return the value that the database would give of such a record; what is text there is a number here."""
        value = record[self.column]
        return str(value) if self.as_text and value is not None else value


@dataclass(frozen=True, slots=True)
class _Present:
    """That there is a row."""

    def select(self, level: int, tables: Tables) -> str:  # noqa: ARG002  # as `_Related` has it
        """Write it as a select list has it."""
        return "true"

    def of(self, record: Record) -> Any:  # noqa: ARG002  # as `_Column` has it
        """Return what the database would give."""
        return True


@dataclass(frozen=True, slots=True)
class _Related:
    """What a loader finds by a column, where `matching` columns are equal too: a row or an array of rows."""

    column: str
    matching: tuple[str, ...]
    loader: RowLoader
    rows: "Rows"

    def select(self, level: int, tables: Tables) -> str:
        """Write it as a select list has it."""
        above, below = f"level{level}", f"level{level + 1}"
        text = correlated(self.loader.load(tables), f'{above}."{self.column}"')
        columns = ", ".join(one.select(level + 1, tables) for one in self.rows.wanted.values())
        equal = [f'{below}."{column}" = {above}."{column}"' for column in self.matching]
        where = f" WHERE {' AND '.join(equal)}" if equal else ""
        selected = f"(SELECT ROW({columns}) FROM ({text}) AS {below}{where})"  # noqa: S608 (ours)
        return f"ARRAY{selected}" if self.loader.many else selected

    def of(self, record: Record) -> Any:  # noqa: ARG002  # as `_Column` has it
        """Return what the database would give of a record that is not there: nothing."""
        return [] if self.loader.many else None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What is asked of rows of one type: `fields` in the order of the answer, `wanted` by name in the order of the row."""

    fields: tuple[_Field, ...]
    wanted: Mapping[str, _Column | _Present | _Related]

    @property
    def shares(self) -> bool:
        """Return whether rows of the shared state are among them, whose tables are made at their first use."""
        below = [one for one in self.wanted.values() if isinstance(one, _Related)]
        return any(isinstance(one.loader, SharedLoader) or one.rows.shares for one in below)

    async def one(self, reading: Reading, loader: RowLoader, key: bytes) -> Written | None:
        """Read one row, with what hangs on it. Raises `Unusual`, as `all` does."""
        snapshot = reading.snapshot
        rows = await snapshot.shaped(self).fetch(loader.load(snapshot.tables), [key])
        return next(iter(self.all(rows)), None)

    def all(self, rows: Sequence[Record]) -> list[Written]:
        """Write rows that were read in this shape."""
        try:
            return [Written(self.write(row)) for row in rows]
        except Exception as error:
            # A border: whatever a scalar's writer raises belongs to one field, and the resolvers will say to which.
            raise Unusual from error

    def over(self, text: str, tables: Tables, *, also: frozenset[str]) -> str:
        """Ask for this, and the columns `also`, of the rows of a statement."""
        return _over(self, text, tables, also)

    def write(self, row: Row) -> dict[str, Any]:
        """Write a row."""
        answer: dict[str, Any] = {}
        for key, place, write, without in self.fields:
            value = row[place]
            if value is None:
                answer[key] = without(row)
            else:
                answer[key] = value if write is None else write(value)
        return answer

    def write_all(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Write the rows of an array."""
        return [self.write(row) for row in rows]


@lru_cache(maxsize=1000)
def _over(rows: Rows, text: str, tables: Tables, also: frozenset[str]) -> str:
    wanted = {**rows.wanted, **{column: _Column(column) for column in sorted(also)}}
    columns = ", ".join(f'{one.select(0, tables)} AS "{name}"' for name, one in wanted.items())
    return f"SELECT {columns} FROM ({text}) AS level0"  # noqa: S608 (ours)


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
        return _rows(places[0], named=True)
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


def _rows(field: FieldPlan, *, named: bool = False) -> Rows:
    kind = kind_of(field.definition)
    columns = columns_of(kind) if kind else None
    if columns is None or field.selection is None:
        raise NotDirect
    selecting = _Selecting(columns, named=named)
    return Rows(tuple(selecting.field(each) for each in field.selection.fields), selecting.wanted)


class _Selecting:
    """Compiles the fields of one type; gathers what they want of a row, and knows it by place or, if `named`, by name."""

    def __init__(self, columns: Columns, *, named: bool) -> None:
        self.wanted: dict[str, _Column | _Present | _Related] = {}
        self._columns = columns
        self._named = named

    def field(self, field: FieldPlan) -> _Field:
        """Compile a field; raises `NotDirect`."""
        without = _null if field.shape.nullable else _unusual
        if field.name == "__typename":
            return _Field(field.key, self._place("a row", _Present()), lambda _: field.parent.name, without)
        declared = strawberry_field_of(field.definition)
        told = told_of(declared.metadata)
        if isinstance(told, Linked):
            return self._link(field, told, without)
        if isinstance(told, Derived):
            place = self._column(told.attribute)
            return _Field(field.key, place, told.make, _Derivation(told.make, without))
        if declared.base_resolver is not None or field.selection is not None:
            raise NotDirect
        scalar = _nullable(field.definition.type)
        if str(scalar) in _AS_TEXT:
            place = self._column(declared.python_name, as_text=True)
            return _Field(field.key, place, _AS_TEXT[str(scalar)], without)
        write = None if scalar in _AS_IT_IS else writer_of(scalar)
        return _Field(field.key, self._column(declared.python_name), write, without)

    def _link(self, field: FieldPlan, told: Linked, without: Callable[[Row], Any]) -> _Field:
        rows, loader = _rows(field), loader_named(told.loader)
        related = _Related(self._name(told.attribute), told.matching, loader, rows)
        place = self._place(f"{field.key} below", related)
        if loader.many:
            return _Field(field.key, place, rows.write_all, without)
        if told.absent is not None:
            without = _StandIn(rows, self._column(told.attribute), told.absent, without)
        return _Field(field.key, place, rows.write, without)

    def _column(self, attribute: str, *, as_text: bool = False) -> Place:
        column = _Column(self._name(attribute), as_text)
        return self._place(f"{column.column} as text" if as_text else column.column, column)

    def _name(self, attribute: str) -> str:
        column = self._columns.get(attribute, attribute)
        if column is None:
            raise NotDirect
        return column

    def _place(self, name: str, wanted: _Column | _Present | _Related) -> Place:
        self.wanted.setdefault(name, wanted)
        return name if self._named else list(self.wanted).index(name)


def _null(_row: Row) -> None:
    return None


def _unusual(_row: Row) -> None:
    raise Unusual


@dataclass(frozen=True, slots=True)
class _Derivation:
    """Writes what follows from a null."""

    make: Callable[[Any], Any]
    without: Callable[[Row], Any]

    def __call__(self, row: Row) -> Any:
        made = self.make(None)
        return self.without(row) if made is None else made


@dataclass(frozen=True, slots=True)
class _StandIn:
    """Writes what stands for a related row that is not there."""

    rows: Rows
    key: Place
    absent: Callable[[Any], Record]
    without: Callable[[Row], Any]

    def __call__(self, row: Row) -> Any:
        key = row[self.key]
        if key is None:
            return self.without(row)
        record = self.absent(key)
        return self.rows.write([wanted.of(record) for wanted in self.rows.wanted.values()])


def _nullable(of: GraphQLOutputType) -> GraphQLOutputType:
    return of.of_type if is_non_null_type(of) else of
