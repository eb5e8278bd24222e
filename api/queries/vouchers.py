"""Vouchers that were redeemed."""

from collections.abc import Mapping, Sequence

from api.database import Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, Parents, fetch_page, fetch_pages

_VOUCHERS = "SELECT v.* FROM vouchers v"

COLUMNS: Mapping[str, str] = {
    "channel_id": "v.channel_id {}",
    "payer": "v.payer {}",
    "node": "v.node {}",
    "owner": "v.owner {}",
    "amount": "v.amount {}",
    "block_number": "v.block_number {}",
}

_PLACE = ("v.block_number", "v.tx_index", "v.log_index", "v.place")
REDEEMED_DESC = Ordering("redeemed_desc", _PLACE, descending=True)
REDEEMED_ASC = Ordering("redeemed_asc", _PLACE)


async def page(
    snapshot: Snapshot,
    request: PageRequest,
    *,
    where: Where | None = None,
    ordering: Ordering = REDEEMED_DESC,
) -> Page:
    """Return one page of vouchers."""
    return await fetch_page(
        snapshot, _VOUCHERS, conditions=conditions_of(where, COLUMNS), ordering=ordering, request=request
    )


async def _of(
    parents: Parents[bytes], snapshot: Snapshot, request: PageRequest, where: Where | None, ordering: Ordering
) -> Mapping[bytes, Page]:
    return await fetch_pages(
        snapshot,
        _VOUCHERS,
        parents=parents,
        conditions=conditions_of(where, COLUMNS, until=snapshot.tables.as_of, place="v.block_number"),
        ordering=ordering,
        request=request,
    )


async def of_channels(
    snapshot: Snapshot,
    channels: Sequence[bytes],
    request: PageRequest,
    *,
    where: Where | None = None,
    ordering: Ordering = REDEEMED_DESC,
) -> Mapping[bytes, Page]:
    """Return a page of the vouchers of each channel, up to the tables' block."""
    return await _of(Parents("v.channel_id", "bytea", channels), snapshot, request, where, ordering)


async def of_payers(
    snapshot: Snapshot,
    payers: Sequence[bytes],
    request: PageRequest,
    *,
    where: Where | None = None,
    ordering: Ordering = REDEEMED_DESC,
) -> Mapping[bytes, Page]:
    """Return a page of the vouchers that each account signed, up to the tables' block."""
    return await _of(Parents("v.payer", "bytea", payers), snapshot, request, where, ordering)


async def of_owners(
    snapshot: Snapshot,
    owners: Sequence[bytes],
    request: PageRequest,
    *,
    where: Where | None = None,
    ordering: Ordering = REDEEMED_DESC,
) -> Mapping[bytes, Page]:
    """Return a page of the vouchers that each account was paid by, up to the tables' block."""
    return await _of(Parents("v.owner", "bytea", owners), snapshot, request, where, ordering)
