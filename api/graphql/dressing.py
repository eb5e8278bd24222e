"""Objects of the schema's types made from rows without their constructors, which would take every column by name, row by row."""

from typing import TypeVar

from api.database import Record

T = TypeVar("T")


def dressed(kind: type[T], record: Record, **more: object) -> T:
    """Make an object whose fields are the row's columns and `more`, which goes before; what is no field is never read."""
    made = object.__new__(kind)
    made.__dict__.update(record.items())
    made.__dict__.update(more)
    return made
