"""Votes on proposals, and what became of these."""

from collections.abc import Mapping, Sequence

from api.database import Record, Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, Parents, fetch_page, fetch_pages

LONGEST_REASON = 2000
"""Characters of a reason that are told. Anybody may vote, if only with a weight of nothing, and say anything."""

_VOTES = (
    "SELECT v.proposal_id, v.voter, v.support, v.weight, v.params, v.block_number, v.tx_index, v.log_index,"  # noqa: S608 (ours)
    f" v.tx_hash, v.block_time, left(v.reason, {LONGEST_REASON}) AS reason FROM proposal_votes v"
)

COLUMNS: Mapping[str, str] = {
    "proposal_id": "v.proposal_id {}",
    "voter": "v.voter {}",
    "support": "v.support {}",
    "weight": "v.weight {}",
    "block_number": "v.block_number {}",
}

_PLACE = ("v.block_number", "v.tx_index", "v.log_index")
CAST_DESC = Ordering("cast_desc", _PLACE, descending=True)
CAST_ASC = Ordering("cast_asc", _PLACE)
WEIGHT_DESC = Ordering("weight_desc", ("v.weight", *_PLACE), descending=True)


async def page(
    snapshot: Snapshot, request: PageRequest, *, where: Where | None = None, ordering: Ordering = CAST_DESC
) -> Page:
    """Return one page of votes."""
    return await fetch_page(
        snapshot, _VOTES, conditions=conditions_of(where, COLUMNS), ordering=ordering, request=request
    )


async def on_proposals(
    snapshot: Snapshot,
    proposals: Sequence[int],
    request: PageRequest,
    *,
    where: Where | None = None,
    ordering: Ordering = CAST_DESC,
) -> Mapping[int, Page]:
    """Return a page of the votes on each proposal."""
    return await fetch_pages(
        snapshot,
        _VOTES,
        parents=Parents("v.proposal_id", "numeric", proposals),
        conditions=conditions_of(where, COLUMNS),
        ordering=ordering,
        request=request,
    )


async def of_voters(
    snapshot: Snapshot,
    voters: Sequence[bytes],
    request: PageRequest,
    *,
    where: Where | None = None,
    ordering: Ordering = CAST_DESC,
) -> Mapping[bytes, Page]:
    """Return a page of the votes of each account."""
    return await fetch_pages(
        snapshot,
        _VOTES,
        parents=Parents("v.voter", "bytea", voters),
        conditions=conditions_of(where, COLUMNS, until=snapshot.tables.as_of, place="v.block_number"),
        ordering=ordering,
        request=request,
    )


async def timelines_of(snapshot: Snapshot, proposals: Sequence[int]) -> Sequence[Record]:
    """Return what became of some proposals, in the order of the chain."""
    return await snapshot.fetch(
        "SELECT e.*, NULL::bytea AS node FROM proposal_events e WHERE e.proposal_id = ANY($1::numeric[])"
        " ORDER BY e.proposal_id, e.block_number, e.tx_index, e.log_index",
        list(proposals),
    )
