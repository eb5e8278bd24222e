"""Declarations, next to the resolvers, of which fields of a type can be read from rows directly: columns, derived values and related rows.

Resolvers make objects of rows. Where all that a query asks of an object is told here, `api.graphql.direct` reads just the
columns asked for and writes them without making objects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import strawberry

from api.database import Record

Columns = Mapping[str, str | None]
"""Columns of attributes that are not named as they are, None for those of no column."""

_HOW: Final = "rows"


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that follows from one attribute of the object."""

    attribute: str
    make: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Linked:
    """A field of rows that a loader finds by one attribute, those whose columns `matching` are equal to the object's.

    `absent` gives what stands for a row that is not there.
    """

    loader: str
    attribute: str
    absent: Callable[[Any], Record] | None = None
    matching: tuple[str, ...] = ()


def derived(attribute: str, make: Callable[[Any], Any], *, description: str | None = None) -> Any:
    """Make a field, of the annotated type, that `make` writes from an attribute, which may be null."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return make(getattr(root, attribute))

    return strawberry.field(
        resolver=resolve, description=description, metadata={_HOW: Derived(attribute, make)}
    )


def linked(
    loader: str,
    *,
    by: str,
    absent: Callable[[Any], Record] | None = None,
    matching: tuple[str, ...] = (),
    description: str | None = None,
) -> Any:
    """Decorate a resolver that gives what `loader` (of `Reading`) finds by an attribute, all that matches, in that order."""
    return strawberry.field(description=description, metadata={_HOW: Linked(loader, by, absent, matching)})


def told_of(metadata: Mapping[Any, Any]) -> Derived | Linked | None:
    """Return what a field's declaration tells."""
    told: Derived | Linked | None = metadata.get(_HOW)
    return told


def columns_of(kind: type) -> Columns | None:
    """Return what a type says in `COLUMNS`; None for one that is not read from rows as it is."""
    columns: Columns | None = getattr(kind, "COLUMNS", None)
    return columns
