"""Re-executing segments of what was handed in: drawn when everything was committed, the same for every aggregator.

What is found does not depend on the machine: honest runs differ by a millionth of a segment, cheats by a quarter, and the
tolerance lies between. Whoever is caught has nothing in the round, nor in any later one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from learning import audit, compression, lots, merkle
from learning.audit import Audit, Finding, Shown
from learning.contribution import Manifest
from learning.datasets import Dataset
from learning.errors import EvidenceError, LearningError, UpdateError
from learning.local import Place, hands_in, local_task
from learning.optimizers import slot_names
from learning.rounds import Progress
from learning.scaffold import own_variate
from learning.session_config import SessionConfig
from learning.tensors import digest
from learning.trail import Mark, read_trail
from learning.trainer import LocalTask, learning_rate
from learning.trajectory import checkpoint_hash, read_checkpoint, train
from learning.updates import Vector
from runner.federated.messages import Aggregate, Data, Evidence, Given
from runner.federated.names import slot_of

Samples = Callable[[Data], Dataset]
Weights = Callable[[bytes | None], Vector]
"""Read a model's file; none stands for the weights drawn from the session's seed."""


@dataclass(slots=True)
class Examined:
    """Who was re-executed, whom an audit caught and why, and, of the latter, where their training leaves the right one.

    `disproved` are those of the caught whose work was re-executed and is false: whatever else was merely not shown.
    """

    reexecuted: list[str] = field(default_factory=list)
    caught: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    disproved: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One audit."""

    task: LocalTask
    base: Vector
    manifest: Manifest
    given: Given
    evidence: Evidence
    marks: tuple[Mark, ...]
    data: Dataset
    carried: Vector | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Audits the contributions of one round; `samples` reads what was assigned to those who are drawn.

    `weights_of` reads the model from which a late training began.
    """

    work: Aggregate
    config: SessionConfig
    progress: Progress
    samples: Samples
    weights_of: Weights

    def examine(self, manifests: Mapping[str, Manifest], *, flagged: Mapping[str, object]) -> Examined:
        """Audit those of `manifests`, the contributions that passed screening, whom the draw names."""
        examined = Examined()
        draw = self.work.draw
        if draw is None:
            return examined
        given = {one.slot: one for one in self.work.given}
        unknown = manifests.keys() - set(self.progress.reexecuted)
        closely = unknown | flagged.keys()
        for name in lots.audited(draw, list(manifests), closely, self.config.verification):
            found, place = self._audit(draw, manifests[name], given[slot_of(name)])
            if found.passed:
                examined.reexecuted.append(name)
            else:
                examined.caught[name] = f"failed an audit: {found.finding}"
                examined.places[name] = place
                if found.disproved:
                    examined.disproved.append(name)
        return examined

    def _audit(self, draw: bytes, manifest: Manifest, given: Given) -> tuple[Audit, str]:
        verification = self.config.verification
        try:
            case = self._case(manifest, given)
        except LearningError as error:
            return Audit(Finding.NOT_SHOWN), str(error)
        if not _carried_is_plausible(case, self.config):
            return Audit(Finding.OTHER_UPDATE), "carries what its last update cannot have lost"
        found = audit.reexecute(
            manifest,
            case.task,
            case.data,
            base=case.base,
            handed_in=_handed_in(case, self.config),
            segments=lots.drawn_segments(
                draw, manifest.participant, checkpoints=manifest.checkpoints, count=verification.segments
            ),
            show=_shower(case, config=self.config),
            tolerance=float(verification.tolerance),
        )
        place = "" if found.segment is None else f"segment {found.segment}, apart by {found.distance:.2g}"
        if found.finding is Finding.OTHER_RESULT:
            place += f"; {_first_difference(case)}"
        return found, place

    def _case(self, manifest: Manifest, given: Given) -> _Case:
        evidence, name = given.evidence, manifest.participant
        if evidence is None or evidence.trail is None or evidence.missing is not None:
            raise EvidenceError("was not published", field=(evidence and evidence.missing) or "trail")
        root, count = bytes.fromhex(manifest.trajectory), manifest.checkpoints
        variates = self.progress.variates
        place = Place(self.work.session, manifest.round, given.slot, name)
        correction = variates.correction(name) if variates else None
        return _Case(
            task=local_task(self.config, place, correction=correction),
            base=self._base(manifest, evidence),
            manifest=manifest,
            given=given,
            evidence=evidence,
            marks=read_trail(evidence.trail, root=root, checkpoints=count),
            data=self.samples(evidence.data),
            carried=_vector(evidence.carried, parameters=len(self.progress.weights)),
        )

    def _base(self, manifest: Manifest, evidence: Evidence) -> Vector:
        """Return the weights that a training began with."""
        if manifest.round == self.work.round:
            return self.progress.weights
        base = self.weights_of(evidence.base)
        if digest(base).hex() != manifest.base:
            raise EvidenceError("is not the model of its round", field="base")
        return base


def _vector(content: bytes | None, *, parameters: int) -> Vector | None:
    if content is None:
        return None
    vector = np.frombuffer(content, "<f4").astype(np.float32) if len(content) == 4 * parameters else None
    if vector is None or not np.isfinite(vector).all():
        raise EvidenceError("is not of this model", field="carried")
    return vector


def _carried_is_plausible(case: _Case, config: SessionConfig) -> bool:
    if case.carried is None:
        return True
    before = case.evidence.before
    try:
        return before is not None and compression.can_be_lost(before, case.carried, config.compression)
    except UpdateError:
        return False  # what is no update has lost nothing


def _handed_in(case: _Case, config: SessionConfig) -> Callable[[Vector], bool]:
    encodes = hands_in(case.given.content, config.compression, residual=case.carried)

    def handed_in(delta: Vector) -> bool:
        return encodes(delta) and _variate_follows(case, config, delta)

    return handed_in


def _variate_follows(case: _Case, config: SessionConfig, delta: Vector) -> bool:
    correction = case.task.correction
    if correction is None:
        return True
    expected = own_variate(
        correction,
        delta,
        steps=case.manifest.steps,
        rate=learning_rate(config.training, case.task.round),
        momentum=float(config.training.optimizer.momentum),
    )
    return case.given.variate == expected.astype("<f4").tobytes()


def _shower(case: _Case, *, config: SessionConfig) -> Callable[[int], Shown | None]:
    leaves = [mark.leaf for mark in case.marks]
    slots = slot_names(config.training.optimizer)

    def show(number: int) -> Shown | None:
        content = case.evidence.shown.get(number)
        if content is None:
            return None
        try:
            checkpoint = read_checkpoint(content, slots=slots, parameters=len(case.base))
        except EvidenceError:
            return None
        return Shown(checkpoint, merkle.proof(leaves, number))

    return show


def _first_difference(case: _Case) -> str:
    """Do the whole work, and bisect to where the two part; with another kind of machine they part at once."""
    ours: Sequence[bytes] = [
        checkpoint_hash(one) for one in train(case.task, case.data, base=case.base).checkpoints
    ]
    theirs = [mark.leaf for mark in case.marks]
    try:
        number = audit.first_difference(len(ours), lambda i: ours[i] == theirs[i])
    except EvidenceError as error:
        return str(error)
    return f"first differs at checkpoint {number} of {len(ours) - 1}"
