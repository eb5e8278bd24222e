"""The SDK for programs without an event loop: the same methods, which return when they are done."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from client.disputes import Disputes
from client.governance import Governance
from client.parity import Parity
from client.reputation import Reputation
from client.settings import ClientSettings

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

P = ParamSpec("P")
R = TypeVar("R")
Subject_co = TypeVar("Subject_co", covariant=True)


class _Face(Generic[Subject_co]):
    """Runs the coroutines of one asynchronous object on a loop of its own, each to its end."""

    def __init__(self, runner: asyncio.Runner, subject: Subject_co) -> None:
        self._runner = runner
        self._subject = subject


def _sync(
    method: Callable[Concatenate[Subject_co, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[_Face[Subject_co], P], R]:
    """Turn a coroutine method into one that waits for its end; name, docstring and types stay."""

    @functools.wraps(method)
    def run(self: _Face[Subject_co], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._runner.run(method(self._subject, *args, **kwargs))

    return run


class SyncReputation(_Face[Reputation]):
    """`Parity.reputation`, waiting."""

    status = _sync(Reputation.status)
    events = _sync(Reputation.events)
    leaderboard = _sync(Reputation.leaderboard)
    network_stats = _sync(Reputation.network_stats)
    eligibility = _sync(Reputation.eligibility)
    assignments = _sync(Reputation.assignments)
    monitoring_stats = _sync(Reputation.monitoring_stats)
    monitoring_metrics = _sync(Reputation.monitoring_metrics)
    report_monitor = _sync(Reputation.report_monitor)
    challenge_bond = _sync(Reputation.challenge_bond)
    challenge_verdict = _sync(Reputation.challenge_verdict)


class SyncDisputes(_Face[Disputes]):
    """`Parity.disputes`, waiting."""

    case = _sync(Disputes.case)
    check_challenge = _sync(Disputes.check_challenge)
    challenge = _sync(Disputes.challenge)
    check_appeal = _sync(Disputes.check_appeal)
    appeal = _sync(Disputes.appeal)


class SyncGovernance(_Face[Governance]):
    """`Parity.governance`, waiting."""

    proposals = _sync(Governance.proposals)
    proposal = _sync(Governance.proposal)
    votes = _sync(Governance.votes)
    agenda = _sync(Governance.agenda)
    propose = _sync(Governance.propose)
    check_vote = _sync(Governance.check_vote)
    vote = _sync(Governance.vote)
    queue = _sync(Governance.queue)
    execute = _sync(Governance.execute)
    delegate = _sync(Governance.delegate)


class SyncParity(_Face[Parity]):
    """`Parity` for programs without an event loop. Make it with `SyncParity.connect`; use it in one thread."""

    @classmethod
    @contextmanager
    def connect(
        cls, settings: ClientSettings, account: "LocalAccount | None" = None
    ) -> Iterator["SyncParity"]:
        """Connect as `Parity.connect` does. Not inside a running event loop: `RuntimeError`; use `Parity` there.

        >>> with SyncParity.connect(ClientSettings(), account) as parity:
        ...     submitted = parity.submit_prompt("What is the capital of France?", model="smollm2:135m")
        ...     print(parity.wait(submitted.task_id).output)
        """
        with asyncio.Runner() as runner:
            connecting = Parity.connect(settings, account)
            parity = runner.run(_entered(connecting.__aenter__()))
            try:
                yield cls(runner, parity)
            finally:
                runner.run(_entered(connecting.__aexit__(None, None, None)))

    @property
    def address(self) -> str:
        """Return the account's address."""
        return self._subject.address

    @property
    def reputation(self) -> SyncReputation:
        """Return what is known of runners."""
        return SyncReputation(self._runner, self._subject.reputation)

    @property
    def disputes(self) -> SyncDisputes:
        """Return a payer's say about audited answers."""
        return SyncDisputes(self._runner, self._subject.disputes)

    @property
    def governance(self) -> SyncGovernance:
        """Return proposals and votes."""
        return SyncGovernance(self._runner, self._subject.governance)

    def run(self, deed: Callable[[Parity], Coroutine[Any, Any, R]]) -> R:
        """Do anything else that the asynchronous SDK can: `parity.run(lambda p: p.reputation.status(node))`."""
        return self._runner.run(deed(self._subject))

    balance = _sync(Parity.balance)
    deposit = _sync(Parity.deposit)
    withdraw = _sync(Parity.withdraw)
    bond = _sync(Parity.bond)
    request_unbond = _sync(Parity.request_unbond)
    complete_unbond = _sync(Parity.complete_unbond)
    missing = _sync(Parity.missing)
    unbond_delay = _sync(Parity.unbond_delay)
    network_fee = _sync(Parity.network_fee)
    foreseen_fee = _sync(Parity.foreseen_fee)
    faucet = _sync(Parity.faucet)
    faucet_coin = _sync(Parity.faucet_coin)
    models = _sync(Parity.models)
    estimate_price = _sync(Parity.estimate_price)
    recent_prices = _sync(Parity.recent_prices)
    plan_prompt = _sync(Parity.plan_prompt)
    placement = _sync(Parity.placement)
    send = _sync(Parity.send)
    submit_plan = _sync(Parity.submit_plan)
    submit_prompt = _sync(Parity.submit_prompt)
    wait = _sync(Parity.wait)
    answer = _sync(Parity.answer)
    result = _sync(Parity.result)
    progress = _sync(Parity.progress)
    record = _sync(Parity.record)
    transactions = _sync(Parity.transactions)
    settlement = _sync(Parity.settlement)
    explain = _sync(Parity.explain)
    advance = _sync(Parity.advance)
    cancel = _sync(Parity.cancel)
    task = _sync(Parity.task)
    prompts = _sync(Parity.prompts)
    runners = _sync(Parity.runners)
    health = _sync(Parity.health)
    billing = _sync(Parity.billing)


async def _entered(step: Any) -> Any:
    return await step
