"""Accuracy and seconds a round, beside a bare torch loop and Flower in one process: one split, first model and order of batches."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch

from benchmarks.learning import beside_flower, task
from benchmarks.learning.beside_flower import Asked, Played
from benchmarks.learning.report import Row
from learning import networks
from learning.aggregate import fedavg
from learning.tensors import flatten, unflatten
from learning.trainer import LocalTask, batch_seed, batches, deterministic
from learning.trajectory import train
from learning.updates import Update, Vector

PROXIMAL_MU = {"fedavg": 0.0, "fedprox": 0.1}
_TEST_IMAGES = 360


@dataclass(slots=True)
class Timed:
    """A loop's model, and what its rounds took: seconds by the clock and of the processor."""

    weights: Vector
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Let Flower play all sessions, then run our loop and the bare one alternately, so that other work hits both.

    A tiny run leaves Flower out: it would have to be installed.
    """
    rounds, seeds = (2, (0,)) if tiny else (20, (0, 1, 2))
    asked = {
        (method, seed): Asked(f"{method}-{seed}", str(seed), task.shares(seed), seed, rounds, mu)
        for method, mu in PROXIMAL_MU.items()
        for seed in seeds
    }
    flowers = {} if tiny else _flowers(asked)
    side_by_side(99, 1)  # whatever is loaded or compiled on first use
    for method, seed in asked:
        ours, bare = side_by_side(seed, rounds, mu=PROXIMAL_MU[method])
        yield from _rows(
            f"{method}, seed {seed}", ours, {"bare torch loop": bare, **_timed(flowers.get((method, seed)))}
        )


def _flowers(asked: dict[tuple[str, int], Asked]) -> dict[tuple[str, int], Played]:
    with tempfile.TemporaryDirectory(prefix="parity-beside-flower-") as scratch:
        played = beside_flower.in_process(Path(scratch) / "task", list(asked.values()))
    return dict(zip(asked, played, strict=True))


def _timed(flower: Played | None) -> dict[str, Timed]:
    if flower is None:
        return {}
    return {"Flower": Timed(flower.weights, flower.rounds_s[1:], [flower.cpu_s])}


def _rows(case: str, ours: Timed, peers: dict[str, Timed]) -> Iterator[Row]:
    rounds, right = len(ours.wall_s), task.accuracy(ours.weights)
    for name, peer in peers.items():
        theirs = task.accuracy(peer.weights)
        figures = (
            ("seconds a round", median(ours.wall_s), "s", median(peer.wall_s)),
            ("processor, a round", median(ours.cpu_s), "s (cpu)", median(peer.cpu_s)),
            (f"accuracy after {rounds} rounds", right, "accuracy", theirs),
        )
        for what, value, unit, other in figures:
            yield Row("training", f"{case}: {what}", value, unit, name, other)
        ratio = median(ours.cpu_s) / median(peer.cpu_s)
        yield Row("training", f"{case}: processor, ours over {name}", ratio, "times", "limit", 1.15)
        apart = (right - theirs) * _TEST_IMAGES
        yield Row("training", f"{case}: images apart from {name}", apart, "images", "limit", 2)


def side_by_side(seed: int, rounds: int, *, mu: float = 0.0) -> tuple[Timed, Timed]:
    """Run both loops round by round: the same shares, first weights and batches."""
    ours, bare = Timed(task.first_weights(seed)), Timed(task.first_weights(seed))
    for number in range(rounds):
        tasks = [
            LocalTask(task.MLP, task.TRAINING, number, batch_seed(str(seed), number, seat), proximal_mu=mu)
            for seat in range(task.PARTICIPANTS)
        ]
        for timed, play in ((ours, our_round), (bare, bare_round)):
            wall, cpu = time.perf_counter(), time.process_time()
            timed.weights = play(timed.weights, tasks, seed)
            timed.wall_s.append(time.perf_counter() - wall)
            timed.cpu_s.append(time.process_time() - cpu)
    return ours, bare


def our_round(base: Vector, tasks: list[LocalTask], seed: int) -> Vector:
    """Do a round as a session does it: checkpoints are kept, and the mean is of integers."""
    updates = [
        Update(f"{seat:02}", len(share), train(one, share, base=base).delta)
        for seat, (one, share) in enumerate(zip(tasks, task.shares(seed), strict=True))
    ]
    return base + fedavg(updates, clip=4.0)


def bare_round(base: Vector, tasks: list[LocalTask], seed: int) -> Vector:
    """Do a round as anybody would write it with torch: modules, an optimiser, a weighted mean of state dictionaries."""
    shares = task.shares(seed)
    total = sum(len(share) for share in shares)
    mean: dict[str, torch.Tensor] = {}
    start = {k: torch.from_numpy(v.copy()) for k, v in unflatten(base, networks.layout(task.MLP)).items()}
    with deterministic():
        for one, share in zip(tasks, shares, strict=True):
            module = networks.build(task.MLP)
            module.load_state_dict(start)
            optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
            x, y = torch.from_numpy(share.features), torch.from_numpy(share.targets)
            for batch in batches(len(share), one):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(module(x[batch]), y[batch])
                if one.proximal_mu:
                    apart = sum(((p - start[n]) ** 2).sum() for n, p in module.named_parameters())
                    loss = loss + one.proximal_mu / 2 * apart
                loss.backward()
                optimizer.step()
            for name, parameter in module.named_parameters():
                mean[name] = mean.get(name, 0) + parameter.detach() * (len(share) / total)
    return flatten({name: tensor.numpy() for name, tensor in mean.items()}, networks.layout(task.MLP))
