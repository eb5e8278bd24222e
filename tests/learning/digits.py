"""1,797 real images of digits, divided as the tests need them. Shipped with scikit-learn."""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from learning import networks, partition
from learning.datasets import Dataset
from learning.model_spec import NeuralNetwork, Optimizer
from learning.session_config import TrainingSpec
from learning.tensors import flatten
from learning.updates import Vector

MLP = NeuralNetwork(input_dim=64, output_dim=10, hidden=(128,))
TRAINING = TrainingSpec(
    rounds=20, local_epochs=2, batch_size=32, learning_rate="0.1", optimizer=Optimizer(momentum="0.9")
)


@cache
def split() -> tuple[Dataset, Dataset]:
    """Return 1,437 images to train on and 360 to evaluate on."""
    digits = load_digits()
    x, y = (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
    return Dataset(train_x, train_y), Dataset(test_x, test_y)


@cache
def shares(seed: int = 0, participants: int = 10) -> tuple[Dataset, ...]:
    """Divide the training images unevenly: Dirichlet 0.5, at least 10 each."""
    train, _ = split()
    parts = partition.dirichlet(train.labels, participants=participants, alpha=0.5, seed=seed, min_samples=10)
    return tuple(train.take(part) for part in parts)


def first_weights(model: NeuralNetwork = MLP, seed: int = 0) -> Vector:
    return flatten(networks.initial_state(model, seed=seed), networks.layout(model))
