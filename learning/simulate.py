"""A whole session in one process: every participant, every phase, through the same functions that a runner calls.

For tests, benchmarks and trying a configuration before paying for it. Nothing is faked but the chain and the network.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from learning import compression, rounds, screen
from learning.aggregate import SCALE, believed, quantise
from learning.attacks import Attack
from learning.contribution import Contribution
from learning.datasets import Dataset
from learning.errors import ConfigError
from learning.evaluate import Evaluation, evaluate
from learning.local import Place, Work, contribute
from learning.model_card import ModelCard, card
from learning.model_spec import RandomForest
from learning.privacy import distributed_steps
from learning.reputation import Weighing
from learning.rounds import Progress, RoundReport
from learning.screen import Expected
from learning.secagg import participant as secure
from learning.secagg import recovery
from learning.secagg.messages import Answer, Keys, Masked, Shares
from learning.secagg.recovery import Transcript
from learning.session import (
    Aggregated,
    DeadlinePassed,
    Event,
    Joined,
    Phase,
    Posted,
    Session,
    apply,
    expected,
    needed,
)
from learning.session_config import SessionConfig
from learning.updates import Update, Vector

Drops = frozenset[tuple[int, Phase, str]]
Schedule = Mapping[tuple[int, str], int]


@dataclass(slots=True)
class Simulation:
    """One session's participants. `hostile` maps a seat to its attack, `drops` says who posts nothing in which phase.

    `schedule` is of an asynchronous session: for which round the training is that a participant hands in in a round. Who
    is not in it has nothing to hand in; without one, nobody is ever late.

    With `claimed`, participants bring their own data, as in a private session: how many samples they have is only claimed.

    `evaluation` is the held-out set of gate, scores and reports: measure the final model on other samples.
    """

    config: SessionConfig
    shares: Sequence[Dataset]
    evaluation: Dataset
    first: Vector
    name: str = "simulation"
    hostile: Mapping[int, Attack] = field(default_factory=dict)
    drops: Drops = frozenset()
    schedule: Schedule | None = None
    claimed: bool = False
    progress: Progress = field(init=False)
    session: Session = field(init=False)
    events: list[Event] = field(default_factory=list)
    reports: list[RoundReport] = field(default_factory=list)
    cards: list[ModelCard] = field(default_factory=list)
    _residuals: dict[int, Vector] = field(default_factory=dict)
    _models: dict[int, Vector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.shares) != self.config.partition.participants:
            raise ConfigError(f"{len(self.shares)} shares", field="partition.participants")
        self.progress = rounds.start(self.config, self.first)
        self.session = Session(self.config)

    @property
    def names(self) -> list[str]:
        """Name the participants by their seats."""
        return [f"p{seat:03}" for seat in range(len(self.shares))]

    def run(self, *, until_round: int | None = None) -> "Simulation":
        """Play until the session ends, or until round `until_round` (counted from 0) is about to begin."""
        if self.session.phase is Phase.OPEN:
            for name in self.names:
                self._happened(Joined(name))
        while not self.session.ended and self.session.round != until_round:
            self._secure_round() if self.config.secure_aggregation else self._plain_round()
        return self

    def measure(self, weights: Vector) -> Evaluation:
        """Evaluate a model on the held-out set."""
        if isinstance(self.config.model, RandomForest):
            raise ConfigError("forests are not simulated here", field="model")
        return evaluate(self.config.model, weights, self.evaluation, self.config.training)

    def _plain_round(self) -> None:
        self.progress = rounds.begun(self.progress, self.config)
        self._models[self.session.round] = self.progress.weights
        works = self._works(only=self._ready())
        present = self._phase(
            Phase.TRAIN, {name: work.manifest.digest().hex() for name, work in works.items()}
        )
        present = self._phase(Phase.REVEAL, {name: works[name].manifest.update for name in present})
        if self.session.ended:
            return
        revealed = [self._revealed(name, works[name]) for name in present]
        screened = screen.screen(revealed, self._expected(works))
        updates = [c.update for c in revealed if c.update.participant not in screened.rejected]
        updates = believed(updates) if self.claimed else updates
        latest = [
            (name, variate)
            for name in present
            if name not in screened.rejected and (variate := works[name].variate) is not None
        ]
        before = self.progress.weights
        trained_for = {c.update.participant: c.manifest.round for c in revealed}
        self.progress = rounds.handed_in(
            self.progress, self.config, trained_for, [u.participant for u in updates]
        )
        if len(updates) < self.config.training.min_participants:
            self.progress, report = rounds.unchanged(self.progress, self.config, evaluate=self.measure)
        else:
            late = {name: self.session.round - number for name, number in trained_for.items()}
            self.progress, report = rounds.finish(
                self.progress, self.config, updates, evaluate=self.measure, variates=latest, late=late
            )
        digests = {name: works[name].manifest.update for name in present}
        self._aggregated(report, before, digests, {k: str(v) for k, v in screened.rejected.items()})

    def _secure_round(self) -> None:
        context = f"{self.name}/{self.session.round}".encode()
        states, keys = {}, {}
        for name in self.names:
            states[name], keys[name] = secure.begin(name, context)
        keys = {name: keys[name] for name in self._phase(Phase.KEYS, _digests(keys))}
        works = self._works(only=list(keys))
        shares: dict[str, Shares] = {}
        threshold = self.config.secure_aggregation.threshold if self.config.secure_aggregation else None
        for name in keys if not self.session.ended else ():
            states[name], shares[name] = secure.share(states[name], keys.values(), threshold=threshold)
        shares = {name: shares[name] for name in self._phase(Phase.SHARES, _digests(shares))}
        masked: dict[str, Masked] = {}
        for name in shares if not self.session.ended else ():
            steps = self._steps(works[name], honest=needed(self.session))
            states[name], masked[name] = secure.mask(states[name], shares.values(), steps)
        masked = {name: masked[name] for name in self._phase(Phase.MASK, _digests(masked))}
        answers: dict[str, Answer] = {}
        for name in masked if not self.session.ended else ():
            states[name], answers[name] = secure.answer(states[name], masked)
        answers = {name: answers[name] for name in self._phase(Phase.UNMASK, _digests(answers))}
        if not self.session.ended:
            transcript = Transcript(context, len(self.first), keys, shares, masked, answers, threshold)
            self._finish_secure(transcript, works)

    def _finish_secure(self, transcript: Transcript, works: Mapping[str, Work]) -> None:
        private = self.config.privacy is not None
        alike = private or self.claimed
        weights = {name: 1 if alike else works[name].manifest.samples for name in transcript.masked}
        total = recovery.recover(transcript)
        limit = float(self.config.aggregation.clip) * (64 if private else 1)
        mean = recovery.mean(total, weight=sum(weights.values()), scale=SCALE, limit=limit)
        before = self.progress.weights
        progress = rounds.sum_read(self.progress, self.config)
        self.progress, report = rounds.finish_from_mean(
            progress, self.config, mean, Weighing(weights, {}), evaluate=self.measure
        )
        self._aggregated(report, before, {}, {})

    def _works(self, only: Sequence[str] | None = None) -> dict[str, Work]:
        done = {}
        for seat, name in enumerate(self.names):
            if only is not None and name not in only:
                continue
            variates = self.progress.variates
            number = (self.schedule or {}).get((self.session.round, name), self.session.round)
            place = Place(self.name, number, seat, name)
            done[name] = contribute(
                self.config,
                place,
                self.shares[seat],
                base=self._models.get(number, self.progress.weights),
                correction=variates.correction(name) if variates else None,
                residual=self._residuals.get(seat),
            )
            if (residual := done[name].residual) is not None:
                self._residuals[seat] = residual
        return self._attacked(done)

    def _ready(self) -> list[str] | None:
        """Name who has something to hand in; none where everybody has."""
        if self.schedule is None:
            return None
        return [name for name in self.names if (self.session.round, name) in self.schedule]

    def _attacked(self, works: dict[str, Work]) -> dict[str, Work]:
        bad = {self.names[seat]: (seat, attack) for seat, attack in self.hostile.items()}
        honest = [work.run.delta for name, work in works.items() if name not in bad]
        for name, (seat, attack) in bad.items():
            work = works[name]
            delta = attack(honest, work.run.delta, self.session.round * 1_000 + seat)
            content = compression.encode(delta, self.config.compression)
            works[name] = Work(content, work.manifest, work.run, None, work.variate)
        return works

    def _steps(self, work: Work, *, honest: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        clip = float(self.config.aggregation.clip)
        if self.config.privacy:
            return distributed_steps(work.run.delta, self.config.privacy, honest=honest, clip=clip)
        steps: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = quantise(work.run.delta, clip=clip) * (
            1 if self.claimed else work.manifest.samples
        )
        return steps

    def _revealed(self, name: str, work: Work) -> Contribution:
        delta = compression.decode(work.content, self.config.compression, parameters=len(self.first))
        return Contribution(work.manifest, Update(name, work.manifest.samples, delta))

    def _expected(self, works: Mapping[str, Work]) -> Expected:
        return Expected(
            bases=self.progress.ledger.bases,
            handed_in=self.progress.ledger.handed_in,
            parameters=len(self.first),
            samples={name: len(share) for name, share in zip(self.names, self.shares, strict=True)},
            steps={name: work.manifest.steps for name, work in works.items()},
            norm_cap=float(self.config.verification.norm_cap),
            clip=float(self.config.aggregation.clip),
        )

    def _phase(self, phase: Phase, contents: Mapping[str, str]) -> list[str]:
        """Let everybody post who has something and does not drop; then the deadline passes. Give who posted."""
        if self.session.ended:
            return []
        number = self.session.round
        for name in expected(self.session):
            if name in contents and (number, phase, name) not in self.drops:
                self._happened(Posted(phase, number, name, contents[name]))
        if self.session.phase is phase:
            posted = list(self.session.by(phase))
            self._happened(DeadlinePassed(phase, number))
            return posted
        return list(self.session.by(phase))

    def _aggregated(
        self, report: RoundReport, before: Vector, digests: Mapping[str, str], rejected: Mapping[str, str]
    ) -> None:
        self.reports.append(report)
        one = card(
            self.config,
            report,
            session=self.name,
            parent=before,
            model=self.progress.weights,
            updates=digests,
            rejected=rejected,
        )
        self.cards.append(one)
        self._happened(Aggregated(report.round, one.model, report.stop))

    def _happened(self, event: Event) -> None:
        self.session = apply(self.session, event)
        self.events.append(event)


def _digests(messages: Mapping[str, Keys | Shares | Masked | Answer]) -> dict[str, str]:
    return {name: hashlib.sha256(message.encode()).hexdigest() for name, message in messages.items()}
