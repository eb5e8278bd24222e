"""Several SQL statements sent as one: each result is an array in one row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_LIST = "$1::bytea[]"
_AMONG = f"= ANY({_LIST})"
_PLACE = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables to read: those of now, or, of those with history, as they were at the end of block `as_of`."""

    as_of: int | None = None

    def named(self, name: str) -> str:
        """Write a table with history as a statement's FROM names it."""
        return name if self.as_of is None else f"{name}_at({int(self.as_of)})"


@dataclass(frozen=True, slots=True)
class Statement:
    """Our own SQL text, and the values of its places (`$1` and so on)."""

    text: str
    arguments: tuple[object, ...]


def narrowed(text: str, arguments: tuple[object, ...]) -> Statement:
    """Ask for a list of one as for the one: not knowing how long a list is, the planner would plan anew each time."""
    if _AMONG in text and isinstance(arguments[0], list) and len(arguments[0]) == 1:
        return Statement(_narrowed(text), (arguments[0][0], *arguments[1:]))
    return Statement(text, arguments)


@lru_cache(maxsize=500)
def _narrowed(text: str) -> str:
    return text.replace(_AMONG, "= $1::bytea")


def correlated(text: str, key: str) -> str:
    """Ask, within a row of another statement, for what belongs to that row's `key` instead of to a list of keys."""
    return text.replace(_AMONG, f"= {key}").replace(_LIST, f"ARRAY[{key}]")


def joined(statements: Sequence[Statement]) -> Statement:
    """Join statements, each a query, into one whose only row has an array of rows for each."""
    text = _joined(tuple((one.text, len(one.arguments)) for one in statements))
    return Statement(text, tuple(argument for one in statements for argument in one.arguments))


@lru_cache(maxsize=2000)
def _joined(parts: tuple[tuple[str, int], ...]) -> str:
    columns, before = [], 0
    for text, count in parts:
        columns.append(f"ARRAY(SELECT one_row FROM ({_moved(text, before)}) AS one_row)")  # noqa: S608 (ours)
        before += count
    return "SELECT " + ", ".join(columns)


def _moved(text: str, by: int) -> str:
    return _PLACE.sub(lambda place: f"${int(place[1]) + by}", text)
