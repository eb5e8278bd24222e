from typing import Any

import numpy as np
import pytest

from learning import scaffold, server
from learning.aggregate import fedavg
from learning.evaluate import evaluate
from learning.server import ServerState
from learning.session_config import AggregationSpec
from learning.trainer import LocalTask, batch_seed
from learning.trajectory import train
from learning.updates import Update, Vector
from tests.learning.digits import MLP, TRAINING, first_weights, shares, split

RNG = np.random.Generator(np.random.PCG64(3))
BASE = RNG.standard_normal(30).astype(np.float32)
MEANS = [(0.1 * RNG.standard_normal(30)).astype(np.float32) for _ in range(4)]


def after(method: Any, **options: Any) -> Vector:
    spec, weights, state = AggregationSpec(method=method, **options), BASE, ServerState()
    for mean in MEANS:
        weights, state = server.apply(weights, mean, state, spec)
    return weights


def test_without_an_optimiser_the_model_moves_by_the_mean():
    np.testing.assert_allclose(after("fedavg"), BASE + sum(MEANS), atol=1e-6)
    np.testing.assert_allclose(after("fedavg", server_rate="0.5"), BASE + 0.5 * sum(MEANS), atol=1e-6)


def test_momentum_is_the_textbooks():
    weights, velocity = BASE.astype(np.float64), 0.0
    for mean in MEANS:
        velocity = 0.9 * velocity + mean.astype(np.float64)
        weights = weights + velocity
    np.testing.assert_allclose(after("fedavgm", server_momentum="0.9"), weights, atol=1e-6)


@pytest.mark.parametrize("method", ["fedadam", "fedyogi"])
def test_adaptive_steps_are_the_papers(method: str):
    weights, m, v = BASE.astype(np.float64), np.zeros(30), np.full(30, 1e-6)
    for mean in MEANS:
        d = mean.astype(np.float64)
        m = 0.9 * m + 0.1 * d
        v = 0.99 * v + 0.01 * d**2 if method == "fedadam" else v - 0.01 * d**2 * np.sign(v - d**2)
        weights = weights + 0.1 * m / (np.sqrt(v) + 0.001)
    np.testing.assert_allclose(after(method, server_rate="0.1"), weights, atol=1e-6)


def test_scaffold_recovers_the_average_gradient():
    gradient, correction, rate, steps = MEANS[0], MEANS[1], 0.05, 8
    delta = -(np.float32(rate * steps)) * (gradient + correction)
    own = scaffold.own_variate(correction, delta, steps=steps, rate=rate)
    np.testing.assert_allclose(own, gradient, atol=1e-5)


def test_scaffolds_server_variate_is_the_mean_of_its_participants():
    zero = np.zeros(30, np.float32)
    variates = scaffold.Variates(zero, {})
    latest = [(f"p{i}", MEANS[i]) for i in range(4)]
    variates = scaffold.after_round(variates, latest, participants=4, clip=4.0)
    np.testing.assert_allclose(variates.server, np.mean(MEANS, axis=0), atol=1e-6)
    variates = scaffold.after_round(variates, [("p0", MEANS[3])], participants=4, clip=4.0)
    np.testing.assert_allclose(
        variates.server, np.mean([MEANS[3], MEANS[1], MEANS[2], MEANS[3]], axis=0), atol=1e-6
    )
    np.testing.assert_allclose(variates.correction("p1"), variates.server - MEANS[1], atol=1e-6)


def test_scaffold_learns_digits_as_well_as_averaging():
    weights = first_weights()
    variates = scaffold.Variates(np.zeros_like(weights), {})
    training = TRAINING.model_copy(update={"learning_rate": 0.05})
    for number in range(12):
        updates, latest = [], []
        for seat, share in enumerate(shares()):
            correction = variates.correction(f"{seat:02}")
            task = LocalTask(MLP, training, number, batch_seed("s", number, seat), correction=correction)
            run = train(task, share, base=weights)
            updates.append(Update(f"{seat:02}", len(share), run.delta))
            own = scaffold.own_variate(correction, run.delta, steps=run.steps, rate=0.05, momentum=0.9)
            latest.append((f"{seat:02}", own))
        weights = weights + fedavg(updates, clip=4.0)
        variates = scaffold.after_round(variates, latest, participants=10, clip=4.0)
    assert evaluate(MLP, weights, split()[1], TRAINING).metrics["accuracy"] > 0.9
