import itertools

import numpy as np
import pytest
import torch

from learning import networks, trajectory
from learning.audit import distance
from learning.datasets import Dataset
from learning.errors import EvidenceError
from learning.evaluate import evaluate, predict
from learning.model_spec import LinearRegression, Optimizer, TorchModel
from learning.session_config import TrainingSpec
from learning.tensors import flatten, unflatten
from learning.trainer import LocalTask, Trainer, batch_seed, batches, deterministic, learning_rate
from learning.trajectory import checkpoint_bytes, checkpoint_hash, read_checkpoint, train
from tests.learning.digits import MLP, TRAINING, first_weights, shares, split

TASK = LocalTask(MLP, TRAINING, 0, batch_seed("session", 0, 3))


def bare_loop(data: Dataset, base: np.ndarray) -> np.ndarray:
    """Train as anybody would write it with torch, on the same batches."""
    module = networks.build(MLP)
    layout = networks.layout(MLP)
    module.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in unflatten(base, layout).items()})
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.from_numpy(data.features), torch.from_numpy(data.targets)
    for batch in batches(len(data), TASK):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x[batch]), y[batch]).backward()
        optimizer.step()
    return flatten({k: p.detach().numpy() for k, p in module.named_parameters()}, layout)


def test_training_is_what_a_bare_torch_loop_does():
    data, base = shares()[3], first_weights()
    with deterministic():
        expected = bare_loop(data, base)
    run = train(TASK, data, base=base)
    np.testing.assert_allclose(base + run.delta, expected, rtol=1e-4, atol=1e-5)


def test_every_epoch_sees_every_sample_once_in_another_order():
    steps = batches(50, TASK)
    assert [len(batch) for batch in steps] == [32, 18, 32, 18]
    first, second = np.concatenate(steps[:2]), np.concatenate(steps[2:])
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist()


def test_two_runs_are_equal_bit_for_bit():
    one, again = (train(TASK, shares()[3], base=first_weights()) for _ in range(2))
    assert one.trajectory.root == again.trajectory.root
    assert np.array_equal(one.delta, again.delta)


def test_a_trajectory_starts_at_the_base_and_ends_at_the_update():
    base = first_weights()
    run = train(TASK, shares()[3], base=base)
    every = TRAINING.segment_steps
    assert [c.step for c in run.checkpoints] == [*range(0, run.steps, every), run.steps]
    assert np.array_equal(run.checkpoints[0].weights, base)
    assert np.array_equal(run.checkpoints[-1].weights - base, run.delta)


@pytest.mark.parametrize("optimizer", [{"momentum": "0.9"}, {"type": "adam"}, {"type": "rmsprop"}])
def test_training_resumed_from_any_checkpoint_ends_at_the_same_bits(optimizer: dict[str, str]):
    training = TRAINING.model_copy(update={"optimizer": Optimizer(**optimizer), "learning_rate": 0.01})
    task = LocalTask(MLP, training, 0, 1)
    run = train(task, shares()[3], base=first_weights())
    with deterministic():
        for checkpoint in run.checkpoints:
            again = Trainer(task, shares()[3], base=first_weights()).run(checkpoint, stop=run.steps)
            assert checkpoint_hash(again) == checkpoint_hash(run.checkpoints[-1])


@pytest.mark.parametrize("optimizer", [{"momentum": "0.9"}, {"type": "adam"}])
def test_a_segment_that_runs_away_changes_nothing_and_is_repeated_like_any_other(optimizer: dict[str, str]):
    training = TRAINING.model_copy(update={"optimizer": Optimizer(**optimizer), "segment_steps": 4})
    data = shares()[3]
    wild = Dataset(data.features * np.float32(1e30), data.targets)
    task, base = LocalTask(MLP, training, 0, 1), first_weights()
    run = train(task, wild, base=base)
    assert all(np.isfinite(one.weights).all() for one in run.checkpoints)
    assert np.array_equal(run.checkpoints[1].weights, base)
    assert [one.step for one in run.checkpoints] == [*range(0, run.steps, 4), run.steps]
    for before, after in itertools.pairwise(run.checkpoints):
        with deterministic():
            again = Trainer(task, wild, base=base).run(before, stop=after.step)
        assert checkpoint_hash(again) == checkpoint_hash(after)
        assert distance(before, again, after) == 0


