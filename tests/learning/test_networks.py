from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics

from learning import networks, optimizers, sizes
from learning.datasets import Dataset
from learning.errors import ConfigError
from learning.model_spec import LinearRegression, NetworkSpec, NeuralNetwork, Optimizer, TorchModel
from learning.objectives import loss_function, measure
from learning.tensors import Layout, flatten

MODELS: dict[str, NetworkSpec] = {
    "neural_network": NeuralNetwork(input_dim=16, output_dim=3, hidden=(8, 4)),
    "linear_regression": LinearRegression(input_dim=16),
    "mlp": TorchModel(input_dim=16, output_dim=3, architecture={"name": "mlp", "layer_norm": True}),
    "cnn": TorchModel(
        input_dim=16, output_dim=3, architecture={"name": "cnn", "image": [1, 4, 4], "channels": [2, 3]}
    ),
    "transformer": TorchModel(
        input_dim=16,
        output_dim=3,
        architecture={"name": "transformer", "tokens": 4, "width": 8, "heads": 2},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_maps_samples_to_outputs_and_has_a_gradient_everywhere(name: str):
    module = networks.build(MODELS[name])
    state = networks.initial_state(MODELS[name], seed=1)
    module.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    outputs = module(torch.randn(5, 16, generator=torch.Generator().manual_seed(0)))
    assert outputs.shape == (5, MODELS[name].output_dim)
    outputs.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_first_weights_depend_on_the_seed_alone(name: str):
    one, same, other = (networks.initial_state(MODELS[name], seed=seed) for seed in (1, 1, 2))
    layout = networks.layout(MODELS[name])
    assert np.array_equal(flatten(one, layout), flatten(same, layout))
    assert not np.array_equal(flatten(one, layout), flatten(other, layout))
    assert Layout.of(one) == layout


def test_first_weights_spread_as_torchs_own():
    state = networks.initial_state(NeuralNetwork(input_dim=400, output_dim=50, hidden=(300,)), seed=3)
    torch_own = torch.nn.Linear(400, 300)
    assert np.std(state["0.weight"]) == pytest.approx(float(torch_own.weight.detach().std()), rel=0.02)
    assert np.abs(state["0.weight"]).max() <= 0.05


def test_a_model_too_large_is_refused_before_it_is_made():
    with pytest.raises(ConfigError, match="at most"):
        networks.build(NeuralNetwork(input_dim=65_536, output_dim=10, hidden=(65_536,)))


OPTIMIZERS: list[tuple[dict[str, Any], Any, dict[str, Any]]] = [
    ({}, torch.optim.SGD, {}),
    ({"momentum": "0.9"}, torch.optim.SGD, {"momentum": 0.9}),
    (
        {"momentum": "0.9", "nesterov": True, "weight_decay": "0.01"},
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    ({"type": "adam"}, torch.optim.Adam, {}),
    ({"type": "adam", "weight_decay": "0.1"}, torch.optim.Adam, {"weight_decay": 0.1}),
    ({"type": "adamw", "weight_decay": "0.1"}, torch.optim.AdamW, {"weight_decay": 0.1}),
    ({"type": "rmsprop"}, torch.optim.RMSprop, {}),
    ({"type": "rmsprop", "momentum": "0.5"}, torch.optim.RMSprop, {"momentum": 0.5}),
]


@pytest.mark.parametrize(("ours", "theirs", "options"), OPTIMIZERS)
def test_every_optimiser_steps_as_torchs_of_the_same_name(
    ours: dict[str, Any], theirs: Any, options: dict[str, Any]
):
    spec = Optimizer(**ours)
    start = torch.randn(50, generator=torch.Generator().manual_seed(1))
    reference = torch.nn.Parameter(start.clone())
    optimizer = theirs([reference], lr=0.05, **options)
    weights, slots = start.clone(), optimizers.fresh_slots(spec, 50)
    for number in range(20):
        optimizer.zero_grad()
        ((reference - 3) ** 2).sum().backward()
        optimizer.step()
        optimizers.step(weights, 2 * (weights - 3), slots, spec, rate=0.05, number=number)
    np.testing.assert_allclose(weights.numpy(), reference.detach().numpy(), rtol=2e-5, atol=2e-6)
    assert tuple(slots) == optimizers.slot_names(spec)


def test_losses_are_those_of_their_formulas():
    raw, y = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
    expected = -np.log(np.exp([2, 0]) / (np.exp([2, 0]) + np.exp([0, 1])))
    assert float(loss_function("cross_entropy", "softmax")(raw, y)) == pytest.approx(expected.mean())
    one, target = torch.tensor([[0.5], [3.0]]), torch.tensor([1.0, 1.0])
    assert float(loss_function("mse", "linear")(one, target)) == pytest.approx((0.25 + 4) / 2)
    assert float(loss_function("mae", "linear")(one, target)) == pytest.approx((0.5 + 2) / 2)
    assert float(loss_function("huber", "linear")(one, target)) == pytest.approx((0.125 + 1.5) / 2)
    p = 1 / (1 + np.exp([-0.5, -3]))
    assert float(loss_function("bce", "sigmoid")(one, torch.tensor([1, 0]))) == pytest.approx(
        -(np.log(p[0]) + np.log(1 - p[1])) / 2
    )


def test_metrics_are_scikit_learns():
    rng = np.random.Generator(np.random.PCG64(0))
    y, said = rng.integers(0, 4, 100), rng.integers(0, 5, 100)
    found = measure(
        said, Dataset(np.zeros((100, 1), np.float32), y), ("accuracy", "precision", "recall", "f1")
    )
    options = {"average": "macro", "zero_division": 0}
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, said))
    assert found["precision"] == pytest.approx(metrics.precision_score(y, said, **options))
    assert found["recall"] == pytest.approx(metrics.recall_score(y, said, **options))
    assert found["f1"] == pytest.approx(metrics.f1_score(y, said, **options))
    t, p = rng.standard_normal(100).astype(np.float32), rng.standard_normal(100)
    found = measure(p, Dataset(np.zeros((100, 1), np.float32), t), ("mse", "rmse", "mae", "r2"))
    assert found["mse"] == pytest.approx(metrics.mean_squared_error(t, p))
    assert found["rmse"] == pytest.approx(metrics.mean_squared_error(t, p) ** 0.5)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(t, p))
    assert found["r2"] == pytest.approx(metrics.r2_score(t, p))


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_counted_without_making_the_model(name: str):
    assert sizes.parameters(MODELS[name]) == networks.layout(MODELS[name]).size
