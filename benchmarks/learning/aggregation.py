"""Ten updates of ten million parameters into one, beside Flower's times for the same on the same kind of machine."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.learning.report import Row
from learning import bounding, krum
from learning.aggregate import fedavg, median, trimmed_mean
from learning.updates import Update, Vector

# Flower 1.42 with 10 updates of 10M parameters: best of 3, two cores.
FLOWER_S = {"fedavg": 0.713, "median": 2.39, "trimmed_mean": 2.43, "multi_krum": 1.52}

RULES: dict[str, Callable[[list[Update]], Vector]] = {
    "fedavg": lambda updates: fedavg(updates, clip=4.0),
    "median": median,
    "trimmed_mean": lambda updates: trimmed_mean(updates, trim=2),
    "multi_krum": lambda updates: krum.multi_krum(updates, hostile=2, clip=4.0),
    "norm_clip": lambda updates: bounding.norm_clip(updates, clip=4.0),
}


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Time each rule, best of three, in seconds of processor time: the machine may have other work."""
    parameters = 100_000 if tiny else 10_000_000
    rng = np.random.Generator(np.random.PCG64(0))
    updates = [
        Update(f"p{i}", 100 + i, 0.1 * rng.standard_normal(parameters, dtype=np.float32)) for i in range(10)
    ]
    for name, rule in RULES.items():
        seconds = min(_timed(rule, updates) for _ in range(1 if tiny else 3))
        yield Row(
            "aggregation",
            f"{name}, 10 x {parameters:,}",
            seconds,
            "s (cpu)",
            "Flower, 10M",
            FLOWER_S.get(name),
        )


def _timed(rule: Callable[[list[Update]], Vector], updates: list[Update]) -> float:
    began = time.process_time()
    rule(updates)
    return time.process_time() - began
