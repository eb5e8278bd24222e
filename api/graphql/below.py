"""Pages of what belongs to objects: the same page below each object of a level, in one statement."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from strawberry.dataloader import DataLoader

from api.database import Snapshot
from api.filters import Where
from api.paging import Ordering, Page, PageRequest

Listing = Callable[..., Awaitable[Mapping[Any, Page]]]
"""Reads a page below each of some objects: `(snapshot, keys, request, *, where, ordering)`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a page is asked for; `where` is compared by what it says."""

    listing: Listing
    request: PageRequest
    ordering: Ordering
    where: Where | None = field(default=None, compare=False)
    said: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "said", repr(self.where))


@dataclass(frozen=True, slots=True)
class Below:
    """The page below one object."""

    of: Any
    asked: Asked


def pages_below(snapshot: Snapshot) -> DataLoader[Below, Page]:
    """Make a loader that reads what is asked for in the same way together."""

    async def read(asked: Asked, keys: Sequence[Any]) -> Mapping[Any, Page]:
        return await asked.listing(snapshot, keys, asked.request, where=asked.where, ordering=asked.ordering)

    async def batch(wanted: list[Below]) -> list[Page]:
        keys: defaultdict[Asked, list[Any]] = defaultdict(list)
        for one in wanted:
            keys[one.asked].append(one.of)
        found = await asyncio.gather(*(read(asked, of) for asked, of in keys.items()))
        by_asked = dict(zip(keys, found, strict=True))
        return [by_asked[one.asked][one.of] for one in wanted]

    return DataLoader(load_fn=batch)
