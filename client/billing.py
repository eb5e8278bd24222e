"""What prompts cost, by application: sums of the API's index over settled tasks."""

from client.api import ApiClient, ApiRecord
from protocol.errors import InputError

DEFAULT_DAYS = 30
LONGEST_DAYS = 366

BILLING = """
query Billing($where: BillingWhere, $days: Int!) {
  billing(where: $where, days: $days) { clientId creator model requests inputTokens outputTokens cost costUsdfc }
}
"""


class Bill(ApiRecord):
    """Prompts of one client id, creator and model, summed. `cost` is base units of USDFC, fees included."""

    client_id: str | None
    creator: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: str
    cost_usdfc: str


async def read_bills(
    api: ApiClient, *, client_id: str | None, creator: str | None, model: str | None, days: int
) -> tuple[Bill, ...]:
    """Sum the prompts of the last `days` days, the dearest first. `InputError`, `ApiError`."""
    if not 1 <= days <= LONGEST_DAYS:
        raise InputError(
            f"days: {days} is not possible", field="days", hint=f"Choose 1 to {LONGEST_DAYS} days."
        )
    wanted = {"clientId": client_id, "creator": creator, "model": model}
    where = {name: {"eq": value} for name, value in wanted.items() if value is not None}
    data = await api.ask(BILLING, {"where": where or None, "days": days})
    return api.nodes(Bill, data.get("billing"))
