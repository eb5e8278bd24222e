"""Relay connections."""

from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

import strawberry

from api.database import Snapshot
from api.filters import Where
from api.graphql.ahead import D
from api.graphql.below import Asked, Below, Listing
from api.graphql.operation import Info, asked_by, noting_unusual
from api.graphql.reading import Reading
from api.paging import Ordering, Page, PageRequest

Node = TypeVar("Node")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="One item of a list, and the cursor that names its place.")
class Edge(Generic[Node]):  # Python 3.11
    cursor: str
    node: Node


@strawberry.type(description="One page of a list.")
class Connection(Generic[Node]):  # Python 3.11
    page: strawberry.Private[Page]
    items: strawberry.Private[Sequence[Any]]

    @strawberry.field
    def edges(self) -> list[Edge[Node]]:
        cursors = self.page.cursors()
        return [Edge(cursor=cursor, node=item) for item, cursor in zip(self.items, cursors, strict=True)]

    @strawberry.field
    def page_info(self) -> PageInfo:
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=self.page.cursor(0),
            end_cursor=self.page.cursor(-1),
        )

    @strawberry.field(description="The items without their cursors.")
    def nodes(self) -> list[Node]:
        return list(self.items)


def snapshot_of(info: Info, reading: Reading) -> Snapshot:
    """Return the snapshot for a root field's page: in the shape that is asked for, if rows are all that is."""
    rows = asked_by(info)
    return reading.snapshot.shaped(rows) if rows else reading.snapshot


async def connection(info: Info, reading: Reading, page: Page, kind: type[D]) -> Connection[D]:
    """Dress a page of rows, read by `snapshot_of`, as a connection."""
    rows = asked_by(info)
    if rows is not None:
        with noting_unusual(info):
            return Connection(page=page, items=rows.all(page.rows))
    return Connection(page=page, items=[kind.of(reading, row) for row in page.rows])


async def connection_below(
    reading: Reading,
    of: Hashable,
    listing: Listing,
    *,
    request: PageRequest,
    ordering: Ordering,
    kind: type[D],
    where: Where | None = None,
) -> Connection[D]:
    """Read a page of what belongs to an object, together with the pages of its neighbours, and dress it."""
    page = await reading.below.load(Below(of, Asked(listing, request, ordering, where)))
    return Connection(page=page, items=[kind.of(reading, row) for row in page.rows])
