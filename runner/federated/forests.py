"""A forest session's round: trees grown in the training process, and the union of everybody's."""

import hashlib

from learning import forest, forest_rounds
from learning.contribution import Manifest
from learning.datasets import Dataset
from learning.errors import LearningError
from learning.forest_rounds import Grove
from learning.local import Place, grow_trees
from learning.model_spec import RandomForest
from learning.rounds import Progress, RoundReport
from learning.session_config import SessionConfig
from runner.federated.messages import Aggregate, Given, Train, Trained
from runner.federated.names import name_of, slot_of


def grow(work: Train, config: SessionConfig, data: Dataset) -> Trained:
    """Grow one slot's trees."""
    name = name_of(work.slot)
    content = grow_trees(config, Place(work.session, work.round, work.slot, name), data)
    manifest = forest_rounds.manifest_of(
        config,
        content,
        session=work.session,
        round_=work.round,
        participant=name,
        samples=len(data),
        base=forest_rounds.base_of(work.base),
    )
    return Trained(samples=len(data), manifest=manifest.canonical(), content=content)


def unite(
    work: Aggregate, config: SessionConfig, progress: Progress, evaluation: Dataset
) -> tuple[Progress, RoundReport, dict[str, str], dict[str, str]]:
    """Finish a round; gives besides why contributions do not count, and the digests of all that could be read."""
    spec = config.model
    assert isinstance(spec, RandomForest)
    rejected = {name_of(slot): reason for slot, reason in work.left_out.items()}
    groves: list[Grove] = []
    for given in work.given:
        try:
            groves.append(_read(given, work, spec))
        except LearningError as error:
            rejected[name_of(given.slot)] = str(error)
    claimed = {one.manifest.participant: one.manifest.samples for one in groves}
    samples = claimed if work.assigned is None else {name: work.assigned[slot_of(name)] for name in claimed}
    base = forest_rounds.base_of(progress.forest)
    rejected |= {
        name: str(reason)
        for name, reason in forest_rounds.screen(groves, spec, base=base, samples=samples).items()
    }
    usable = [one for one in groves if one.manifest.participant not in rejected]
    after, report = forest_rounds.finish(progress, config, usable, evaluation=evaluation)
    digests = {one.manifest.participant: one.manifest.update for one in groves}
    return after, report, rejected, digests


def _read(given: Given, work: Aggregate, spec: RandomForest) -> Grove:
    manifest, name = Manifest.parse(given.manifest), name_of(given.slot)
    if (manifest.session, manifest.round, manifest.participant) != (work.session, work.round, name):
        raise LearningError("is for another session, round or slot", field="manifest")
    if manifest.update != hashlib.sha256(given.content).hexdigest():
        raise LearningError("names other bytes than were handed in", field="manifest.update")
    if manifest.samples != work.samples[given.slot]:
        raise LearningError("is not the number on chain", field="manifest.samples")
    return Grove(manifest, given.content, forest.from_bytes(given.content, spec))
