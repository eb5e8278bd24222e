"""One round's result from everything that was published in it: pure, so that every aggregator writes the same bytes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from learning import compression, networks, rounds, screen, tensors
from learning.aggregate import SCALE, believed
from learning.contribution import Contribution, Manifest
from learning.datasets import Dataset
from learning.errors import LearningError, SecureAggregationError
from learning.evaluate import Evaluation, evaluate
from learning.model_card import ModelFile, card
from learning.model_spec import RandomForest
from learning.reputation import Weighing
from learning.rounds import Evaluate, Progress, RoundReport
from learning.screen import Expected
from learning.secagg import recovery
from learning.secagg.messages import Answer, Keys, Masked, Message, Shares
from learning.secagg.recovery import Transcript
from learning.session_config import SessionConfig
from learning.updates import Update, Vector
from protocol.parts import stored_as
from runner.federated import forests
from runner.federated.archive import write_progress
from runner.federated.auditing import Auditor, Examined, Samples, Weights
from runner.federated.messages import Aggregate, Aggregated, Given, Masks
from runner.federated.names import name_of, set_of, slot_of

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a round came to. `paid` are who did what was asked, `rejected` says why others did not."""

    progress: Progress
    report: RoundReport
    paid: list[str]
    rejected: Mapping[str, str]
    updates: Mapping[str, str]
    examined: Examined = field(default_factory=Examined)


def aggregate(
    work: Aggregate,
    config: SessionConfig,
    *,
    progress: Progress,
    evaluation: Dataset,
    samples: Samples,
    weights_of: Weights,
) -> Aggregated:
    """Finish a round; `samples` reads what was assigned to those who are audited, `weights_of` a model's file.

    Raises `LearningError` when too little was published to say what comes out.
    """
    model = config.model
    if isinstance(model, RandomForest):
        outcome = _united(work, config, progress, evaluation)
        file = outcome.progress.forest
        return _told(work, config, outcome, file=file, parent=progress.forest, model=file)

    def measure(weights: Vector) -> Evaluation:
        return evaluate(model, weights, evaluation, config.training)

    outcome = (
        _masked(work, work.masks, config, progress, measure)
        if work.masks
        else _plain(
            work, config, rounds.begun(progress, config), measure, samples=samples, weights_of=weights_of
        )
    )
    weights = outcome.progress.weights
    file = tensors.to_safetensors(tensors.unflatten(weights, networks.layout(model)))
    return _told(work, config, outcome, file=file, parent=progress.weights, model=weights)


def _told(
    work: Aggregate,
    config: SessionConfig,
    outcome: _Outcome,
    *,
    file: bytes,
    parent: Vector | bytes,
    model: Vector | bytes,
) -> Aggregated:
    stored = stored_as(file)
    one = card(
        config,
        outcome.report,
        session=work.session,
        parent=parent,
        model=model,
        updates=outcome.updates,
        rejected=outcome.rejected,
        reexecuted=outcome.examined.reexecuted,
        file=ModelFile(sha256=stored.sha256.hex(), parts=stored.root.hex(), size=stored.size),
    )
    return Aggregated(
        progress=write_progress(outcome.progress),
        model=file,
        card=one.canonical(),
        accepted=set_of([slot_of(name) for name in outcome.paid]),
        stop=outcome.report.stop is not None,
        caught={
            slot_of(name): f"{why} ({outcome.examined.places[name]})"
            for name, why in outcome.examined.caught.items()
        },
        disproved=set_of([slot_of(name) for name in outcome.examined.disproved]),
    )


# Forests


def _united(work: Aggregate, config: SessionConfig, progress: Progress, evaluation: Dataset) -> _Outcome:
    after, report, rejected, digests = forests.unite(work, config, progress, evaluation)
    left_out = {name_of(slot) for slot in work.left_out}
    unpaid = rejected.keys() | left_out | report.reasons.keys()
    paid = [name for name in digests if name not in unpaid]
    return _Outcome(progress=after, report=report, paid=paid, rejected=rejected, updates=digests)


# Readable updates


