"""Secure aggregation of a million parameters among ten: all participants and the recovery, one after another."""

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.learning.report import Row
from learning.aggregate import quantise
from learning.secagg import participant, recovery
from learning.secagg.recovery import Transcript

FLOWER_S = 2.04
"""Flower's SecAgg+ with 1M x 10, a round including its transport; it sums 32-bit words under masks of 32-bit seeds."""


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Time a round without drops and one in which two drop before their masked update, in seconds of processor time."""
    parameters = 10_000 if tiny else 1_000_000
    for dropped in (0, 2):
        each, unmask = one_round(parameters, participants=10, dropped=dropped)
        case = f"10 x {parameters:,}, {dropped} dropped"
        yield Row("secagg", f"{case}: one participant", each, "s (cpu)")
        yield Row("secagg", f"{case}: recovery", unmask, "s (cpu)")
        yield Row(
            "secagg",
            f"{case}: all in one process",
            10 * each + unmask,
            "s (cpu)",
            "Flower, 1M x 10",
            FLOWER_S,
        )


def one_round(parameters: int, *, participants: int, dropped: int) -> tuple[float, float]:
    """Return a participant's mean seconds over all stages, and the recovery's. The sum is checked."""
    rng = np.random.Generator(np.random.PCG64(0))
    names = [f"p{i}" for i in range(participants)]
    steps = {name: quantise(rng.standard_normal(parameters).astype(np.float32), clip=4.0) for name in names}
    began = time.process_time()
    states, keys, shares, masked, answers = {}, {}, {}, {}, {}
    for name in names:
        states[name], keys[name] = participant.begin(name, b"benchmark")
    for name in names:
        states[name], shares[name] = participant.share(states[name], keys.values())
    for name in names[dropped:]:
        states[name], masked[name] = participant.mask(states[name], shares.values(), steps[name])
    for name in names[dropped:]:
        states[name], answers[name] = participant.answer(states[name], masked)
    each = (time.process_time() - began) / participants
    began = time.process_time()
    total = recovery.recover(Transcript(b"benchmark", parameters, keys, shares, masked, answers))
    seconds = time.process_time() - began
    if not np.array_equal(total, sum(steps[name] for name in masked)):
        raise SystemExit("the recovered sum is wrong")
    return each, seconds
