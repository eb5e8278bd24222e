"""Flower, in an environment of its own, given the very task that ours was given: shares, first weights, order of batches.

`in_process` is its strategy and app in one process; `deployed` is a SuperLink and a SuperNode for each participant. Both run in a network
namespace of their own, since Flower asks for news beyond loopback.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.learning import task
from benchmarks.learning.spent import cpu_s
from devnet.paths import PARITY, ROOT
from learning import networks, tensors
from learning.datasets import Dataset
from learning.trainer import LocalTask, batch_seed, batches
from learning.updates import Vector

_APP = Path(__file__).parent / "flower"
_ENVIRONMENT = PARITY / "bench" / "flower"
_SETTINGS = {"FLWR_TELEMETRY_ENABLED": "0"}
_WATCH_S = 0.05


@dataclass(frozen=True, slots=True)
class Asked:
    """A session for Flower: `session` and the seats decide the batches, as they do in ours; `mu` is FedProx's, or 0."""

    name: str
    session: str
    shares: Sequence[Dataset]
    seed: int
    rounds: int
    mu: float = 0.0


@dataclass(frozen=True, slots=True)
class Played:
    """The seconds of each round; those of processor time of a round after the first, on average; the last model."""

    rounds_s: list[float]
    cpu_s: float
    weights: Vector


def in_process(folder: Path, sessions: Sequence[Asked]) -> list[Played]:
    """Play sessions one after the other, with neither Ray nor a network: what a round costs Flower at the least."""
    return _played(folder, sessions, _APP / "in_process.py")


def deployed(folder: Path, session: Asked) -> Played:
    """Play a session among Flower's own daemons, which talk over loopback."""
    return _played(folder, [session], _APP / "deployment.py")[0]


def _played(folder: Path, sessions: Sequence[Asked], program: Path) -> list[Played]:
    _lay_out(folder, sessions)
    python = _installed()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.learning.network_of_its_own", python, program],
            cwd=ROOT,
            env={**os.environ, **_SETTINGS, "BESIDE_FLOWER": str(folder)},
            stdout=log,
            stderr=log,
        )
        spent: dict[str, list[float]] = {one.name: [] for one in sessions}
        while process.poll() is None:
            time.sleep(_WATCH_S)
            for name, known in spent.items():
                ended = len(_ended(folder / name))
                known.extend([cpu_s(process.pid)] * (ended - len(known)))
    if process.returncode:
        raise RuntimeError(f"Flower ended with {process.returncode}: see {folder / 'log'}")
    return [_result(folder / one.name, spent[one.name]) for one in sessions]


def _lay_out(folder: Path, sessions: Sequence[Asked]) -> None:
    training = task.TRAINING
    folder.mkdir(parents=True)
    described = {
        "classes": task.MLP.output_dim,
        "participants": len(sessions[0].shares),
        "learning_rate": float(training.learning_rate),
        "momentum": float(training.optimizer.momentum),
        "batch_size": training.batch_size,
        "sessions": [{"name": one.name, "rounds": one.rounds, "mu": one.mu} for one in sessions],
    }
    (folder / "task.json").write_text(json.dumps(described))
    for one in sessions:
        (folder / one.name).mkdir()
        np.savez(folder / one.name / "first.npz", **networks.initial_state(task.MLP, seed=one.seed))
        for seat, share in enumerate(one.shares):
            orders = np.stack([_order(one.session, number, seat, share) for number in range(one.rounds)])
            np.savez(folder / one.name / f"share-{seat}.npz", x=share.features, y=share.targets, order=orders)


def _order(session: str, number: int, seat: int, share: Dataset) -> np.ndarray:
    """Return which sample comes when in each epoch of a round."""
    work = LocalTask(task.MLP, task.TRAINING, number, batch_seed(session, number, seat))
    return np.concatenate(batches(len(share), work)).reshape(task.TRAINING.local_epochs, len(share))


def _result(folder: Path, spent: list[float]) -> Played:
    ended = _ended(folder)
    last, layout = np.load(folder / "last.npz"), networks.layout(task.MLP)
    weights = tensors.flatten({name: last[name] for name in last.files}, layout)
    later = max(len(ended) - 2, 1)
    return Played([b - a for a, b in pairwise(ended)], (spent[-1] - spent[-1 - later]) / later, weights)


def _ended(folder: Path) -> list[float]:
    try:
        return [float(line) for line in (folder / "ended.txt").read_text().split("\n")[:-1]]
    except FileNotFoundError:
        return []


def _installed() -> Path:
    """Install Flower from its lock, apart from everything else, with our own torch; gives the environment's Python."""
    folder, lock = _ENVIRONMENT, _APP / "requirements.lock"
    python, stamp = folder / "bin" / "python", folder / "installed.lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        uv = Path(sys.executable).with_name("uv")
        install = [uv, "pip", "install", "--quiet", "--python", python]
        subprocess.run([uv, "venv", "--quiet", "--clear", folder], check=True)
        subprocess.run([*install, "--require-hashes", "-r", lock], check=True)
        subprocess.run([*install, f"torch=={version('torch').partition('+')[0]}"], check=True)
        stamp.write_bytes(lock.read_bytes())
    return python
