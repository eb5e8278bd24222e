"""What prompts to a model have cost lately, from the API's index: to compare an estimate with, never to pay by."""

import asyncio
import statistics
from dataclasses import dataclass

from pydantic import Field

from client.api import ApiClient, ApiRecord
from client.records import Estimate, Usdfc
from protocol.errors import ApiError

_PROMPTS = 50
_PATIENCE_S = 3.0
"""A figure for comparison is not worth more of a person's time."""

RECENT = """
query Recent($model: String!, $first: Int!) {
  prompts(first: $first, where: { model: { eq: $model }, status: { eq: FINAL } }, orderBy: CREATED_DESC) {
    nodes { cost inputTokens outputTokens task { replicas } }
  }
}
"""


class Replicas(ApiRecord):
    """How many runners answered."""

    replicas: int = Field(ge=1)


class Settled(ApiRecord):
    """What one settled prompt cost, in base units, for how many tokens."""

    cost: str = Field(pattern=r"^[0-9]{1,78}$")
    input_tokens: int | None = Field(ge=0)
    output_tokens: int | None = Field(ge=0)
    task: Replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentPrices:
    """What the newest settled prompts to a model cost, fees included.

    `per_1000_tokens` is the median for one replica, `expected` what an estimate's tokens and replicas would cost by it.
    """

    prompts: int
    cheapest: Usdfc
    median: Usdfc
    dearest: Usdfc
    per_1000_tokens: Usdfc
    expected: Usdfc


async def read_recent(api: ApiClient, estimate: Estimate, *, replicas: int) -> RecentPrices | None:
    """Compare an estimate with recent settlements; `None` if the API does not answer soon, or knows of none."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            data = await api.ask(RECENT, {"model": estimate.model, "first": _PROMPTS})
            settled = api.nodes(Settled, data.get("prompts"))
    except (ApiError, TimeoutError):
        return None
    return summed_up(settled, estimate, replicas=replicas)


def summed_up(settled: tuple[Settled, ...], estimate: Estimate, *, replicas: int) -> RecentPrices | None:
    """Take the medians of what was settled; `None` of nothing."""
    rates = [
        int(each.cost) * 1_000 // (tokens * each.task.replicas)
        for each in settled
        if (tokens := (each.input_tokens or 0) + (each.output_tokens or 0))
    ]
    if not rates:
        return None
    costs = sorted(int(each.cost) for each in settled)
    rate = statistics.median_low(rates)
    return RecentPrices(
        prompts=len(settled),
        cheapest=costs[0],
        median=statistics.median_low(costs),
        dearest=costs[-1],
        per_1000_tokens=rate,
        expected=rate * (estimate.input_tokens + estimate.output_tokens) * replicas // 1_000,
    )
