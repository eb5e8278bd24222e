"""The contracts on a real chain against a plain model, over random histories: the same acts refused, the same balances."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from devnet.deploy import DeployedState
from protocol.money import USDFC
from protocol.order import Order
from tests.contracts_model.chain import Cast, Contracts, Reverted
from tests.contracts_model.histories import (
    RUNNERS,
    Conduct,
    Live,
    Money,
    Plan,
    Step,
    Wild,
    histories,
)
from tests.contracts_model.model import Answer, Model, Phase, Refused

RIGHT = Answer(b"\x11" * 32, 400, 120)
PADDED = Answer(b"\x11" * 32, 400, 170)
WRONG = Answer(b"\x22" * 32, 400, 120)
EVERYBODY_MAY_CLAIM = 12
"""Blocks after submission from which the lottery admits all of so few runners."""
Play = Callable[[list[Plan], list[Step]], None]


class Pair:
    """Model and chain, told the same things."""

    def __init__(self, chain: Contracts, model: Model, cast: Cast) -> None:
        self.chain, self.model, self.cast = chain, model, cast
        self.ids: list[bytes] = []
        self.refused = self.done = 0

    def do(self, tell: Callable[[], None], send: Callable[[], None]) -> None:
        """Both must do it or neither; then every pocket must be the same."""
        try:
            tell()
            expected = True
        except Refused:
            expected = False
        try:
            send()
            actual = True
        except Reverted:
            actual = False
        assert actual == expected
        self.done, self.refused = self.done + actual, self.refused + (not actual)
        self.compare()

    def compare(self) -> None:
        who = self.cast.everybody
        purses = self.chain.purses(who)
        for account in who:
            told, real = self.model.purse(account), purses[account]
            if not told.unbonding:
                told.release_block = real.release_block
            assert real == told, account
        assert self.chain.held() == self.model.total(who)
        for task_id in self.ids:
            assert self.chain.status(task_id) == self.model.tasks[task_id].phase.value

    @property
    def next_block(self) -> int:
        return self.chain.block + 1

    # ---------------------------------------------------------------- acts

    def submit(self, plan: Plan) -> None:
        order = Order(
            client=self.cast.client,
            payer=self.cast.payer if plan.sponsored else self.cast.client,
            reward=plan.reward,
            bond=plan.bond,
            input_price=plan.input_price,
            output_price=plan.output_price,
            params_id=1,
            replicas=plan.replicas,
            quorum=max(plan.quorum, 1),
            claim_by=self.next_block + plan.claim_for,
            retention=0,
            client_epoch=0,
            spec=b"\x05" * 32,
            salt=len(self.ids).to_bytes(32, "big"),
        )
        task_id = self.chain.task_id(order)
        block = self.next_block
        self.do(lambda: self.model.submit(task_id, order, block), lambda: self.chain.submit(order))
        if task_id in self.model.tasks:
            self.ids.append(task_id)
            self.chain.mine(EVERYBODY_MAY_CLAIM)

    def claim(self, task_id: bytes, runner: int) -> None:
        node, block = self.cast.nodes[runner], self.next_block
        self.do(
            lambda: self.model.claim(task_id, node, block),
            lambda: self.chain.send(node, "TaskEscrow", "claim", task_id),
        )

    def commit(self, task_id: bytes, seat: int, node: str, answer: Answer) -> None:
        block = self.next_block
        self.do(
            lambda: self.model.commit(task_id, seat, node=node, answer=answer, block=block),
            lambda: self.chain.commit(task_id, seat, node=node, answer=answer),
        )

    def reveal(self, task_id: bytes, seat: int, node: str, answer: Answer) -> None:
        block = self.next_block
        self.do(
            lambda: self.model.reveal(task_id, seat, node=node, answer=answer, block=block),
            lambda: self.chain.reveal(task_id, seat, node=node, answer=answer),
        )

    def advance(self, task_id: bytes) -> None:
        block = self.next_block
        self.do(
            lambda: self.model.advance(task_id, block),
            lambda: self.chain.send(self.cast.payer, "TaskEscrow", "advance", task_id),
        )

    # ---------------------------------------------------------------- steps

    def live(self, plan: Plan, task_id: bytes) -> None:
        """Do what comes next in a task's plan."""
        task = self.model.tasks[task_id]
        if self.next_block > task.deadline:
            return self.late(plan, task_id)
        if task.phase is Phase.OPEN:
            return self.claim(task_id, plan.runners[len(task.seats)])
        return self.move_seat(plan, task_id)

    def late(self, plan: Plan, task_id: bytes) -> None:
        """Try a reveal that comes too late, then end the phase."""
        task = self.model.tasks[task_id]
        for number, seat in enumerate(task.seats):
            if task.phase is Phase.REVEALING and plan.conducts[number] is Conduct.LATE:
                self.reveal(task_id, number, seat.node, RIGHT)
        self.advance(task_id)

    def move_seat(self, plan: Plan, task_id: bytes) -> None:
        task = self.model.tasks[task_id]
        for number, seat in enumerate(task.seats):
            conduct = plan.conducts[number]
            answer = {Conduct.WRONG: WRONG, Conduct.PADDED: PADDED}.get(conduct, RIGHT)
            if task.phase is Phase.COMMITTING and seat.committed is None and conduct is not Conduct.ABSENT:
                last = all(one.committed for one in task.seats if one is not seat)
                act = self.reveal if last and conduct is Conduct.OPEN else self.commit
                return act(task_id, number, seat.node, answer)
            opens = conduct not in (Conduct.SILENT, Conduct.LATE)
            if task.phase is Phase.REVEALING and seat.committed and not seat.revealed and opens:
                return self.reveal(task_id, number, seat.node, seat.committed)
        if task.phase in (Phase.COMMITTING, Phase.REVEALING):
            self.chain.mine(task.deadline - self.chain.block)
            return self.late(plan, task_id)
        return self.advance(task_id)

    def wild(self, step: Wild) -> None:
        if not self.ids:
            return
        task_id, node, block = (
            self.ids[step.task % len(self.ids)],
            self.cast.nodes[step.runner],
            self.next_block,
        )
        order = self.model.tasks[task_id].order
        who = (self.cast.client, self.cast.payer, self.cast.treasury)[step.runner % 3]
        acts: dict[str, Callable[[], None]] = {
            "claim": lambda: self.claim(task_id, step.runner),
            "commit": lambda: self.commit(task_id, step.seat, node, WRONG),
            "reveal": lambda: self.reveal(task_id, step.seat, node, RIGHT),
            "advance": lambda: self.advance(task_id),
            "again": lambda: self.do(
                lambda: self.model.submit(task_id, order, block), lambda: self.chain.submit(order)
            ),
            "cancel": lambda: self.do(
                lambda: self.model.cancel(task_id, who),
                lambda: self.chain.send(who, "TaskEscrow", "cancel", task_id),
            ),
        }
        acts[step.act]()

    def money(self, step: Money) -> None:
        senders = (self.cast.client, self.cast.payer, self.cast.treasury, *self.cast.owners)
        who, to = senders[step.who % len(senders)], senders[(step.who + 3) % len(senders)]
        model, send, amount, block = self.model, self.chain.send, step.amount, self.next_block
        acts: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "withdraw": (
                lambda: model.withdraw(who, amount),
                lambda: send(who, "StakeWallet", "withdraw", amount),
            ),
            "transfer": (
                lambda: model.transfer(who, to, amount),
                lambda: send(who, "StakeWallet", "transfer", to, amount),
            ),
            "bond": (lambda: model.bond(who, amount), lambda: send(who, "StakeWallet", "bond", amount)),
            "unbond": (
                lambda: model.request_unbond(who, amount, block),
                lambda: send(who, "StakeWallet", "requestUnbond", amount),
            ),
            "keep": (lambda: model.cancel_unbond(who), lambda: send(who, "StakeWallet", "cancelUnbond")),
            "leave": (
                lambda: model.complete_unbond(who, block),
                lambda: send(who, "StakeWallet", "completeUnbond"),
            ),
        }
        self.do(*acts[step.act])


