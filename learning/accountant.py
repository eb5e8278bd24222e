"""How much privacy has been spent: Rényi differential privacy of the subsampled Gaussian mechanism, as ε at a given δ.

Mironov 2017; Mironov, Talwar, Zhang 2019 (sampled mechanism); Balle et al. 2020 (conversion). Neighbours differ by one
participant; each takes part in a round with chance `sampling_rate`. With everybody in every round nothing is amplified:
20 rounds at noise 1 are ε 30, and that is what is shown.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from learning.errors import PrivacyError

ORDERS: tuple[float, ...] = (*(1 + i / 10 for i in range(1, 100)), *(float(i) for i in range(12, 64)))


@dataclass(frozen=True, slots=True)
class Spent:
    """ε at δ, and the Rényi order that showed it."""

    epsilon: float
    delta: float
    order: float


def spent(*, noise_multiplier: float, sampling_rate: float, rounds: int, delta: float) -> Spent:
    """Return what `rounds` rounds spend. `noise_multiplier` is the noise's standard deviation over the clipping norm."""
    _check(noise_multiplier, sampling_rate, rounds, delta)
    if rounds == 0:
        return Spent(0.0, delta, ORDERS[-1])
    best = min(
        (_epsilon(rounds * renyi(order, noise_multiplier, sampling_rate), order, delta), order)
        for order in ORDERS
    )
    return Spent(max(0.0, best[0]), delta, best[1])


def noise_for(epsilon: float, *, sampling_rate: float, rounds: int, delta: float) -> float:
    """Return the least noise multiplier (to 1e-4) with which `rounds` rounds spend at most `epsilon`."""
    if not epsilon > 0:
        raise PrivacyError(f"expected a number above 0, not {epsilon}", field="epsilon")

    def enough(noise: float) -> bool:
        return (
            spent(noise_multiplier=noise, sampling_rate=sampling_rate, rounds=rounds, delta=delta).epsilon
            <= epsilon
        )

    low, high = 0.0, 1.0
    while not enough(high):
        low, high = high, 2 * high
        if high > 1e6:
            raise PrivacyError(f"no noise reaches ε {epsilon} at δ {delta}", field="epsilon")
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@lru_cache(maxsize=16_384)
def renyi(order: float, noise: float, rate: float) -> float:
    """Return one round's Rényi divergence at `order`."""
    if rate == 1:
        return order / (2 * noise**2)
    log_moment = _whole(int(order), noise, rate) if order.is_integer() else _fractional(order, noise, rate)
    return log_moment / (order - 1)


def exact_epsilon(*, noise_multiplier: float, rounds: int, delta: float) -> float:
    """Return the exact ε with everybody in every round (Balle, Wang 2018): what the accountant must not be below."""
    shift = math.sqrt(rounds) / noise_multiplier

    def delta_at(epsilon: float) -> float:
        second = _log_normal_tail(epsilon / shift + shift / 2)
        return _normal(shift / 2 - epsilon / shift) - math.exp(epsilon + second)

    low, high = 0.0, 1.0
    while delta_at(high) > delta:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_at(middle) > delta else (low, middle)
    return high


def _epsilon(divergence: float, order: float, delta: float) -> float:
    return divergence - (math.log(delta) + math.log(order)) / (order - 1) + math.log((order - 1) / order)


def _whole(order: int, noise: float, rate: float) -> float:
    total = -math.inf
    for i in range(order + 1):
        binomial = math.lgamma(order + 1) - math.lgamma(i + 1) - math.lgamma(order - i + 1)
        term = binomial + i * math.log(rate) + (order - i) * math.log1p(-rate)
        total = _log_add(total, term + (i * i - i) / (2 * noise**2))
    return total


def _fractional(order: float, noise: float, rate: float) -> float:
    """Sum two infinite series until the terms are below e**-30, as binomial coefficients of a fraction alternate."""
    positive = [-math.inf, -math.inf]
    negative = [-math.inf, -math.inf]
    cut = noise**2 * math.log(1 / rate - 1) + 0.5
    coefficient, log_coefficient = 1.0, 0.0
    i = 0
    while True:
        rest = order - i
        low = log_coefficient + i * math.log(rate) + rest * math.log1p(-rate)
        high = log_coefficient + rest * math.log(rate) + i * math.log1p(-rate)
        first = low + (i * i - i) / (2 * noise**2) + _log_normal_tail((i - cut) / noise)
        second = high + (rest * rest - rest) / (2 * noise**2) + _log_normal_tail((cut - rest) / noise)
        side = positive if coefficient > 0 else negative
        side[0], side[1] = _log_add(side[0], first), _log_add(side[1], second)
        i += 1
        coefficient *= (order - i + 1) / i
        log_coefficient = math.log(abs(coefficient)) if coefficient else -math.inf
        if max(first, second) < -30 and i > order:
            break
    return _log_subtract(_log_add(*positive), _log_add(*negative))


def _log_normal_tail(x: float) -> float:
    """Return the logarithm of the chance that a standard normal is above x; exact far out too."""
    chance = math.erfc(x / math.sqrt(2)) / 2
    if chance > 1e-290:
        return math.log(chance)
    return -x * x / 2 - math.log(x) - math.log(2 * math.pi) / 2 + math.log1p(-1 / x**2 + 3 / x**4)


def _normal(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def _log_add(one: float, other: float) -> float:
    low, high = min(one, other), max(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _log_subtract(one: float, other: float) -> float:
    return one if other == -math.inf else one + math.log1p(-math.exp(other - one))


def _check(noise: float, rate: float, rounds: int, delta: float) -> None:
    for value, good, name in (
        (noise, noise > 0, "noise_multiplier"),
        (rate, 0 < rate <= 1, "sampling_rate"),
        (rounds, rounds >= 0, "rounds"),
        (delta, 0 < delta < 1, "delta"),
    ):
        if not (math.isfinite(value) and good):
            raise PrivacyError(f"{value} has no meaning", field=name)
