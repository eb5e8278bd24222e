"""Accounts, with what they signed and what they were paid."""

from typing import Self

import strawberry

from api.graphql.accounts import Balance
from api.graphql.channels import Voucher, VoucherWhere
from api.graphql.enums import ORDERINGS, VoteOrder, VoucherOrder
from api.graphql.operation import BlockInput, Info, reading_of
from api.graphql.pages import Connection, connection_below
from api.graphql.proposals import Vote, VoteWhere
from api.graphql.reading import Reading
from api.graphql.scalars import Address, UInt
from api.graphql.where import plain
from api.paging import page_request
from api.queries import votes, vouchers


@strawberry.type(description="An account, whether anything is known of it or not.")
class Account:
    reading: strawberry.Private[Reading]
    address: Address

    @classmethod
    def of(cls, reading: Reading, address: bytes) -> Self:
        """Make what an address stands for."""
        return cls(reading=reading, address=Address(address))

    @strawberry.field(description="Its ledger entry; all zero if it never had one.")
    async def balance(self) -> Balance:
        return Balance.of(self.address, await self.reading.balance.load(self.address))

    @strawberry.field(description="Its votes on proposals, newest first by default.")
    async def votes(
        self,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: VoteWhere | None = None,
        order_by: VoteOrder = VoteOrder.CAST_DESC,
    ) -> Connection[Vote]:
        return await connection_below(
            self.reading,
            self.address,
            votes.of_voters,
            request=page_request(first=first, after=after, last=last, before=before),
            where=plain(where),
            ordering=ORDERINGS[order_by],
            kind=Vote,
        )

    @strawberry.field(description="Redeemed vouchers that it signed, newest first by default.")
    async def vouchers_paid(
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
            self.address,
            vouchers.of_payers,
            request=page_request(first=first, after=after, last=last, before=before),
            where=plain(where),
            ordering=ORDERINGS[order_by],
            kind=Voucher,
        )

    @strawberry.field(description="Redeemed vouchers that it was paid by, newest first by default.")
    async def vouchers_received(
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
            self.address,
            vouchers.of_owners,
            request=page_request(first=first, after=after, last=last, before=before),
            where=plain(where),
            ordering=ORDERINGS[order_by],
            kind=Voucher,
        )


@strawberry.type
class AccountQuery:
    @strawberry.field(description="An account, with its votes and vouchers.")
    async def account(
        self, info: Info, address: Address, min_block: UInt | None = None, block: BlockInput | None = None
    ) -> Account:
        return Account.of(await reading_of(info, min_block, block), address)
