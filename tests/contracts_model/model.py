"""What the contracts must do with money and seats, in plain Python: no contract's code is looked at or shared.

Amounts are base units. Every method either changes the state or raises `Refused` and leaves it as it was.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from protocol.order import Order

WHOLE = 10_000
STREAK_TO_BAN = 3


class Refused(Exception):
    """The contract must revert."""


class Phase(Enum):
    OPEN = 1
    COMMITTING = 2
    REVEALING = 3
    FINAL = 6
    FAILED = 7
    CANCELLED = 8


@dataclass(frozen=True)
class Rules:
    """The parameter version and settings of the chain under test."""

    commit_for: int
    reveal_for: int
    max_claim_for: int
    fee_bps: int
    wrong_bps: int
    miss_bps: int
    payer_bps: int
    burn_bps: int
    max_replicas: int
    min_stake: int
    unbond_delay: int
    seed_delay: int


@dataclass(frozen=True)
class Answer:
    """What a seat commits to and may open: the result, and what it says it used."""

    result: bytes
    input_tokens: int
    output_tokens: int


@dataclass
class Purse:
    """One account's pockets."""

    free: int = 0
    escrowed: int = 0
    bonded: int = 0
    locked: int = 0
    unbonding: int = 0
    release_block: int = 0


@dataclass
class Seat:
    node: str
    owner: str
    committed: Answer | None = None
    revealed: bool = False


@dataclass
class Task:
    order: Order
    seed_block: int
    deadline: int
    phase: Phase = Phase.OPEN
    seats: list[Seat] = field(default_factory=list)


def need(holds: bool) -> None:
    if not holds:
        raise Refused


def up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


