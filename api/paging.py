"""Pages by keyset: a cursor names the last row seen, so pages neither shift nor slow down as rows are added."""

import base64
import binascii
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from api.database import Record, Snapshot
from api.filters import Conditions
from protocol.errors import InputError

MAX_PAGE = 100
MAX_COSTED_PAGE = 1000
"""Where a query's cost is limited besides, as in GraphQL."""
DEFAULT_PAGE = 20

K = TypeVar("K", bound=Hashable)

_BYTES = frozenset({"task_id", "session_id", "channel_id", "node", "round", "monitor", "target"})
"""Columns of orders that are bytes; the others are whole numbers."""
_AMOUNTS = frozenset({"reward", "weight"})
"""Numbers that may need more than 63 bits."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order of rows: `columns` are never null and end in a unique key. All go the same way."""

    name: str
    columns: tuple[str, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Parents(Generic[K]):  # Python 3.11
    """Objects whose `column` has one of `keys`, of which none comes twice; `kind` is the column's type."""

    column: str
    kind: str
    keys: Sequence[K]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is asked for: `first` rows after a cursor, or `last` rows before one."""

    size: int
    backwards: bool
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the asked order, and whether there are more on either side."""

    rows: Sequence[Record]
    ordering: Ordering
    has_next: bool
    has_previous: bool

    def cursor(self, place: int) -> str | None:
        """Return the cursor of a row by its place, which may be counted from the end; None of an empty page."""
        return _cursor(self.ordering, self.rows[place]) if self.rows else None

    def cursors(self) -> list[str]:
        """Return a cursor for each row."""
        return [_cursor(self.ordering, row) for row in self.rows]


def page_request(
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    most: int = MAX_COSTED_PAGE,
) -> PageRequest:
    """Check the four arguments of a relay connection; `InputError` names the one at fault."""
    if first is not None and last is not None:
        raise InputError("first and last exclude each other", field="last", hint="Use only one of them.")
    name, size = (
        ("last", last) if last is not None else ("first", first if first is not None else DEFAULT_PAGE)
    )
    if not 1 <= size <= most:
        raise InputError(
            f"{name}: a page has from 1 to {most} rows, not {size}",
            field=name,
            hint=f"Ask for at most {most} and follow the cursors.",
        )
    return PageRequest(size=size, backwards=last is not None, after=after, before=before)


async def fetch_page(
    snapshot: Snapshot, select: str, *, conditions: Conditions, ordering: Ordering, request: PageRequest
) -> Page:
    """Run `select` (up to its FROM clause) for one page, in one statement."""
    statement = _statement(select, conditions=conditions, ordering=ordering, request=request)
    known = snapshot.with_columns(column.rpartition(".")[2] for column in ordering.columns)
    return _page(await known.fetch(statement, *conditions.arguments), ordering, request)


async def fetch_pages(
    snapshot: Snapshot,
    select: str,
    *,
    parents: Parents[K],
    conditions: Conditions,
    ordering: Ordering,
    request: PageRequest,
) -> Mapping[K, Page]:
    """Run `select` for the same page of the rows of each parent, all in one statement."""
    keys = conditions.bind(list(parents.keys))
    conditions.add(f"{parents.column} = parents.key")
    one = _statement(select, conditions=conditions, ordering=ordering, request=request)
    statement = (
        f"SELECT parents.parent_place, below.* FROM unnest({keys}::{parents.kind}[]) WITH ORDINALITY AS parents (key, parent_place)"  # noqa: S608 (ours)
        f" CROSS JOIN LATERAL ({one}) AS below ORDER BY parents.parent_place"
    )
    rows: dict[int, list[Record]] = {}
    for row in await snapshot.fetch(statement, *conditions.arguments):
        rows.setdefault(row["parent_place"], []).append(row)
    return {
        key: _page(rows.get(place, []), ordering, request) for place, key in enumerate(parents.keys, start=1)
    }


def _statement(select: str, *, conditions: Conditions, ordering: Ordering, request: PageRequest) -> str:
    for cursor, side in ((request.after, "after"), (request.before, "before")):
        if cursor is not None:
            _bound(conditions, ordering, cursor=cursor, side=side)
    descending = ordering.descending != request.backwards
    direction = " DESC" if descending else ""
    order = ", ".join(f"{column}{direction}" for column in ordering.columns)
    return f"{select}{conditions.where()} ORDER BY {order} LIMIT {request.size + 1}"


def _page(rows: list[Record], ordering: Ordering, request: PageRequest) -> Page:
    """Make a page of the rows of its statement, which asks for one more than the page has."""
    more, rows = len(rows) > request.size, rows[: request.size]
    if request.backwards:
        rows.reverse()
    return Page(
        rows=rows,
        ordering=ordering,
        has_next=request.before is not None if request.backwards else more,
        has_previous=more if request.backwards else request.after is not None,
    )


def _bound(conditions: Conditions, ordering: Ordering, *, cursor: str, side: str) -> None:
    values = _read_cursor(ordering, cursor, side=side)
    operator = "<" if ordering.descending == (side == "after") else ">"
    columns = ", ".join(ordering.columns)
    places = ", ".join(conditions.bind(value) for value in values)
    conditions.add(f"({columns}) {operator} ({places})")


def _cursor(ordering: Ordering, row: Record) -> str:
    values = [_plain(row[column.rpartition(".")[2]]) for column in ordering.columns]
    return base64.urlsafe_b64encode(msgspec.json.encode([ordering.name, *values])).decode().rstrip("=")


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int | Decimal):
        return str(int(value))
    raise TypeError(f"no cursor over {type(value).__name__}")


def _read_cursor(ordering: Ordering, cursor: str, *, side: str) -> list[object]:
    try:
        document = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name, *values = document
        read: list[object] = [_read(value) for value in values]
    except (binascii.Error, UnicodeError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _not_a_cursor(side) from error
    if name != ordering.name or len(read) != len(ordering.columns):
        raise InputError(
            f"{side}: the cursor belongs to the order {name!s:.40}, not {ordering.name}",
            field=side,
            hint="Start again without a cursor when you change the order.",
        )
    if not all(
        _may_be(value, column.rpartition(".")[2])
        for value, column in zip(read, ordering.columns, strict=True)
    ):
        raise _not_a_cursor(side)
    return read


def _not_a_cursor(side: str) -> InputError:
    return InputError(
        f"{side}: not a cursor of this list",
        field=side,
        hint="Use a cursor from an earlier page, unchanged.",
    )


def _read(value: str) -> bytes | int:
    return bytes.fromhex(value[2:]) if value.startswith("0x") else int(value)


def _may_be(value: object, column: str) -> bool:
    """Return whether a cursor's value can be the column's, so that the database need not find out."""
    if isinstance(value, int):
        return column not in _BYTES and 0 <= value < 2 ** (256 if column in _AMOUNTS else 63)
    return column in _BYTES
