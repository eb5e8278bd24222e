"""Payment channels: what a payer has set aside for one runner's streamed answers."""

from datetime import datetime
from enum import Enum
from typing import Self

import strawberry
from strawberry import UNSET

from api.database import Record
from api.graphql.money import usdfc
from api.graphql.operation import BlockInput, Info, reading_of
from api.graphql.pages import Connection, connection
from api.graphql.reading import Reading
from api.graphql.runners import Runner, runner_of
from api.graphql.scalars import Address, BigInt, Bytes32, UInt
from api.graphql.where import AddressFilter, Bytes32Filter, plain
from api.paging import page_request
from api.queries import channels


@strawberry.enum(description="State of a payment channel.")
class ChannelStatus(Enum):
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@strawberry.input
class ChannelStatusFilter:
    eq: ChannelStatus | None = UNSET
    ne: ChannelStatus | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class ChannelWhere:
    id: Bytes32Filter | None = UNSET
    payer: AddressFilter | None = UNSET
    node: AddressFilter | None = UNSET
    owner: AddressFilter | None = UNSET
    status: ChannelStatusFilter | None = UNSET
    and_: list[Self] | None = strawberry.field(name="and", default=UNSET)
    or_: list[Self] | None = strawberry.field(name="or", default=UNSET)
    not_: Self | None = strawberry.field(name="not", default=UNSET)


@strawberry.type(description="A payment channel of the StakeWallet.")
class Channel:
    reading: strawberry.Private[Reading]
    id: Bytes32 = strawberry.field(description="EIP-712 digest of the terms.")
    payer: Address = strawberry.field(description="Who deposited and signs vouchers.")
    node: Address = strawberry.field(description="Node key of the runner that is paid.")
    owner: Address = strawberry.field(description="Who receives what is redeemed.")
    status: ChannelStatus
    deposited: BigInt = strawberry.field(description="Opening deposit and top-ups.")
    deposited_usdfc: str = usdfc("deposited")
    redeemed: BigInt = strawberry.field(description="Paid to the owner by vouchers so far.")
    redeemed_usdfc: str = usdfc("redeemed")
    returned: BigInt = strawberry.field(description="Returned to the payer at the close.")
    returned_usdfc: str = usdfc("returned")
    left: BigInt = strawberry.field(description="What the wallet still holds in it.")
    left_usdfc: str = usdfc("left")
    close_delay: UInt = strawberry.field(description="Blocks between the payer's request and the close.")
    closes_at: UInt | None = strawberry.field(
        description="Block from which anybody may close it; null unless asked."
    )
    opened_block: UInt
    opened_tx: Bytes32
    opened_at: datetime
    closed_block: UInt | None
    closed_tx: Bytes32 | None
    closed_at: datetime | None

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `channels`."""
        row = dict(record)
        for terms in ("amount", "open_by", "salt", "updated_block"):
            row.pop(terms)
        row["id"] = row.pop("channel_id")
        row["left"] = row["deposited"] - row["redeemed"] - row["returned"]
        return cls(reading=reading, **{**row, "status": ChannelStatus(row["status"])})

    @strawberry.field
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


@strawberry.type
class ChannelQuery:
    @strawberry.field(description="One payment channel; null if the index knows none of that id.")
    async def channel(
        self,
        info: Info,
        id: Bytes32,  # noqa: A002  # GraphQL name
        min_block: UInt | None = None,
        block: BlockInput | None = None,
    ) -> Channel | None:
        reading = await reading_of(info, min_block, block)
        rows = await channels.by_ids(reading.snapshot, [id])
        return Channel.of(reading, rows[0]) if rows else None

    @strawberry.field(description="Payment channels, newest first.")
    async def channels(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: ChannelWhere | None = None,
        min_block: UInt | None = None,
        block: BlockInput | None = None,
    ) -> Connection[Channel]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block, block)
        page = await channels.page(reading.snapshot, request, where=plain(where))
        return await connection(info, reading, page, Channel)