def _plain(
    work: Aggregate,
    config: SessionConfig,
    progress: Progress,
    measure: Evaluate,
    *,
    samples: Samples,
    weights_of: Weights,
) -> _Outcome:
    rejected = {name_of(slot): reason for slot, reason in work.left_out.items()}
    read: dict[str, tuple[Contribution, Vector | None]] = {}
    for given in work.given:
        if name_of(given.slot) in progress.caught:
            rejected[name_of(given.slot)] = "failed an audit in an earlier round"
            continue
        try:
            read[name_of(given.slot)] = _read(given, work, config, parameters=len(progress.weights))
        except LearningError as error:
            rejected[name_of(given.slot)] = str(error)
    contributions = [contribution for contribution, _ in read.values()]
    screened = screen.screen(contributions, _expected(work, config, progress, contributions))
    rejected |= {name: str(reason) for name, reason in screened.rejected.items()}
    passed = {
        one.update.participant: one.manifest
        for one in contributions
        if one.update.participant not in rejected
    }
    auditor = Auditor(work=work, config=config, progress=progress, samples=samples, weights_of=weights_of)
    examined = auditor.examine(passed, flagged=screened.flagged)
    rejected |= examined.caught
    progress = replace(
        progress,
        caught=(*progress.caught, *sorted(examined.caught)),
        reexecuted=tuple(sorted({*progress.reexecuted, *examined.reexecuted})),
    )
    updates = [one.update for one in contributions if one.update.participant not in rejected]
    updates = believed(updates) if work.assigned is None else updates
    digests = {one.update.participant: one.manifest.update for one in contributions}
    names = [update.participant for update in updates]
    trained_for = {name: one.round for name, one in passed.items()}
    progress = rounds.handed_in(progress, config, trained_for, names)
    if len(updates) < config.training.min_participants:
        after, report = rounds.unchanged(progress, config, evaluate=measure)
        return _Outcome(
            progress=after, report=report, paid=names, rejected=rejected, updates=digests, examined=examined
        )
    variates = [(name, variate) for name in names if (variate := read[name][1]) is not None]
    late = {name: work.round - trained_for[name] for name in names}
    after, report = rounds.finish(progress, config, updates, evaluate=measure, variates=variates, late=late)
    paid = [name for name in names if report.weights.get(name)]
    return _Outcome(
        progress=after, report=report, paid=paid, rejected=rejected, updates=digests, examined=examined
    )


def _read(
    given: Given, work: Aggregate, config: SessionConfig, *, parameters: int
) -> tuple[Contribution, Vector | None]:
    manifest, name = Manifest.parse(given.manifest), name_of(given.slot)
    in_step = manifest.round == work.round or (config.asynchronous and manifest.round < work.round)
    if not in_step or (manifest.session, manifest.participant) != (work.session, name):
        raise LearningError("is for another session, round or slot", field="manifest")
    if manifest.update != hashlib.sha256(given.content).hexdigest():
        raise LearningError("names other bytes than were handed in", field="manifest.update")
    if manifest.samples != work.samples[given.slot]:
        raise LearningError("is not the number on chain", field="manifest.samples")
    delta = compression.decode(given.content, config.compression, parameters=parameters)
    return Contribution(manifest, Update(name, manifest.samples, delta)), _variate(given, config, parameters)


def _variate(given: Given, config: SessionConfig, parameters: int) -> Vector | None:
    if config.aggregation.method != "scaffold":
        return None
    content = given.variate or b""
    if len(content) != 4 * parameters:
        raise LearningError("is not of this model", field="variate")
    variate = np.frombuffer(content, "<f4").astype(np.float32)
    if not np.isfinite(variate).all():
        raise LearningError("has an infinite or undefined parameter", field="variate")
    return variate


