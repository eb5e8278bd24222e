"""Accuracy under attacks that adapt: every rule, none to three of ten hostile. The gate's samples are not the test's."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.learning import task
from benchmarks.learning.report import Row
from learning.attacks import ATTACKS
from learning.simulate import Simulation

RULES: dict[str, dict[str, Any]] = {
    "fedavg": {},
    "median": {},
    "multi_krum": {"hostile": 3},
    "norm_clip": {},
    "reputation": {"hostile": 3},
}


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Yield mean accuracy after 20 rounds over the seeds, and what 30 % hostile cost the reputation rule at worst."""
    rounds, seeds = (2, (0,)) if tiny else (20, (0, 1))
    for rule in ("reputation",) if tiny else RULES:
        clean = run(rule, attack=None, hostile=0, rounds=rounds, seeds=seeds)
        yield Row("robustness", f"{rule}, clean", clean, "")
        worst = 0.0
        for attack in ("min-max",) if tiny else ATTACKS:
            for hostile in (3,) if tiny else (1, 2, 3):
                found = run(rule, attack=attack, hostile=hostile, rounds=rounds, seeds=seeds)
                worst = max(worst, clean - found) if hostile == 3 else worst
                yield Row(
                    "robustness", f"{rule}, {attack}, {hostile} of 10 hostile", found, "", "clean", clean
                )
        limit = 2.0 if rule == "reputation" else None
        yield Row("robustness", f"{rule}: worst loss at 3 of 10", 100 * worst, "points", "limit", limit)


def run(rule: str, *, attack: str | None, hostile: int, rounds: int, seeds: tuple[int, ...]) -> float:
    """Play sessions and measure the final models on the test images."""
    sections = {
        "aggregation": {"method": rule, **RULES[rule]},
        # Plain rules are shown without the gate on the aggregate, which would otherwise hide how they fail.
        "verification": {"gate_loss": 1_000_000},
    }
    found = []
    for seed in seeds:
        simulation = Simulation(
            task.config(rounds, **sections),
            task.shares(seed, gated=True),
            task.gate_split()[1],
            task.first_weights(seed),
            name=f"robustness {seed}",
            hostile=dict.fromkeys(range(hostile), ATTACKS[attack]) if attack else {},
        )
        found.append(task.accuracy(simulation.run().progress.weights))
    return float(np.mean(found))
