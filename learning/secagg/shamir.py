"""Shamir's secret sharing over the whole numbers modulo 2**256 - 189."""

from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest

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


def corrected(shares: Mapping[int, int], *, threshold: int) -> int | None:
    """Return the secret although some shares, by place, are wrong: at most half of those beyond `threshold`; none if more are.

    Shares are a Reed-Solomon code word: Gao, A new algorithm for decoding Reed-Solomon codes (2003).
    """
    through = _interpolated(shares)
    before, now = _vanishing(shares), through
    factor_before, factor = [], [1]
    while 2 * (len(now) - 1) >= len(shares) + threshold:
        quotient, rest = _divided(before, now)
        factor_before, factor = factor, _less(factor_before, _times(quotient, factor))
        before, now = now, rest
    polynomial, rest = _divided(now, factor)
    if rest or len(polynomial) > threshold:
        return None
    return polynomial[0] if polynomial else 0


Polynomial = list[int]
"""Coefficients from the constant upwards, the last one not 0."""


def _vanishing(places: Iterable[int]) -> Polynomial:
    product = [1]
    for place in places:
        product = _times(product, [-place % PRIME, 1])
    return product


def _interpolated(shares: Mapping[int, int]) -> Polynomial:
    total = [0] * len(shares)
    product = _vanishing(shares)
    for place, value in shares.items():
        others, _ = _divided(product, [-place % PRIME, 1])
        weight = value * pow(_value(others, place), -1, PRIME) % PRIME
        total = [(sum_ + weight * other) % PRIME for sum_, other in zip(total, others, strict=True)]
    return _trimmed(total)


def _times(one: Polynomial, other: Polynomial) -> Polynomial:
    product = [0] * max(0, len(one) + len(other) - 1)
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            product[i + j] = (product[i + j] + left * right) % PRIME
    return _trimmed(product)


def _less(one: Polynomial, other: Polynomial) -> Polynomial:
    return _trimmed([(left - right) % PRIME for left, right in zip_longest(one, other, fillvalue=0)])


def _divided(one: Polynomial, other: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Return quotient and rest; `other` is not 0."""
    rest, inverse = list(one), pow(other[-1], -1, PRIME)
    quotient = [0] * max(0, len(one) - len(other) + 1)
    for shift in reversed(range(len(quotient))):
        quotient[shift] = rest[shift + len(other) - 1] * inverse % PRIME
        for i, coefficient in enumerate(other):
            rest[shift + i] = (rest[shift + i] - quotient[shift] * coefficient) % PRIME
    return _trimmed(quotient), _trimmed(rest)


def _trimmed(coefficients: Polynomial) -> Polynomial:
    while coefficients and coefficients[-1] == 0:
        coefficients.pop()
    return coefficients


def _value(coefficients: list[int], at: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * at + coefficient) % PRIME
    return total
