"""Measuring a model: what aggregators publish must not tell on which processor it was computed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from learning.datasets import Dataset
from learning.objectives import measure

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json
import numpy as np
from pydantic import TypeAdapter
from learning import networks
from learning.datasets import Dataset
from learning.evaluate import evaluate
from learning.model_spec import NetworkSpec
from learning.session_config import TrainingSpec
from learning.tensors import flatten

models = (
    {"type": "linear_regression", "input_dim": 64, "output_dim": 1},
    {"type": "neural_network", "input_dim": 64, "output_dim": 10, "hidden": [64, 32]},
    {"type": "torch", "input_dim": 64, "output_dim": 10,
     "architecture": {"name": "cnn", "image": [1, 8, 8], "channels": [8], "hidden": 32}},
    {"type": "torch", "input_dim": 64, "output_dim": 10,
     "architecture": {"name": "transformer", "tokens": 8, "width": 16, "heads": 2, "layers": 1}},
)
lots = np.random.Generator(np.random.PCG64(7))
features = lots.normal(size=(1_500, 64)).astype(np.float32)
classes, prices = lots.integers(0, 10, 1_500), (lots.normal(size=1_500) * 30_000).astype(np.float32)
for fields in models:
    model = TypeAdapter(NetworkSpec).validate_python(fields)
    regression = fields["output_dim"] == 1
    training = TrainingSpec(
        loss="mse" if regression else "cross_entropy",
        metrics=("rmse", "r2") if regression else ("accuracy", "f1"),
    )
    weights = flatten(networks.initial_state(model, seed=3), networks.layout(model))
    found = evaluate(model, weights * 3, Dataset(features, prices if regression else classes), training)
    print(json.dumps([found.loss, *found.metrics.values()]))
"""
OTHER_PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41"}


def figures(environment: dict[str, str]) -> list[list[float]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_figures_of_processors_with_other_instructions_agree_to_thirteen_digits() -> None:
    here, elsewhere = figures({}), figures(OTHER_PROCESSOR)
    assert len(here) == 4
    for mine, theirs in zip(here, elsewhere, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-13)


def test_a_share_of_explained_spread_is_right_where_squares_exceed_float32():
    targets = np.array([0, 1e30, 0, 0], np.float32)
    data = Dataset(np.zeros((4, 1), np.float32), targets)
    assert measure(np.zeros(4), data, ("r2",))["r2"] == pytest.approx(-1 / 3)
