"""From a round's updates to the next model: one pure step, so that whoever repeats it gets the same bytes."""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from learning import aggregate, bounding, buffered, gate, krum, privacy, reputation, scaffold, server
from learning.buffered import Ledger
from learning.errors import ConfigError, SessionError
from learning.evaluate import Evaluation
from learning.privacy import ClipState
from learning.randomness import SecretStream
from learning.scaffold import Variates
from learning.server import ServerState
from learning.session_config import SessionConfig
from learning.tensors import digest
from learning.updates import Update, Vector

Evaluate = Callable[[Vector], Evaluation]
_TAG = b"parity/progress/v1\0"


@dataclass(frozen=True, slots=True)
class Progress:
    """All that the next round depends on, besides what participants hand in. `round` counts the finished ones.

    `caught` are those who failed an audit: nothing of theirs counts any more. `forest` is the file of a random forest's
    trees so far, whose `weights` are empty. `ledger` is kept in asynchronous sessions. `reexecuted` are those whose work has
    passed an audit: before, nothing is known of anybody.
    """

    weights: Vector
    round: int = 0
    server: ServerState = field(default_factory=ServerState)
    variates: Variates | None = None
    scores: dict[str, int] = field(default_factory=dict)
    clip: ClipState | None = None
    loss: float | None = None
    best: float | None = None
    since_best: int = 0
    private_rounds: int = 0
    caught: tuple[str, ...] = ()
    reexecuted: tuple[str, ...] = ()
    forest: bytes = b""
    ledger: Ledger = field(default_factory=Ledger)

    def digest(self) -> bytes:
        """Return a hash over everything, 32 bytes: equal after a restart, or something was lost."""
        total = hashlib.sha256(_TAG + struct.pack("<QQQ", self.round, self.since_best, self.private_rounds))
        total.update(digest(self.weights) + hashlib.sha256(self.forest).digest())
        total.update(
            repr(
                (self.loss, self.best, self.clip, sorted(self.scores.items()), self.caught, self.reexecuted)
            ).encode()
        )
        ledger = self.ledger
        total.update(repr((sorted(ledger.bases.items()), sorted(ledger.handed_in.items()))).encode())
        for name, slot in sorted(self.server.slots.items()):
            total.update(name.encode() + slot.astype("<f8").tobytes())
        if self.variates:
            for name, variate in [("", self.variates.server), *sorted(self.variates.own.items())]:
                total.update(name.encode() + digest(variate))
        return total.digest()


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What happened in a round. `weights` are what each update counted; `reasons` say why one counted nothing.

    `late` are the rounds by which updates were late, of those that were.
    """

    round: int
    weights: dict[str, int]
    reasons: dict[str, str]
    evaluation: Evaluation
    stands: bool
    epsilon: float | None = None
    stop: str | None = None
    late: Mapping[str, int] = field(default_factory=dict)


def start(config: SessionConfig, weights: Vector) -> Progress:
    """Return the progress before the first round."""
    variates = Variates(np.zeros_like(weights), {}) if config.aggregation.method == "scaffold" else None
    clip = ClipState(float(config.privacy.clip_norm)) if config.privacy else None
    return Progress(weights, variates=variates, clip=clip)


def begun(progress: Progress, config: SessionConfig) -> Progress:
    """Note with which model the next round begins; only in asynchronous sessions does anybody ask for it later."""
    base = digest(progress.weights).hex()
    return replace(progress, ledger=progress.ledger.begin(progress.round, base, config.asynchronous))


def handed_in(
    progress: Progress, config: SessionConfig, trained_for: Mapping[str, int], names: Sequence[str]
) -> Progress:
    """Note for which rounds these participants have handed in their trainings, in an asynchronous session."""
    if config.asynchronous is None:
        return progress
    return replace(progress, ledger=progress.ledger.take({name: trained_for[name] for name in names}))


def finish(
    progress: Progress,
    config: SessionConfig,
    updates: Sequence[Update],
    *,
    evaluate: Evaluate,
    variates: Sequence[tuple[str, Vector]] = (),
    stream: SecretStream | None = None,
    late: Mapping[str, int] | None = None,
) -> tuple[Progress, RoundReport]:
    """Finish a round from readable updates. `variates` are the participants' new ones under scaffold.

    `late` says by how many rounds updates are late, where they may be.
    """
    if len(updates) < config.training.min_participants:
        raise SessionError(
            f"{len(updates)} updates, fewer than {config.training.min_participants}", field="updates"
        )
    clip = float(config.aggregation.clip)
    updates = aggregate.fitting(buffered.weighed(updates, late or {}), clip=clip)
    if config.privacy and progress.clip:
        mean, norm = privacy.central(updates, config.privacy, progress.clip, clip=clip, stream=stream)
        weighing = reputation.Weighing({u.participant: 1 for u in updates}, {})
        progress = sum_read(replace(progress, clip=norm), config)
    else:
        mean, weighing = combined(progress, config, updates, evaluate=evaluate)
    if progress.variates and variates:
        moved = scaffold.after_round(
            progress.variates, variates, participants=config.partition.participants, clip=clip
        )
        progress = replace(progress, variates=moved)
    after, report = finish_from_mean(progress, config, mean, weighing, evaluate=evaluate)
    return after, replace(report, late={name: by for name, by in (late or {}).items() if by})


def finish_from_mean(
    progress: Progress,
    config: SessionConfig,
    mean: Vector,
    weighing: reputation.Weighing,
    *,
    evaluate: Evaluate,
) -> tuple[Progress, RoundReport]:
    """Finish a round from its mean update, as secure aggregation gives it; `sum_read` counts what that tells."""
    before = evaluate(progress.weights).loss if progress.loss is None else progress.loss
    weights, optimizer = server.apply(progress.weights, mean, progress.server, config.aggregation)
    evaluation = evaluate(weights)
    stands = gate.accepts(before=before, after=evaluation.loss, tau=float(config.verification.gate_loss))
    after = replace(
        progress,
        round=progress.round + 1,
        weights=weights if stands else progress.weights,
        server=optimizer if stands else progress.server,
        loss=evaluation.loss if stands else before,
        scores=_scores(progress, weighing),
    )
    after, stop = stopping(after, config, evaluation, stands=stands)
    epsilon = _spent(after, config)
    report = RoundReport(
        progress.round, weighing.weights, weighing.reasons, evaluation, stands, epsilon=epsilon, stop=stop
    )
    return after, report


def unchanged(
    progress: Progress, config: SessionConfig, *, evaluate: Evaluate
) -> tuple[Progress, RoundReport]:
    """End a round whose contributions make no model: the last one stays."""
    evaluation = evaluate(progress.weights)
    after = replace(progress, round=progress.round + 1, loss=evaluation.loss)
    stop = "all rounds are done" if after.round >= config.training.rounds else None
    return after, RoundReport(
        progress.round, {}, {}, evaluation, stands=False, epsilon=_spent(after, config), stop=stop
    )


def sum_read(progress: Progress, config: SessionConfig) -> Progress:
    """Count a noised sum that can be read, whether a model is made of it or not: that is what privacy is spent on."""
    return replace(progress, private_rounds=progress.private_rounds + (config.privacy is not None))


def _spent(progress: Progress, config: SessionConfig) -> float | None:
    if config.privacy is None or not progress.private_rounds:
        return None
    return privacy.spent_after(config.privacy, progress.private_rounds).epsilon


def combined(
    progress: Progress, config: SessionConfig, updates: Sequence[Update], *, evaluate: Evaluate
) -> tuple[Vector, reputation.Weighing]:
    """Combine readable updates by the session's rule."""
    rule = config.aggregation
    clip = float(rule.clip)
    # When updates were rejected or did not come, a rule bears no more hostile ones than the rest allows; fewer than Bulyan
    # can choose from count alike.
    hostile = min(rule.hostile, max(0, (len(updates) - 3) // (4 if rule.method == "bulyan" else 2)))
    radius = None if rule.radius is None else float(rule.radius)
    if rule.method == "reputation":
        return reputation.reputation(
            updates,
            scores=progress.scores,
            hostile=hostile,
            clip=clip,
            losses=lambda delta: evaluate(progress.weights + delta).loss,
        )
    if rule.method == "multi_krum":
        kept = {u.participant: u.weight for u in krum.kept(updates, hostile=hostile, clip=clip)}
        left = {u.participant: "far from the others" for u in updates if u.participant not in kept}
        weighing = reputation.Weighing({**dict.fromkeys(left, 0), **kept}, left)
        return krum.multi_krum(updates, hostile=hostile, clip=clip), weighing
    by_weight: dict[str, Callable[[], Vector]] = {
        "norm_clip": lambda: bounding.norm_clip(updates, clip=clip, radius=radius),
        "centred_clipping": lambda: bounding.centred_clipping(
            updates, clip=clip, radius=radius, iterations=rule.iterations
        ),
    }
    alike: dict[str, Callable[[], Vector]] = {
        "median": lambda: aggregate.median(updates),
        "trimmed_mean": lambda: aggregate.trimmed_mean(updates, trim=hostile),
        "krum": lambda: krum.krum(updates, hostile=hostile, clip=clip),
        "bulyan": lambda: (
            krum.bulyan(updates, hostile=hostile, clip=clip)
            if len(updates) > 2
            else aggregate.median(updates)
        ),
    }
    if rule.method == "forest_union":
        raise ConfigError("forests are united, not averaged", field="aggregation.method")
    if rule.method in alike:
        return alike[rule.method](), reputation.Weighing({u.participant: 1 for u in updates}, {})
    mean = by_weight.get(rule.method, lambda: aggregate.fedavg(updates, clip=clip))()
    return mean, reputation.Weighing({u.participant: u.weight for u in updates}, {})


def _scores(progress: Progress, weighing: reputation.Weighing) -> dict[str, int]:
    moved = {
        name: reputation.after_round(
            progress.scores.get(name, reputation.START_SCORE), kept=name not in weighing.reasons
        )
        for name in weighing.weights
    }
    return {**progress.scores, **moved}


def stopping(
    after: Progress, config: SessionConfig, evaluation: Evaluation, *, stands: bool
) -> tuple[Progress, str | None]:
    """Follow the watched figure, and say why the session ends here, if it does."""
    early = config.training.early_stop
    if early:
        higher_is_better = early.metric not in ("loss", "mse", "rmse", "mae")
        figure = evaluation.loss if early.metric == "loss" else evaluation.metrics.get(early.metric, 0.0)
        signed = figure if higher_is_better else -figure
        better = stands and (after.best is None or signed > after.best + float(early.min_delta))
        after = replace(
            after, best=signed if better else after.best, since_best=0 if better else after.since_best + 1
        )
        if after.since_best >= early.patience:
            return after, f"{early.metric} has not improved for {early.patience} rounds"
    if after.round >= config.training.rounds:
        return after, "all rounds are done"
    return after, None
