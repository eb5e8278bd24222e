"""Rounds of a random forest: everybody's new trees join those of the rounds before, and the union is measured."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learning import forest, gate
from learning.contribution import Manifest
from learning.datasets import Dataset
from learning.errors import SessionError
from learning.evaluate import Evaluation
from learning.forest import Tree
from learning.model_spec import RandomForest
from learning.objectives import measure
from learning.rounds import Progress, RoundReport, stopping
from learning.screen import Rejection
from learning.session_config import SessionConfig, TrainingSpec

FIRST = "0" * 64
"""The base of a first round's trees."""
_TELLING = 16
"""Questions that trees must ask so that equal ones are no chance."""
_HARMFUL = 4.0
"""How many times lower the loss must be without somebody's trees for them to be left out."""


@dataclass(frozen=True, slots=True)
class Grove:
    """What one participant hands in: its trees, their bytes, and what it says of them."""

    manifest: Manifest
    content: bytes
    trees: tuple[Tree, ...]


def base_of(file: bytes | None) -> str:
    """Name the forest that a round begins with, as manifests do."""
    return hashlib.sha256(file).hexdigest() if file else FIRST


def manifest_of(
    config: SessionConfig,
    content: bytes,
    *,
    session: str,
    round_: int,
    participant: str,
    samples: int,
    base: str,
) -> Manifest:
    """Write what a participant says of its trees: a step is a tree, and there is nothing between first and last."""
    assert isinstance(config.model, RandomForest)
    digest = hashlib.sha256(content).hexdigest()
    return Manifest(
        session=session,
        round=round_,
        participant=participant,
        base=base,
        update=digest,
        samples=samples,
        steps=config.model.trees,
        trajectory=digest,
        checkpoints=2,
        profile="trees",
    )


def screen(
    groves: Sequence[Grove], spec: RandomForest, *, base: str, samples: Mapping[str, int]
) -> dict[str, Rejection]:
    """Check claims against what was assigned, in the order of the commitments: of two alike, the earlier one stands."""
    rejected: dict[str, Rejection] = {}
    seen: set[bytes] = set()
    for grove in groves:
        claims, name = grove.manifest, grove.manifest.participant
        checks = (
            (claims.base != base, Rejection.WRONG_BASE),
            (claims.samples != samples.get(name), Rejection.WRONG_SAMPLES),
            ((claims.steps, len(grove.trees)) != (spec.trees, spec.trees), Rejection.WRONG_STEPS),
            (grove.content in seen and _is_telling(grove), Rejection.COPY),
        )
        reason = next((reason for broken, reason in checks if broken), None)
        if reason:
            rejected[name] = reason
        else:
            seen.add(grove.content)
    return rejected


def _is_telling(grove: Grove) -> bool:
    """Return whether equal trees are no chance: of one class alone everybody grows the same leaf."""
    return sum(int((tree.left >= 0).sum()) for tree in grove.trees) >= _TELLING


def finish(
    progress: Progress, config: SessionConfig, groves: Sequence[Grove], *, evaluation: Dataset
) -> tuple[Progress, RoundReport]:
    """Join the groves to the forest so far, unless that makes it worse than the gate allows.

    With too few groves the forest stays as it is; raises `SessionError` where there is none yet. A class has a vote's share at most, but a
    quantity may be any number: so trees that spoil everybody's mean are left out first.
    """
    spec = config.model
    assert isinstance(spec, RandomForest)
    before = forest.from_bytes(progress.forest, spec) if progress.forest else ()
    enough = len(groves) >= config.training.min_participants
    if not enough and not before:
        raise SessionError(
            f"{len(groves)} usable forests, fewer than {config.training.min_participants}", field="updates"
        )
    harmful = _harmful(before, groves, evaluation, config) if enough and spec.output_dim == 1 else set()
    useful = [grove for grove in groves if grove.manifest.participant not in harmful]
    new = forest.unite([(grove.manifest.participant, grove.trees) for grove in useful]) if enough else ()
    trees = (*before, *new)
    found = evaluate(trees, evaluation, config.training)
    stands = progress.loss is None or gate.accepts(
        before=progress.loss, after=found.loss, tau=float(config.verification.gate_loss)
    )
    kept = stands and enough
    after = replace(
        progress,
        round=progress.round + 1,
        forest=forest.to_bytes(trees, spec) if kept else progress.forest,
        loss=found.loss if stands else progress.loss,
    )
    after, stop = stopping(after, config, found, stands=kept)
    weights = {grove.manifest.participant: grove.manifest.samples for grove in useful} if enough else {}
    reasons = dict.fromkeys(sorted(harmful), "the model is far better without it")
    return after, RoundReport(progress.round, weights, reasons, found, stands=kept, stop=stop)


def _harmful(
    before: Sequence[Tree], groves: Sequence[Grove], data: Dataset, config: SessionConfig
) -> set[str]:
    """Name those without whose trees the mean of all is far better, the most harmful first; one is always kept."""
    sums = {
        grove.manifest.participant: forest.vote(grove.trees, data.features) * len(grove.trees)
        for grove in groves
    }
    counts = {grove.manifest.participant: len(grove.trees) for grove in groves}
    first = (
        forest.vote(before, data.features) * len(before) if before else np.zeros((len(data), 1), np.float64)
    )

    def loss(names: Iterable[str]) -> float:
        chosen = list(names)
        total = first.copy()
        for name in chosen:
            total += sums[name]
        return _judged(
            total / (len(before) + sum(counts[name] for name in chosen)), data, config.training
        ).loss

    remaining, harmful = sorted(sums), set[str]()
    while len(remaining) > 1:
        whole = loss(remaining)
        without = {name: loss(other for other in remaining if other != name) for name in remaining}
        worst = min(remaining, key=lambda name: without[name])
        if not without[worst] * _HARMFUL < whole:
            break
        remaining.remove(worst)
        harmful.add(worst)
    return harmful


def evaluate(trees: Sequence[Tree], data: Dataset, training: TrainingSpec) -> Evaluation:
    """Measure a forest: cross entropy of its shares of votes, or the squared error of its mean, and the metrics."""
    return _judged(forest.vote(trees, data.features), data, training)


def _judged(answers: NDArray[np.float64], data: Dataset, training: TrainingSpec) -> Evaluation:
    if np.issubdtype(data.targets.dtype, np.integer):
        chosen = answers[np.arange(len(data)), data.labels]
        loss = float(-np.log(np.maximum(chosen, 1e-6)).mean())
        return Evaluation(loss, measure(answers.argmax(axis=1), data, training.metrics), len(data))
    predicted = answers[:, 0]
    loss = float(((predicted - data.targets) ** 2).mean())
    return Evaluation(loss, measure(predicted.astype(np.float32), data, training.metrics), len(data))
