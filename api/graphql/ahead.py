"""What hangs on one object by its id is read together with it: the reads of a page are then one statement, not one a level."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from api.database import Record
from api.graphql.operation import Info
from api.graphql.reading import Load, One, Reading
from api.queries import accounts, documents, runners

_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Ahead:
    """A loader that a field below will ask: for the object's own id, or for what `load` finds by it, by column `key`."""

    loader: str
    load: Load | None = None
    key: str = ""


TASK: Mapping[str, Ahead] = {
    "seats": Ahead("seats"),
    "seats.runner": Ahead("runner", runners.in_seats, "node"),
    "timeline": Ahead("timeline"),
    "prompt": Ahead("prompt"),
    "audit": Ahead("audit"),
    "audit.panels": Ahead("panels"),
    "audit.panels.votes": Ahead("votes"),
}
SESSION: Mapping[str, Ahead] = {
    "roundList": Ahead("rounds"),
    "roundList.manifestDocument": Ahead("document", documents.of_rounds, "digest"),
    "roundList.contributionList": Ahead("contributions"),
    "participants": Ahead("participants"),
    "participants.runner": Ahead("runner", runners.in_sessions, "node"),
    "timeline": Ahead("session_timeline"),
}
RUNNER: Mapping[str, Ahead] = {
    "models": Ahead("offers"),
    "stake": Ahead("balance", accounts.balances_of_owners, "account"),
}


async def read_with(
    info: Info, reading: Reading, own: One, key: bytes, *, ahead: Mapping[str, Ahead]
) -> Record | None:
    """Load one row, and have the loaders know what is asked below it and in `ahead`."""
    wanted = {path: ahead[path] for path in _asked(info) if path in ahead}
    row, *_ = await asyncio.gather(own.load(key), *(_read(reading, one, key) for one in wanted.values()))
    return row


async def _read(reading: Reading, ahead: Ahead, key: bytes) -> None:
    loader = getattr(reading, ahead.loader)
    if ahead.load is None:
        await loader.load(key)
    else:
        for row in await ahead.load(reading.snapshot, [key]):
            loader.prime(row[ahead.key], row)


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
