"""Shamir's secret sharing over the whole numbers modulo 2**256 - 189."""

from collections.abc import Callable, Mapping

from learning.errors import SecureAggregationError

PRIME = 2**256 - 189
Random = Callable[[int], bytes]


def draw(random: Random) -> int:
    """Draw a uniform element of the field."""
    while (value := int.from_bytes(random(32), "big")) >= PRIME:
        pass
    return value


def split(secret: int, *, threshold: int, shares: int, random: Random) -> list[int]:
    """Return the shares at 1 … `shares`; any `threshold` of them give the secret, fewer say nothing."""
    if not 1 <= threshold <= shares:
        raise SecureAggregationError(f"expected 1 to {shares}, not {threshold}", field="threshold")
    coefficients = [secret % PRIME, *(draw(random) for _ in range(threshold - 1))]
    return [_value(coefficients, at) for at in range(1, shares + 1)]


def combine(shares: Mapping[int, int]) -> int:
    """Return the value at 0 of the polynomial through `shares`, by place."""
    secret = 0
    for place, value in shares.items():
        over, under = 1, 1
        for other in shares:
            if other != place:
                over = over * other % PRIME
                under = under * (other - place) % PRIME
        secret = (secret + value * over * pow(under, -1, PRIME)) % PRIME
    return secret


def _value(coefficients: list[int], at: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * at + coefficient) % PRIME
    return total
