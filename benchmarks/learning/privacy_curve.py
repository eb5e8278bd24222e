"""What accuracy privacy costs: digits at ε 1, 4 and 8, with everybody in every round, by the accountant's figures."""

from collections.abc import Iterator

import numpy as np

from benchmarks.learning import task
from benchmarks.learning.report import Row
from learning.accountant import exact_epsilon, noise_for
from learning.simulate import Simulation

DELTA = 1e-5
CLIP = 1.0


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Yield accuracy at each ε after 10 rounds, for 10 participants' noise and for what 100 and 1,000 would see.

    Noise on the mean falls with the number of participants while ε stays: ten are too few for client-level privacy, and
    the table says so. The other cases play the same session with the noise that the mean of 100 or 1,000 has.
    """
    rounds = 2 if tiny else 10
    plain = _accuracy(rounds, None, (0,))
    yield Row("privacy", f"no noise, {rounds} rounds", plain, "")
    for epsilon in (8.0,) if tiny else (1.0, 4.0, 8.0):
        noise = noise_for(epsilon, sampling_rate=1.0, rounds=rounds, delta=DELTA)
        exact = exact_epsilon(noise_multiplier=noise, rounds=rounds, delta=DELTA)
        yield Row(
            "privacy", f"epsilon {epsilon:g}: noise multiplier", noise, "", "exact epsilon", round(exact, 4)
        )
        for people in (10, 100, 1_000):
            found = _accuracy(rounds, noise * 10 / people, (0,) if tiny else (0, 1))
            yield Row(
                "privacy",
                f"epsilon {epsilon:g}, noise of {people} participants",
                found,
                "",
                "no noise",
                plain,
            )


def _accuracy(rounds: int, noise: float | None, seeds: tuple[int, ...]) -> float:
    found = []
    for seed in seeds:
        privacy = (
            None
            if noise is None
            else {"clip_norm": CLIP, "noise_multiplier": f"{noise:.6f}", "delta": f"{DELTA:.6f}"}
        )
        simulation = Simulation(
            task.config(rounds, privacy=privacy, verification={"gate_loss": 1_000_000}),
            task.shares(seed),
            task.split()[1],
            task.first_weights(seed),
        )
        found.append(task.accuracy(simulation.run().progress.weights))
    return float(np.mean(found))