class Story:
    """A history on its way."""

    def __init__(self, pair: Pair, plans: list[Plan]) -> None:
        self.pair, self.plans = pair, plans
        self.lives: dict[int, bytes] = {}

    def live(self, number: int) -> None:
        if number in self.lives:
            return self.pair.live(self.plans[number], self.lives[number])
        known = len(self.pair.ids)
        self.pair.submit(self.plans[number])
        if len(self.pair.ids) > known:
            self.lives[number] = self.pair.ids[-1]
        return None

    def step(self, step: Step) -> None:
        if isinstance(step, Live):
            self.live(step.task % len(self.plans))
        elif isinstance(step, Wild):
            self.pair.wild(step)
        elif isinstance(step, Money):
            self.pair.money(step)
        else:
            self.pair.chain.mine(step.blocks)

    def end(self) -> None:
        """Walk every task through its plan to its end: nothing may be left in escrow or locked."""
        pair = self.pair
        for number in set(range(len(self.plans))) - set(self.lives):
            self.live(number)
        for number, task_id in self.lives.items():
            task = pair.model.tasks[task_id]
            while task.phase in (Phase.OPEN, Phase.COMMITTING, Phase.REVEALING):
                before = pair.refused
                pair.live(self.plans[number], task_id)
                if pair.refused > before and task.phase is Phase.OPEN and pair.next_block <= task.deadline:
                    pair.chain.mine(task.deadline - pair.chain.block)
        purses = [pair.model.purse(who) for who in pair.cast.everybody]
        assert all(purse.escrowed == purse.locked == 0 for purse in purses)


