"""The task of all tables: 1,797 images of digits, ten participants, Dirichlet 0.5, an MLP 64-128-10, SGD 0.1 with momentum 0.9."""

from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from learning import networks, partition
from learning.assignment import hold_out
from learning.datasets import Dataset
from learning.evaluate import evaluate
from learning.model_spec import NeuralNetwork, Optimizer
from learning.session_config import SessionConfig, TrainingSpec
from learning.tensors import flatten
from learning.updates import Vector

MLP = NeuralNetwork(input_dim=64, output_dim=10, hidden=(128,))
TRAINING = TrainingSpec(
    rounds=20, local_epochs=2, batch_size=32, learning_rate="0.1", optimizer=Optimizer(momentum="0.9")
)
PARTICIPANTS = 10


@cache
def split() -> tuple[Dataset, Dataset]:
    """Return 1,437 images to train on and 360 to test on, stratified."""
    digits = load_digits()
    x, y = (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
    return Dataset(train_x, train_y), Dataset(test_x, test_y)


@cache
def gate_split() -> tuple[Dataset, Dataset]:
    """Take a tenth of the training images away for the validation gate; nobody trains on it, nobody is tested on it."""
    train, _ = split()
    keep, held = hold_out(len(train), share=0.1, seed=0)
    return train.take(keep), train.take(held)


@cache
def shares(seed: int, *, gated: bool = False) -> tuple[Dataset, ...]:
    """Divide the training images among the participants, at least ten each."""
    train = gate_split()[0] if gated else split()[0]
    parts = partition.dirichlet(train.labels, participants=PARTICIPANTS, alpha=0.5, seed=seed, min_samples=10)
    return tuple(train.take(part) for part in parts)


def first_weights(seed: int) -> Vector:
    """Draw the first model."""
    return flatten(networks.initial_state(MLP, seed=seed), networks.layout(MLP))


def accuracy(weights: Vector) -> float:
    """Measure a model on the 360 test images."""
    return evaluate(MLP, weights, split()[1], TRAINING).metrics["accuracy"]


def config(rounds: int = 20, **sections: Any) -> SessionConfig:
    """Describe a session on this task."""
    return SessionConfig.build(
        {
            "name": "digits",
            "model": MLP.model_dump(),
            "partition": {"participants": PARTICIPANTS, "strategy": "non_iid"},
            "training": {**TRAINING.model_dump(), "rounds": rounds},
            **sections,
        }
    )