def _expected(
    work: Aggregate, config: SessionConfig, progress: Progress, contributions: list[Contribution]
) -> Expected:
    claimed = {one.update.participant: one.manifest.samples for one in contributions}
    samples = claimed if work.assigned is None else {name: work.assigned[slot_of(name)] for name in claimed}
    training = config.training
    each = {name: -(-count // training.batch_size) for name, count in samples.items()}
    return Expected(
        bases=progress.ledger.bases,
        handed_in=progress.ledger.handed_in,
        parameters=len(progress.weights),
        samples=samples,
        steps={name: training.local_epochs * count for name, count in each.items()},
        norm_cap=float(config.verification.norm_cap),
        clip=float(config.aggregation.clip),
    )


# Secure aggregation


def _masked(
    work: Aggregate, masks: Masks, config: SessionConfig, progress: Progress, measure: Evaluate
) -> _Outcome:
    private = config.privacy is not None
    # In a sum that nobody can weigh anew, a number of samples that is only claimed must not count.
    alike = private or work.assigned is None
    weights = {name_of(slot): 1 if alike else work.samples[slot] for slot in sorted(masks.masked)}
    try:
        total = recovery.recover(_transcript(masks, parameters=len(progress.weights)))
    except SecureAggregationError as error:
        if not masks.whole:
            raise
        # What everybody has gives nobody a sum: that is a result, or who aggregates would be late with none, and lose by it.
        return _lost(config, progress, measure, paid=[], rejected=dict.fromkeys(weights, str(error)))
    # Whatever becomes of the sum, everybody can read it.
    progress = rounds.sum_read(progress, config)
    assigned = work.assigned
    liars = [slot for slot in masks.masked if assigned is not None and work.samples[slot] != assigned[slot]]
    # A sum cannot be told apart again: with a false weight in it, or too much, it is not used at all.
    if liars:
        rejected = {name_of(slot): "claims another number of samples than assigned" for slot in liars}
        honest = [name for name in weights if name not in rejected]
        return _lost(config, progress, measure, paid=honest, rejected=rejected)
    limit = float(config.aggregation.clip) * (64 if private else 1)
    try:
        mean = recovery.mean(total, weight=sum(weights.values()), scale=SCALE, limit=limit)
    except SecureAggregationError as error:
        return _lost(config, progress, measure, paid=[], rejected=dict.fromkeys(weights, str(error)))
    after, report = rounds.finish_from_mean(progress, config, mean, Weighing(weights, {}), evaluate=measure)
    return _Outcome(progress=after, report=report, paid=list(weights), rejected={}, updates={})


def _lost(
    config: SessionConfig,
    progress: Progress,
    measure: Evaluate,
    *,
    paid: list[str],
    rejected: Mapping[str, str],
) -> _Outcome:
    after, report = rounds.unchanged(progress, config, evaluate=measure)
    return _Outcome(progress=after, report=report, paid=paid, rejected=rejected, updates={})


def _transcript(masks: Masks, *, parameters: int) -> Transcript:
    handed_in = {name_of(slot) for slot in masks.masked}
    answers = _decoded(Answer, masks.answers)
    return Transcript(
        context=masks.context,
        parameters=parameters,
        keys=_decoded(Keys, masks.keys),
        shares={name_of(slot): shares_of(slot, content) for slot, content in masks.shares.items()},
        masked=_decoded(Masked, masks.masked),
        # What is answered about the wrong participants is no answer; the others' may be enough.
        answers={
            name: answer
            for name, answer in answers.items()
            if answer.seeds.keys() <= handed_in and not answer.mask_keys.keys() & handed_in
        },
        threshold=masks.threshold,
    )


def shares_of(slot: int, content: bytes) -> Shares:
    """Read somebody's sealed shares; what is none counts as empty, for everybody alike."""
    try:
        message = Shares.decode(content)
    except LearningError:
        return Shares(sender=name_of(slot), sealed={}, seed_hash=b"")
    return (
        message if message.sender == name_of(slot) else Shares(sender=name_of(slot), sealed={}, seed_hash=b"")
    )


def _decoded(kind: type[M], contents: Mapping[int, bytes]) -> dict[str, M]:
    read: dict[str, M] = {}
    for slot, content in contents.items():
        try:
            message = kind.decode(content)
        except LearningError:
            continue
        if message.sender == name_of(slot):
            read[message.sender] = message
    return read
