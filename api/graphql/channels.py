"""Payment channels: what a payer has set aside for one runner's streamed answers, and the vouchers that drew on it."""

from datetime import datetime
from enum import Enum
from typing import ClassVar, Self

import strawberry
from strawberry import UNSET

from api.database import Record
from api.graphql.ahead import read_one
from api.graphql.dressing import dressed
from api.graphql.enums import ORDERINGS, VoucherOrder
from api.graphql.links import Columns, linked
from api.graphql.money import usdfc
from api.graphql.operation import BlockInput, Info, reading_of
from api.graphql.pages import Connection, connection, connection_below, snapshot_of
from api.graphql.reading import Reading
from api.graphql.runners import Runner, runner_of
from api.graphql.scalars import Address, BigInt, Bytes32, UInt
from api.graphql.where import AddressFilter, BigIntFilter, Bytes32Filter, UIntFilter, plain
from api.paging import page_request
from api.queries import channels, vouchers


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


@strawberry.input(description="All given conditions must hold.")
class VoucherWhere:
    channel_id: Bytes32Filter | None = UNSET
    payer: AddressFilter | None = UNSET
    node: AddressFilter | None = UNSET
    owner: AddressFilter | None = UNSET
    amount: BigIntFilter | None = UNSET
    block_number: UIntFilter | None = UNSET
    and_: list[Self] | None = strawberry.field(name="and", default=UNSET)
    or_: list[Self] | None = strawberry.field(name="or", default=UNSET)
    not_: Self | None = strawberry.field(name="not", default=UNSET)


@strawberry.type(
    description="A voucher of a payment channel that was redeemed. Until then payer and payee alone know of one."
)
class Voucher:
    COLUMNS: ClassVar[Columns] = {"timestamp": "block_time"}
    reading: strawberry.Private[Reading]
    channel_id: Bytes32
    payer: Address = strawberry.field(description="Who signed it.")
    node: Address = strawberry.field(description="Node key of the runner that it was given to.")
    owner: Address = strawberry.field(description="Who was paid.")
    amount: BigInt = strawberry.field(
        description="What redeeming it paid: what it says less what earlier ones had said."
    )
    amount_usdfc: str = usdfc("amount")
    cumulative: BigInt = strawberry.field(
        description="What it says: all that the channel has paid with it. Vouchers have no number; a higher one replaces"
        " all before it."
    )
    cumulative_usdfc: str = usdfc("cumulative")
    block_number: UInt
    log_index: UInt
    place: int = strawberry.field(description="Place among those redeemed together, from 0.")
    tx_hash: Bytes32
    timestamp: datetime

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `vouchers`."""
        return dressed(cls, record, reading=reading, timestamp=record["block_time"])

    @linked("channel", by="channel_id")
    async def channel(self) -> "Channel | None":
        record = await self.reading.channel.load(self.channel_id)
        return Channel.of(self.reading, record) if record else None

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)


@strawberry.type(description="A payment channel of the StakeWallet.")
class Channel:
    COLUMNS: ClassVar[Columns] = {"id": "channel_id"}
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
        status = ChannelStatus(record["status"])
        return dressed(cls, record, reading=reading, id=record["channel_id"], status=status)

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)

    @strawberry.field(description="Its vouchers that were redeemed, newest first by default.")
    async def vouchers(
        self,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: VoucherWhere | None = None,
        order_by: VoucherOrder = VoucherOrder.REDEEMED_DESC,
    ) -> Connection[Voucher]:
        return await connection_below(
            self.reading,
            self.id,
            vouchers.of_channels,
            request=page_request(first=first, after=after, last=last, before=before),
            where=plain(where),
            ordering=ORDERINGS[order_by],
            kind=Voucher,
        )


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
        return await read_one(info, reading, Channel, id, loader="channel")

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
        page = await channels.page(snapshot_of(info, reading), request, where=plain(where))
        return await connection(info, reading, page, Channel)

    @strawberry.field(description="Vouchers that were redeemed, of all channels, newest first by default.")
    async def vouchers(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: VoucherWhere | None = None,
        order_by: VoucherOrder = VoucherOrder.REDEEMED_DESC,
        min_block: UInt | None = None,
    ) -> Connection[Voucher]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block)
        page = await vouchers.page(
            snapshot_of(info, reading), request, where=plain(where), ordering=ORDERINGS[order_by]
        )
        return await connection(info, reading, page, Voucher)
