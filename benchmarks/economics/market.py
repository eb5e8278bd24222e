"""Ten thousand audited tasks among players of different strategies, and what each kind comes out with."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.economics.court import Division, Record, Terms, enter
from benchmarks.economics.strategies import MIX, STRATEGIES, Strategy
from protocol.money import USDFC

_MONTH_BLOCKS = 30 * 86_400 // 30


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the contracts do not know: how dear the work is, and how good auditors' eyes are.

    `work_share` and `audit_share` are parts of the reward; `blind` and `alarmed` are the chances that an auditor who looks
    passes a bad answer, or condemns a good one. `blocks` is the time in which all tasks come.
    """

    terms: Terms = field(default_factory=lambda: Terms(reward=USDFC // 10, bond=USDFC))
    tasks: int = 10_000
    work_share: float = 0.6
    audit_share: float = 0.02
    blind: float = 0.01
    alarmed: float = 0.001
    blocks: int = _MONTH_BLOCKS
    mix: Mapping[str, int] = field(default_factory=lambda: MIX)


@dataclass(slots=True)
class Player:
    """A runner with an owner of its own, and what it has come to, in base units."""

    strategy: Strategy
    record: Record = field(default_factory=Record)
    answered: int = 0
    cheated: int = 0
    caught: int = 0
    audits: int = 0
    pay: int = 0
    wages: int = 0
    lost: int = 0
    cost: int = 0

    @property
    def profit(self) -> int:
        """Return what is left."""
        return self.pay + self.wages - self.lost - self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one strategy did, all its players together; amounts in base units, `profit` of one player on average."""

    strategy: str
    players: int
    answered: int
    cheated: int
    caught: int
    audits: int
    pay: int
    wages: int
    lost: int
    cost: int
    profit: int


class Market:
    """One month of one network. `seed` decides every draw."""

    def __init__(self, world: World, *, seed: int) -> None:
        self._world, self._terms = world, world.terms
        self._chance = random.Random(seed)
        kinds = {strategy.name: strategy for strategy in STRATEGIES}
        self.players = [Player(kinds[name]) for name, count in world.mix.items() for _ in range(count)]
        self.outside: dict[str, int] = defaultdict(int)
        """What payers, treasury and the burn account have gained."""

    def run(self) -> "Market":
        """Play all tasks."""
        for number in range(self._world.tasks):
            self._task(number * self._world.blocks // self._world.tasks)
        return self

    def results(self) -> Iterator[Result]:
        """Sum up by strategy."""
        for name in self._world.mix:
            those = [player for player in self.players if player.strategy.name == name]
            yield Result(
                strategy=name,
                players=len(those),
                answered=sum(player.answered for player in those),
                cheated=sum(player.cheated for player in those),
                caught=sum(player.caught for player in those),
                audits=sum(player.audits for player in those),
                pay=sum(player.pay for player in those),
                wages=sum(player.wages for player in those),
                lost=sum(player.lost for player in those),
                cost=sum(player.cost for player in those),
                profit=sum(player.profit for player in those) // len(those),
            )

    def _task(self, block: int) -> None:
        free = [player for player in self.players if player.record.banned_until <= block]
        if not free:
            return
        runner = self._chance.choice(free)
        bad = runner.strategy.cheats(self._chance, runner.record.score)
        runner.answered += 1
        runner.cheated += bad
        if not bad:
            runner.cost += self._part(self._world.work_share)
        rate = self._terms.rate_bps(runner.record, at_block=block)
        if self._chance.randrange(10_000) < rate:
            self._audit(runner, bad=bad, block=block, free=free)
        else:
            self._settle(runner, self._terms.unaudited(), valid=True, block=block)

    def _audit(self, runner: Player, *, bad: bool, block: int, free: Sequence[Player]) -> None:
        size = self._terms.profile.params.panel_size
        others = [player for player in free if player is not runner]
        jury = self._chance.sample(others, min(size, len(others)))
        votes = {id(juror): self._vote(juror, runner, bad=bad) for juror in jury}
        against = sum(not valid for valid in votes.values())
        valid = against <= size // 2
        if not valid and not bad:
            valid = self._appeal(runner, others=[player for player in others if player not in jury])
        right = [juror for juror in jury if votes[id(juror)] is valid]
        wrong = [juror for juror in jury if votes[id(juror)] is not valid]
        divide = self._terms.upheld if valid else self._terms.condemned
        division = divide(right=len(right), wrong=len(wrong))
        self._settle(runner, division, valid=valid, block=block)
        runner.caught += not valid
        for juror in right:
            juror.wages += division.right_juror
            enter(juror.record, right=True, fee=0, at_block=block, profile=self._terms.profile)
        for juror in wrong:
            juror.lost -= division.wrong_juror
            enter(juror.record, right=False, fee=0, at_block=block, profile=self._terms.profile)

    def _appeal(self, runner: Player, *, others: Sequence[Player]) -> bool:
        """Let an honest runner that was convicted appeal; its second panel's money is left out: the loser's bond pays it."""
        size = self._terms.profile.audits.appeal_size
        jury = self._chance.sample(others, min(size, len(others)))
        against = sum(not self._vote(juror, runner, bad=False) for juror in jury)
        return against <= size // 2

    def _vote(self, juror: Player, runner: Player, *, bad: bool) -> bool:
        """Return whether an auditor passes an answer, and have it bear the cost of looking."""
        juror.audits += 1
        strategy = juror.strategy
        if strategy.ring and runner.strategy.ring:
            return True
        if not strategy.looks:
            return not strategy.condemns
        juror.cost += self._part(self._world.audit_share)
        missed = self._world.blind if bad else self._world.alarmed
        return bad == (self._chance.random() < missed)

    def _settle(self, runner: Player, division: Division, *, valid: bool, block: int) -> None:
        if division.runner >= 0:
            runner.pay += division.runner
        else:
            runner.lost -= division.runner
        for name in ("payer", "treasury", "burnt"):
            self.outside[name] += getattr(division, name)
        fee = self._terms.fee if valid else 0
        enter(runner.record, right=valid, fee=fee, at_block=block, profile=self._terms.profile)

    def _part(self, share: float) -> int:
        return int(self._terms.reward * share)