class Model:
    """The whole protocol's state, apart from scores."""

    def __init__(self, rules: Rules, *, treasury: str, burn: str, owners: dict[str, str]) -> None:
        self.rules, self.treasury, self.burn = rules, treasury, burn
        self.owner_of = owners
        self.purses: dict[str, Purse] = {}
        self.tasks: dict[bytes, Task] = {}
        self.streaks: Counter[str] = Counter()
        self.banned: set[str] = set()

    def purse(self, who: str) -> Purse:
        return self.purses.setdefault(who, Purse())

    # ---------------------------------------------------------------- money

    def withdraw(self, who: str, amount: int) -> None:
        need(0 < amount <= self.purse(who).free)
        self.purse(who).free -= amount

    def transfer(self, who: str, to: str, amount: int) -> None:
        self.withdraw(who, amount)
        self.purse(to).free += amount

    def bond(self, who: str, amount: int) -> None:
        self.withdraw(who, amount)
        self.purse(who).bonded += amount

    def request_unbond(self, who: str, amount: int, block: int) -> None:
        purse = self.purse(who)
        need(0 < amount <= purse.bonded - purse.locked)
        purse.bonded -= amount
        purse.unbonding += amount
        purse.release_block = block + self.rules.unbond_delay

    def cancel_unbond(self, who: str) -> None:
        purse = self.purse(who)
        need(purse.unbonding > 0)
        purse.bonded, purse.unbonding = purse.bonded + purse.unbonding, 0

    def complete_unbond(self, who: str, block: int) -> None:
        purse = self.purse(who)
        need(purse.unbonding > 0 and block >= purse.release_block)
        purse.free, purse.unbonding = purse.free + purse.unbonding, 0

    # ---------------------------------------------------------------- tasks

    def submit(self, task_id: bytes, order: Order, block: int) -> None:
        need(task_id not in self.tasks)
        need(block <= order.claim_by <= block + self.rules.max_claim_for)
        need(order.quorum <= order.replicas <= self.rules.max_replicas)
        need(2 * order.quorum > order.replicas)
        need(0 < order.reward <= self.purse(order.payer).free)
        self.purse(order.payer).free -= order.reward
        self.purse(order.payer).escrowed += order.reward
        self.tasks[task_id] = Task(order, seed_block=block + self.rules.seed_delay, deadline=order.claim_by)

    def cancel(self, task_id: bytes, who: str) -> None:
        task = self._task(task_id, Phase.OPEN)
        need(who in (task.order.client, task.order.payer) and not task.seats)
        self._call_off(task)

    def claim(self, task_id: bytes, node: str, block: int) -> None:
        """Take the next seat; on this chain the lottery admits everybody once it is open."""
        task = self._task(task_id, Phase.OPEN)
        owner = self.owner_of[node]
        purse = self.purse(owner)
        need(task.seed_block < block <= task.deadline)
        need(node not in self.banned and purse.bonded >= self.rules.min_stake)
        need(not {task.order.client, task.order.payer} & {owner, node})
        need(all(seat.owner != owner for seat in task.seats))
        need(purse.bonded - purse.locked >= task.order.bond)
        purse.locked += task.order.bond
        task.seats.append(Seat(node, owner))
        if len(task.seats) == task.order.replicas:
            task.phase, task.deadline = Phase.COMMITTING, block + self.rules.commit_for

    def commit(self, task_id: bytes, seat: int, *, node: str, answer: Answer, block: int) -> None:
        task, held = self._held(task_id, seat, node=node, phase=Phase.COMMITTING, block=block)
        need(held.committed is None)
        held.committed = answer
        if all(one.committed for one in task.seats):
            task.phase, task.deadline = Phase.REVEALING, block + self.rules.reveal_for

    def reveal(self, task_id: bytes, seat: int, *, node: str, answer: Answer, block: int) -> None:
        phase = self.tasks[task_id].phase
        need(phase in (Phase.COMMITTING, Phase.REVEALING))
        task, held = self._held(task_id, seat, node=node, phase=phase, block=block)
        if phase is Phase.COMMITTING:
            need(held.committed is None and all(one.committed for one in task.seats if one is not held))
            held.committed = answer
            task.phase, task.deadline = Phase.REVEALING, block + self.rules.reveal_for
        need(held.committed == answer and not held.revealed)
        held.revealed = True
        if all(one.revealed or one.committed is None for one in task.seats):
            self._settle(task)

    def advance(self, task_id: bytes, block: int) -> None:
        task = self.tasks[task_id]
        need(task.phase in (Phase.OPEN, Phase.COMMITTING, Phase.REVEALING) and block > task.deadline)
        committed = sum(seat.committed is not None for seat in task.seats)
        if task.phase is Phase.OPEN:
            self._call_off(task)
        elif task.phase is Phase.COMMITTING and committed >= task.order.quorum:
            task.phase, task.deadline = Phase.REVEALING, block + self.rules.reveal_for
        else:
            self._settle(task)

    def _task(self, task_id: bytes, phase: Phase) -> Task:
        need(self.tasks[task_id].phase is phase)
        return self.tasks[task_id]

    def _held(self, task_id: bytes, seat: int, *, node: str, phase: Phase, block: int) -> tuple[Task, Seat]:
        task = self._task(task_id, phase)
        need(block <= task.deadline and seat < len(task.seats) and task.seats[seat].node == node)
        return task, task.seats[seat]

    # ---------------------------------------------------------------- endings

    def _end(self, task: Task, phase: Phase) -> None:
        task.phase = phase
        self.purse(task.order.payer).escrowed -= task.order.reward
        for seat in task.seats:
            self.purse(seat.owner).locked -= task.order.bond

    def _call_off(self, task: Task) -> None:
        self._end(task, Phase.CANCELLED)
        self.purse(task.order.payer).free += task.order.reward

    def _settle(self, task: Task) -> None:
        order, rules = task.order, self.rules
        votes = Counter(seat.committed for seat in task.seats if seat.revealed)
        agreed = next((answer for answer, count in votes.items() if count >= order.quorum), None)
        phase = task.phase
        self._end(task, Phase.FAILED if agreed is None else Phase.FINAL)
        spent = fees = slashed = 0
        for seat in task.seats:
            if agreed is not None and seat.revealed and seat.committed == agreed:
                gross = self._earned(order, agreed)
                pay = gross * (WHOLE - rules.fee_bps) // WHOLE
                self.purse(seat.owner).free += pay
                spent, fees = spent + gross, fees + gross - pay
                self.streaks[seat.node] = 0
            else:
                loss = up(order.bond * self._fault_bps(seat, phase, quorate=agreed is not None), WHOLE)
                self.purse(seat.owner).bonded -= loss
                slashed += loss
        to_payer = slashed * rules.payer_bps // WHOLE if agreed is None else 0
        to_burn = slashed * rules.burn_bps // WHOLE
        left = order.reward - spent
        rounding = left if fees and left < len(task.seats) else 0
        self.purse(order.payer).free += left - rounding + to_payer
        self.purse(self.burn).free += to_burn
        self.purse(self.treasury).free += fees + rounding + slashed - to_payer - to_burn

    def _fault_bps(self, seat: Seat, phase: Phase, *, quorate: bool) -> int:
        """Return what share of its bond a seat that did not win loses; count what leads to a ban."""
        if seat.committed is None:
            return self.rules.miss_bps
        if quorate:
            self.streaks[seat.node] += 1
            if self.streaks[seat.node] == STREAK_TO_BAN:
                self.streaks[seat.node] = 0
                self.banned.add(seat.node)
            return self.rules.wrong_bps
        return self.rules.miss_bps if phase is Phase.REVEALING and not seat.revealed else 0

    @staticmethod
    def _earned(order: Order, answer: Answer) -> int:
        share = order.reward // order.replicas
        if not order.input_price and not order.output_price:
            return share
        used = answer.input_tokens * order.input_price + answer.output_tokens * order.output_price
        return min(share, used // 1_000)

    def total(self, accounts: Iterable[str]) -> int:
        """Sum all pockets: what the wallet must hold."""
        purses = [self.purse(who) for who in accounts]
        return sum(one.free + one.escrowed + one.bonded + one.unbonding for one in purses)
