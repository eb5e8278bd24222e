"""Relay connections."""

from collections.abc import Callable
from typing import Generic, TypeVar

import strawberry

from api.database import Record
from api.paging import Page

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
    edges: list[Edge[Node]]
    page_info: PageInfo

    @strawberry.field(description="The items without their cursors.")
    def nodes(self) -> list[Node]:
        return [edge.node for edge in self.edges]


def connection(page: Page, make: Callable[[Record], Node]) -> Connection[Node]:
    """Dress a page of rows as a connection."""
    edges = [Edge(cursor=cursor, node=make(row)) for row, cursor in zip(page.rows, page.cursors, strict=True)]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    )