@pytest.fixture(scope="module")
async def own_anvil(deployed: DeployedState) -> AsyncIterator[Anvil]:
    async with Anvil.start(load_state=Path(deployed.state)) as chain:
        yield chain


@pytest.fixture(scope="module")
def play(own_anvil: Anvil, deployed: DeployedState, accounts: LocalAccounts) -> Play:
    """Run a history on the same chain, each from the same block."""
    chain = Contracts(own_anvil.url, deployed.deployment, accounts)
    cast = Cast(
        client=accounts.client.address,
        payer=accounts.payer.address,
        treasury=deployed.deployment.treasury,
        burn="0x000000000000000000000000000000000000dEaD",
        # Runners 3 and 4 are keys that own themselves.
        owners=(*(one.address for one in accounts.owners(3)), *(accounts.node(n).address for n in (3, 4))),
        nodes=tuple(one.address for one in accounts.nodes(RUNNERS)),
    )
    prepare(chain, cast, deployed.deployment.stake_wallet)
    rules, start = chain.rules(), chain.purses(cast.everybody)
    snapshots = [chain.snapshot()]

    def run(plans: list[Plan], steps: list[Step]) -> None:
        chain.restore(snapshots.pop())
        snapshots.append(chain.snapshot())
        owners = dict(zip(cast.nodes, cast.owners, strict=True))
        model = Model(rules, treasury=cast.treasury, burn=cast.burn, owners=owners)
        for account, purse in start.items():
            model.purses[account] = type(purse)(**vars(purse))
        story = Story(Pair(chain, model, cast), plans)
        for step in steps:
            story.step(step)
        story.end()

    return run


def prepare(chain: Contracts, cast: Cast, wallet: str) -> None:
    """Give everybody money, and make runners of the last two."""
    for who in (cast.client, cast.payer, *cast.owners):
        chain.send(who, "TestUSDFC", "mint", who, 500 * USDFC)
        chain.send(who, "TestUSDFC", "approve", wallet, 500 * USDFC)
        chain.send(who, "StakeWallet", "deposit", 500 * USDFC)
    for node in cast.nodes[3:]:
        chain.send(node, "StakeWallet", "bond", 200 * USDFC)
        chain.send(node, "RunnerReputation", "register", node, bytes(32), bytes(32), 2**40, b"")
    chain.mine(10)


@given(history=histories(length=15))
# Without shrinking, which takes minutes on a chain: the slow test does it.
@settings(
    max_examples=8,
    deadline=None,
    phases=(Stage.reuse, Stage.generate),
    suppress_health_check=list(HealthCheck),
)
def test_contracts_and_model_agree_on_every_balance(play: Play, history: tuple[list[Plan], list[Step]]):
    play(*history)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@given(history=histories(length=60))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_contracts_and_model_agree_over_many_long_histories(
    play: Play, history: tuple[list[Plan], list[Step]]
):
    play(*history)