def test_a_checkpoint_is_read_back_and_its_hash_covers_all_of_it():
    run = train(TASK, shares()[3], base=first_weights())
    content = checkpoint_bytes(run.checkpoints[1])
    back = read_checkpoint(content, slots=["momentum"], parameters=len(run.delta))
    assert checkpoint_hash(back) == run.trajectory.leaves[1]
    for place in (-1, len(content) // 2, 30):
        changed = bytearray(content)
        changed[place] ^= 1
        assert trajectory.merkle.leaf_hash(bytes(changed)) != run.trajectory.leaves[1]
    for wrong in (content[:-4], content + b"\0" * 4, b"x" * len(content), b""):
        with pytest.raises(EvidenceError):
            read_checkpoint(wrong, slots=["momentum"], parameters=len(run.delta))


def test_a_proximal_term_holds_the_model_nearer_to_its_base():
    far, near = (
        train(LocalTask(MLP, TRAINING, 0, 1, proximal_mu=mu), shares()[3], base=first_weights())
        for mu in (0.0, 1.0)
    )
    assert np.linalg.norm(near.delta) < 0.8 * np.linalg.norm(far.delta)


def test_a_limit_on_gradients_bounds_the_step():
    training = TRAINING.model_copy(update={"max_gradient_norm": 0.01, "optimizer": Optimizer()})
    run = train(LocalTask(MLP, training, 0, 1), shares()[3], base=first_weights())
    assert np.linalg.norm(run.delta) <= 0.1 * 0.01 * run.steps * 1.001


def test_learning_rates_follow_their_schedules():
    def rates(**schedule: object) -> list[float]:
        spec = TrainingSpec(rounds=4, learning_rate="0.8", schedule=schedule)
        return [round(learning_rate(spec, number), 6) for number in range(4)]

    assert rates() == [0.8] * 4
    assert rates(type="step", every=2, factor="0.5") == [0.8, 0.8, 0.4, 0.4]
    assert rates(type="cosine") == [0.8, 0.682843, 0.4, 0.117157]


def test_threads_and_flags_are_restored():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with deterministic(1):
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_a_linear_regression_finds_the_line():
    rng = np.random.Generator(np.random.PCG64(0))
    x = rng.standard_normal((400, 3)).astype(np.float32)
    data = Dataset(x, (x @ np.array([1, -2, 0.5]) + 4).astype(np.float32))
    model = LinearRegression(input_dim=3)
    spec = TrainingSpec(
        local_epochs=20, learning_rate="0.05", loss="mse", metrics=("mse", "r2"), batch_size=32
    )
    base = flatten(networks.initial_state(model, seed=0), networks.layout(model))
    weights = base + train(LocalTask(model, spec, 0, 1), data, base=base).delta
    state = unflatten(weights, networks.layout(model))
    np.testing.assert_allclose(state["0.weight"][0], [1, -2, 0.5], atol=1e-3)
    np.testing.assert_allclose(state["0.bias"], [4], atol=1e-3)
    assert evaluate(model, weights, data, spec).metrics["r2"] > 0.9999


@pytest.mark.parametrize(
    "architecture",
    [
        {"name": "cnn", "image": [1, 8, 8], "channels": [8]},
        {"name": "transformer", "tokens": 8, "width": 16, "heads": 2, "layers": 1},
        {"name": "mlp", "hidden": [32], "layer_norm": True},
    ],
)
def test_every_declared_architecture_learns(architecture: dict[str, object]):
    train_set, test_set = split()
    model = TorchModel(input_dim=64, output_dim=10, architecture=architecture)
    spec = TrainingSpec(local_epochs=6, learning_rate="0.003", optimizer=Optimizer(type="adam"))
    base = flatten(networks.initial_state(model, seed=0), networks.layout(model))
    weights = base + train(LocalTask(model, spec, 0, 1), train_set, base=base).delta
    assert evaluate(model, weights, test_set, spec).metrics["accuracy"] > 0.85
    np.testing.assert_allclose(predict(model, weights, test_set.features).sum(axis=1), 1, rtol=1e-5)


def test_another_thread_count_stays_near():
    here, there = (train(TASK, shares()[3], base=first_weights(), threads=n).delta for n in (1, 2))
    assert np.linalg.norm(there - here) < 1e-4 * np.linalg.norm(here)
