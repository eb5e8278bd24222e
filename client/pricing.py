"""What a prompt should cost, from what runners ask. An order's reward is a cap: what is not used comes back."""

import math
from collections.abc import Sequence

from client.records import Estimate, Offer
from protocol.documents import LlmSpec
from protocol.money import USDFC

BYTES_PER_TOKEN = 3
"""Fewer than the usual four, so that estimates err to the dear side; code and other scripts need more tokens."""
TEMPLATE_TOKENS = 32
"""What a chat template adds around a prompt, about."""
TOKENS_PER_PRICE = 1_000
HEADROOM_PERCENT = 150
"""The default cap, of the estimate."""
MIN_REWARD = USDFC // 1_000
"""Least default cap for each seat, so that an order is not lost over rounding: 0.001 USDFC."""
MIN_BOND = USDFC // 10
"""Least stake asked behind a seat, so that a cheap prompt is still worth answering honestly: 0.1 USDFC."""


def estimate_tokens(spec: LlmSpec) -> tuple[int, int]:
    """Guess a prompt's input tokens, and give the most output tokens it may have."""
    size = len(spec.prompt.encode()) + len((spec.system or "").encode())
    return TEMPLATE_TOKENS + math.ceil(size / BYTES_PER_TOKEN), spec.options.num_predict


def estimate(spec: LlmSpec, offers: Sequence[Offer], *, replicas: int) -> Estimate:
    """Price a prompt so that at least half of the model's runners, and enough for all seats, would take it.

    `offers` are those of the spec's model, cheapest first. Two prices of 0 would mean a fixed price to the contract,
    so a free offer is met with the smallest price there is.
    """
    wanted = min(len(offers), max(replicas, math.ceil(len(offers) / 2)))
    input_price = max(1, *(offer.input_price for offer in offers[:wanted]))
    output_price = max(1, *(offer.output_price for offer in offers[:wanted]))
    input_tokens, output_tokens = estimate_tokens(spec)
    cost = metered(input_tokens, output_tokens, input_price=input_price, output_price=output_price)
    cap = max(MIN_REWARD, -(-cost * HEADROOM_PERCENT // 100))
    return Estimate(
        model=spec.model,
        runners=sum(
            offer.input_price <= input_price and offer.output_price <= output_price for offer in offers
        ),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        input_price=input_price,
        output_price=output_price,
        expected=cost * replicas,
        max_price=cap * replicas,
    )


def metered(input_tokens: int, output_tokens: int, *, input_price: int, output_price: int) -> int:
    """Return what one seat earns for its tokens, before the cap, in base units, as TaskEscrow computes it."""
    return (input_tokens * input_price + output_tokens * output_price) // TOKENS_PER_PRICE


def bond_for(reward: int, *, replicas: int) -> int:
    """Return the stake to ask behind each seat: what the seat may earn, and never less than `MIN_BOND`."""
    return max(MIN_BOND, -(-reward // replicas))
