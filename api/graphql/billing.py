"""Billing: the use and the cost of each application."""

from datetime import date
from typing import Self

import strawberry
from strawberry import UNSET

from api.graphql.money import usdfc
from api.graphql.operation import Info
from api.graphql.scalars import Address, BigInt, UInt
from api.graphql.where import AddressFilter, StringFilter, plain
from api.queries import billing_sums
from protocol.errors import InputError

MAX_DAYS = 366


@strawberry.input(description="All given conditions must hold.")
class BillingWhere:
    client_id: StringFilter | None = UNSET
    creator: AddressFilter | None = UNSET
    model: StringFilter | None = UNSET
    and_: list[Self] | None = strawberry.field(name="and", default=UNSET)
    or_: list[Self] | None = strawberry.field(name="or", default=UNSET)
    not_: Self | None = strawberry.field(name="not", default=UNSET)


@strawberry.type(description="Prompts of one client id, creator and model, summed.")
class BillingMetrics:
    client_id: str | None = strawberry.field(
        description="Name of the application; null where none was given."
    )
    creator: Address
    model: str = strawberry.field(description="As `name@sha256:digest`.")
    requests: UInt
    input_tokens: UInt
    output_tokens: UInt
    cost: BigInt = strawberry.field(description="Paid, fees included.")
    cost_usdfc: str = usdfc("cost")


@strawberry.type(description="Prompts of one day of the UTC calendar, summed.")
class BillingDay:
    day: date
    requests: UInt
    input_tokens: UInt
    output_tokens: UInt
    cost: BigInt = strawberry.field(description="Paid, fees included.")
    cost_usdfc: str = usdfc("cost")


@strawberry.type
class BillingQuery:
    @strawberry.field(
        description=f"Prompts of the last `days` (1 to {MAX_DAYS}) days by client id, creator and model, the dearest first."
    )
    async def billing(
        self, info: Info, where: BillingWhere | None = None, days: int = 30
    ) -> list[BillingMetrics]:
        rows = await billing_sums.by_client(
            info.context.reading.snapshot, where=plain(where), days=_checked(days)
        )
        return [BillingMetrics(**dict(row)) for row in rows]

    @strawberry.field(
        description=f"Prompts of each of the last `days` (1 to {MAX_DAYS}) days that has any, oldest first."
    )
    async def billing_days(
        self, info: Info, where: BillingWhere | None = None, days: int = 30
    ) -> list[BillingDay]:
        rows = await billing_sums.by_day(
            info.context.reading.snapshot, where=plain(where), days=_checked(days)
        )
        return [BillingDay(**dict(row)) for row in rows]


def _checked(days: int) -> int:
    if not 1 <= days <= MAX_DAYS:
        raise InputError(f"days: {days} is not possible", field="days", hint=f"Ask for 1 to {MAX_DAYS}.")
    return days
