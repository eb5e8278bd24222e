"""Billing: use and cost of applications by day."""

from datetime import UTC, date, datetime, timedelta

from pydantic import Field, computed_field

from api.queries import billing_days as billing
from api.rest.endpoint import Endpoint
from api.rest.models import AddressText, Amount, Model, read
from api.rest.reads import bytes_or_none, reading
from api.rest.requests import Billing
from api.services import Services
from protocol.errors import InputError
from protocol.money import format_usdfc

MAX_DAYS = 366
_DEFAULT_DAYS = 30


class BillingRow(Model):
    """Prompts of one application, creator and model on one UTC day."""

    day: date
    client_id: str | None
    creator: AddressText
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Amount = Field(description="paid, fees included, base units")


class BillingReport(Model):
    """Use and cost by day, newest first, with their sums."""

    since: date
    until: date
    metrics: list[BillingRow]
    complete: bool = Field(description="false if there is more than fits: ask for a shorter time")
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Amount

    @computed_field(description="`cost` in USDFC")  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def cost_usdfc(self) -> str:
        """Return the cost as a decimal."""
        return format_usdfc(int(self.cost))


async def billing_metrics(services: Services, asked: Billing, _body: None) -> BillingReport:
    """Return use and cost by day."""
    until = asked.until or datetime.now(UTC).date()
    since = asked.since or until - timedelta(days=_DEFAULT_DAYS)
    if not 0 <= (until - since).days < MAX_DAYS:
        raise InputError(
            f"since: {since} to {until} is no time of 1 to {MAX_DAYS} days",
            field="since",
            hint="Choose an earlier `since`, or ask for a shorter time.",
        )
    async with reading(services, None) as snapshot:
        rows = await billing.by_day(
            snapshot,
            client_id=asked.client_id,
            creator=bytes_or_none(asked.creator),
            model=asked.model,
            since=since,
            until=until,
        )
    metrics: list[BillingRow] = [read(BillingRow, row) for row in rows[: billing.MAX_ROWS]]
    return BillingReport(
        since=since,
        until=until,
        metrics=metrics,
        complete=len(rows) <= billing.MAX_ROWS,
        requests=sum(row.requests for row in metrics),
        input_tokens=sum(row.input_tokens for row in metrics),
        output_tokens=sum(row.output_tokens for row in metrics),
        cost=str(sum(int(row.cost) for row in metrics)),
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/llm/billing/metrics",
        summary="Use and cost by application, creator, model and day",
        handle=billing_metrics,
        answer=BillingReport,
        parameters=Billing,
        problems=(400, 503),
    ),
)
