"""Payment channels."""

from collections.abc import Mapping

from api.database import Snapshot
from api.filters import Where, conditions_of
from api.paging import Ordering, Page, PageRequest, fetch_page
from api.statements import Tables


def _channels(tables: Tables) -> str:
    return f'SELECT c.*, c.deposited - c.redeemed - c.returned AS "left" FROM {tables.named("channels")} c'  # noqa: S608 (ours)


COLUMNS: Mapping[str, str] = {
    "id": "c.channel_id {}",
    "payer": "c.payer {}",
    "node": "c.node {}",
    "owner": "c.owner {}",
    "status": "c.status {}",
}

OPENED_DESC = Ordering("opened_desc", ("c.opened_block", "c.channel_id"), descending=True)


async def page(snapshot: Snapshot, request: PageRequest, *, where: Where | None = None) -> Page:
    """Return one page of channels, newest first."""
    return await fetch_page(
        snapshot,
        _channels(snapshot.tables),
        conditions=conditions_of(where, COLUMNS),
        ordering=OPENED_DESC,
        request=request,
    )


def by_ids(tables: Tables) -> str:
    """Ask for the channels of some ids, where they exist."""
    return f"{_channels(tables)} WHERE c.channel_id = ANY($1::bytea[])"
