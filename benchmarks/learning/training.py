"""Accuracy and seconds a round, beside a bare torch loop in the same run and Flower's figures."""

import time
from collections.abc import Iterator
from statistics import median

import numpy as np
import torch

from benchmarks.learning import task
from benchmarks.learning.report import Row
from learning import networks
from learning.aggregate import fedavg
from learning.tensors import flatten, unflatten
from learning.trainer import LocalTask, batch_seed, batches, deterministic
from learning.trajectory import train
from learning.updates import Update, Vector

# Flower 1.42 (Ray backend), same task, two cores: median seconds a round; final accuracy by method and seed.
FLOWER_ROUND_S = 0.309
FLOWER_ACCURACY = {("fedavg", 0): 0.95, ("fedavg", 1): 0.9556, ("fedprox", 0): 0.9528, ("fedprox", 1): 0.95}
MU = 0.1


def bench(*, tiny: bool = False) -> Iterator[Row]:
    """Run both loops alternately, round by round, so that whatever else the machine does hits both."""
    rounds = 2 if tiny else 20
    side_by_side("fedavg", 99, 1)  # whatever is loaded or compiled on first use
    for method in ("fedavg", "fedprox"):
        finals, bare_finals = [], []
        for seed in (0,) if tiny else (0, 1, 2):
            ours_s, bare_s, ours, bare = side_by_side(method, seed, rounds)
            finals.append(task.accuracy(ours))
            bare_finals.append(task.accuracy(bare))
            yield Row(
                "training",
                f"{method}, seed {seed}: seconds a round",
                median(ours_s),
                "s",
                "bare torch loop",
                median(bare_s),
            )
            ratio = median(o / b for o, b in zip(ours_s, bare_s, strict=True))
            yield Row(
                "training", f"{method}, seed {seed}: ours over bare loop", ratio, "times", "limit", 1.15
            )
            yield Row(
                "training",
                f"{method}, seed {seed}: accuracy after {rounds} rounds",
                finals[-1],
                "",
                "Flower (its own split)",
                FLOWER_ACCURACY.get((method, seed)),
            )
            images = (finals[-1] - bare_finals[-1]) * 360
            yield Row(
                "training",
                f"{method}, seed {seed}: images apart from bare loop",
                images,
                "images",
                "limit",
                2,
            )
        flower = float(np.mean([value for (name, _), value in FLOWER_ACCURACY.items() if name == method]))
        yield Row("training", f"{method}: mean accuracy", float(np.mean(finals)), "", "Flower", flower)
    yield Row("training", "Flower: seconds a round (published here before)", FLOWER_ROUND_S, "s")


def side_by_side(method: str, seed: int, rounds: int) -> tuple[list[float], list[float], Vector, Vector]:
    """Return seconds of each of our rounds and the bare loop's, and both final models. Same shares, weights and batches."""
    mu = MU if method == "fedprox" else 0.0
    shares = task.shares(seed)
    ours = bare = task.first_weights(seed)
    ours_s, bare_s = [], []
    for number in range(rounds):
        tasks = [
            LocalTask(task.MLP, task.TRAINING, number, batch_seed(str(seed), number, seat), proximal_mu=mu)
            for seat in range(len(shares))
        ]
        began = time.perf_counter()
        updates = [
            Update(f"{seat:02}", len(share), train(one, share, base=ours).delta)
            for seat, (one, share) in enumerate(zip(tasks, shares, strict=True))
        ]
        ours = ours + fedavg(updates, clip=4.0)
        ours_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        bare = bare_round(bare, tasks, seed)
        bare_s.append(time.perf_counter() - began)
    return ours_s, bare_s, ours, bare


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
