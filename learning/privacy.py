"""Differential privacy of each participant as a whole: its update is clipped to a length, and noise covers that length.

Central noise is added by whoever aggregates, who sees updates without it. Distributed noise is added by each participant in
whole steps of fixed point before masking; only the sum, which has it all, is ever readable. Under privacy everybody counts
alike: a weight by samples would let one participant's presence show through its weight.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.accountant import Spent, spent
from learning.aggregate import SCALE, fedavg, quantise
from learning.errors import PrivacyError
from learning.krum import in_order
from learning.randomness import SecretStream
from learning.session_config import PrivacySpec, count_noise
from learning.updates import Update, Vector


@dataclass(frozen=True, slots=True)
class ClipState:
    """The clipping norm in force."""

    norm: float


def clipped(delta: Vector, norm: float) -> Vector:
    """Shorten an update to length `norm` at most; it never becomes longer through rounding."""
    length = float(np.linalg.norm(delta.astype(np.float64)))
    if length <= norm:
        return delta
    return (delta.astype(np.float64) * (norm / length * (1 - 2**-20))).astype(np.float32)


def least_norm(parameters: int) -> float:
    """Return the shortest norm to clip so many parameters to: below, rounding them to whole steps would reach beyond it."""
    return 4 * _rounding(parameters)


def check_norm(spec: PrivacySpec, *, parameters: int) -> None:
    """Raise `PrivacyError` where the clipping norm is shorter than what rounding may add."""
    if float(spec.clip_norm) < least_norm(parameters):
        raise PrivacyError(
            f"{spec.clip_norm} is too short for {parameters:,} parameters in steps of 2**-24; take {least_norm(parameters):.2g} or more",
            field="clip_norm",
        )


def bounded(delta: Vector, norm: float) -> Vector:
    """Shorten an update so that it is no longer than `norm` after each parameter is rounded to a whole step, too."""
    return clipped(delta, norm - _rounding(len(delta)))


def _rounding(parameters: int) -> float:
    return math.sqrt(parameters) / (2 * SCALE)


def central(
    updates: Sequence[Update],
    spec: PrivacySpec,
    state: ClipState,
    *,
    clip: float,
    stream: SecretStream | None = None,
) -> tuple[Vector, ClipState]:
    """Return the noised mean of the clipped updates, and the next clipping norm. Everybody weighs one."""
    stream = stream or SecretStream()
    ordered = in_order(updates)
    check_norm(spec, parameters=len(ordered[0].delta))
    shortened = [Update(u.participant, 1, bounded(u.delta, state.norm)) for u in ordered]
    mean = fedavg(shortened, clip=clip).astype(np.float64)
    deviation = update_noise(spec, len(ordered)) * state.norm / len(ordered)
    noised = (mean + deviation * stream.normal(len(mean))).astype(np.float32)
    return noised, next_clip(ordered, spec, state, stream=stream)


def next_clip(
    updates: Sequence[Update], spec: PrivacySpec, state: ClipState, *, stream: SecretStream
) -> ClipState:
    """Move the norm towards the target quantile of lengths, by a noised count (Andrew et al. 2021)."""
    if not spec.adaptive:
        return state
    within = sum(float(np.linalg.norm(u.delta.astype(np.float64))) <= state.norm for u in updates)
    share = (within + count_noise(len(updates)) * float(stream.normal(1)[0])) / len(updates)
    factor = math.exp(-float(spec.clip_rate) * (share - float(spec.target_quantile)))
    return ClipState(max(state.norm * factor, least_norm(len(updates[0].delta))))


def update_noise(spec: PrivacySpec, participants: int) -> float:
    """Return the noise multiplier on updates so that, with the noised count, a round spends what the session says."""
    noise = float(spec.noise_multiplier)
    if not spec.adaptive:
        return noise
    rest = noise**-2 - (2 * count_noise(participants)) ** -2
    if rest <= 0:
        raise PrivacyError(
            f"{noise} leaves nothing for the updates; lower it or clip at a fixed norm",
            field="noise_multiplier",
        )
    return float(rest**-0.5)


def distributed_steps(
    delta: Vector, spec: PrivacySpec, *, honest: int, clip: float, stream: SecretStream | None = None
) -> NDArray[np.int64]:
    """Return a clipped update with this participant's share of noise, in steps of 1 / 2**24, shape (parameters,).

    Each adds variance (noise·norm)² / `honest`, so that any `honest` survivors together have the session's noise.
    """
    check_norm(spec, parameters=len(delta))
    steps = quantise(bounded(delta, float(spec.clip_norm)), clip=clip)
    deviation = float(spec.noise_multiplier) * float(spec.clip_norm) * SCALE / math.sqrt(honest)
    return steps + discrete_gaussian(len(delta), deviation, stream=stream or SecretStream())


def discrete_gaussian(count: int, deviation: float, *, stream: SecretStream) -> NDArray[np.int64]:
    """Draw whole numbers with chances in proportion to exp(-x² / 2·deviation²), shape (count,).

    Rejection from a discrete Laplace distribution (Canonne, Kamath, Steinke 2020), with chances in double precision.
    """
    if not (math.isfinite(deviation) and deviation > 0):
        raise PrivacyError(f"expected a number above 0, not {deviation}", field="noise_multiplier")
    scale = math.floor(deviation) + 1
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < count:
        wanted = 2 * (count - len(drawn)) + 16
        proposed = _discrete_laplace(wanted, scale, stream)
        away = np.abs(proposed).astype(np.float64) - deviation**2 / scale
        accepted = stream.uniform(wanted) < np.exp(-(away**2) / (2 * deviation**2))
        drawn = np.concatenate([drawn, proposed[accepted]])
    return drawn[:count]


def spent_after(spec: PrivacySpec, rounds: int) -> Spent:
    """Return what a session has spent after `rounds` rounds, in each of which everybody takes part."""
    return spent(
        noise_multiplier=float(spec.noise_multiplier),
        sampling_rate=1.0,
        rounds=rounds,
        delta=float(spec.delta),
    )


def _discrete_laplace(count: int, scale: int, stream: SecretStream) -> NDArray[np.int64]:
    """Draw whole numbers with chances in proportion to exp(-|x| / scale): a difference of two geometric numbers."""
    one, other = (np.floor(-scale * np.log(stream.uniform(count))).astype(np.int64) for _ in range(2))
    difference: NDArray[np.int64] = one - other
    return difference
