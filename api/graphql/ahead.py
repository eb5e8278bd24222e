"""Reads of rows that belong to one object by its id, made together with the read of the object: one statement instead of one per level."""

import asyncio
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol, Self, TypeVar, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from api.database import Record
from api.graphql.operation import Info, asked_by, noting_unusual
from api.graphql.reading import Ahead, Reading, loader_named
from api.queries import accounts, documents, runners

_DEPTH = 3
_NOTHING: Mapping[str, Ahead] = MappingProxyType({})


class Dressed(Protocol):
    """A type whose objects are made of rows."""

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row."""
        ...


D = TypeVar("D", bound=Dressed)

TASK: Mapping[str, Ahead] = {
    "seats": Ahead("seats"),
    "seats.runner": Ahead("runner", runners.in_seats),
    "timeline": Ahead("timeline"),
    "prompt": Ahead("prompt"),
    "audit": Ahead("audit"),
    "audit.panels": Ahead("panels"),
    "audit.panels.votes": Ahead("votes"),
}
SESSION: Mapping[str, Ahead] = {
    "roundList": Ahead("rounds"),
    "roundList.manifestDocument": Ahead("document", documents.of_rounds),
    "roundList.contributionList": Ahead("contributions"),
    "participants": Ahead("participants"),
    "participants.runner": Ahead("runner", runners.in_sessions),
    "timeline": Ahead("session_timeline"),
}
RUNNER: Mapping[str, Ahead] = {
    "models": Ahead("offers"),
    "stake": Ahead("balance", accounts.balances_of_owners),
}


async def read_one(
    info: Info,
    reading: Reading,
    kind: type[D],
    key: bytes,
    *,
    loader: str,
    ahead: Mapping[str, Ahead] = _NOTHING,
) -> D | None:
    """Read an object, and what is asked below it and in `ahead`; gives it written already, if that is all in rows."""
    rows = asked_by(info)
    if rows is not None:
        with noting_unusual(info):
            written: Any = await rows.one(reading, loader_named(loader), key)
        return cast("D | None", written)
    early = (_load(reading, ahead[path], key) for path in _asked(info) if path in ahead)
    row, *_ = await asyncio.gather(getattr(reading, loader).load(key), *early)
    return kind.of(reading, row) if row else None


async def _load(reading: Reading, ahead: Ahead, key: bytes) -> None:
    loader = getattr(reading, ahead.loader)
    if ahead.load is None:
        await loader.load(key)
        return
    snapshot = reading.snapshot
    rows = await snapshot.fetch(ahead.load(snapshot.tables), [key])
    loader.prime_many(loader_named(ahead.loader).found(rows))


def _asked(info: Info) -> Iterator[str]:
    raw = info._raw_info  # noqa: SLF001  # strawberry's public form builds an object for every field
    for node in raw.field_nodes:
        if node.selection_set is not None:
            yield from _paths(node.selection_set, raw.fragments, depth=_DEPTH)


def _paths(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], *, depth: int
) -> Iterator[str]:
    """Name the fields asked, those below with a dot; `@skip` is not looked at, since reading too much does no harm."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            name = selection.name.value
            yield name
            if depth > 1 and selection.selection_set is not None:
                for below in _paths(selection.selection_set, fragments, depth=depth - 1):
                    yield f"{name}.{below}"
        elif isinstance(selection, InlineFragmentNode):
            yield from _paths(selection.selection_set, fragments, depth=depth)
        elif isinstance(selection, FragmentSpreadNode):
            yield from _paths(fragments[selection.name.value].selection_set, fragments, depth=depth)
