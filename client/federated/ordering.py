"""A session's order: its money, its windows, the one signature that binds them, and the transaction that creates it."""

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.federated.preparing import Prepared
from client.federated.wishes import Terms
from client.foreseen import Foreseen, foresee
from client.money import AUTHORIZATION_S, block_time, transaction
from client.ordering import choose_funding
from client.records import Funding, Transaction
from protocol.chain import Chain
from protocol.enums import PRIVATE_DATA, SECURE_AGGREGATION
from protocol.errors import InputError
from protocol.money import USDFC, format_usdfc
from protocol.sender import Sender
from protocol.session import (
    TIPS_PER_ROUND,
    SessionOrder,
    federated_domain,
    least_budget,
    session_id,
)
from protocol.typed_data import sign_authorization, token_domain

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

DEFAULT_REWARD = USDFC // 10
"""Of each accepted contribution, unless the budget says otherwise: 0.1 USDFC."""
REVEAL_SHARE = 5
"""A phase without training gets a fifth of the time of one with it."""
RETENTION_S = 7 * 86_400
"""How long participants keep what they published, so that the model can still be fetched a week later."""
_WHOLE_BPS = 10_000
_LABEL = "create session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the chain asks of sessions now. `tip` in base units, windows in blocks."""

    params_id: int
    task_params_id: int
    tip: int
    min_window: int
    max_window: int
    max_join_for: int
    fee_bps: int
    miss_bps: int
    max_misses: int
    max_participants: int
    max_replicas: int
    active_runners: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """A session ready to be signed for; nothing is stored or sent yet.

    `network_fee` is the most that the transaction may take of the chain's own coin, in its base units; `None` if it
    cannot be known before signing.
    """

    prepared: Prepared
    order: SessionOrder
    session_id: bytes
    rules: Rules
    funding: Funding
    network_fee: int
    fee_is_estimate: bool


async def read_rules(chain: Chain) -> Rules:
    """Read the parameters in force, and how many runners there are."""
    charter, escrow = chain.charter.functions, chain.escrow.functions
    params_id = await chain.call(charter.latestParamsId())
    task_params_id = await chain.call(escrow.latestParamsId())
    (
        tip, min_window, max_window, max_join_for, _claim_for, _open_for, _maturity, fee_bps, miss_bps, _burn_bps,
        max_misses, _max_attempts, max_participants,
    ) = await chain.call(charter.paramsOf(params_id))  # fmt: skip
    task_params = await chain.call(escrow.paramsOf(task_params_id))
    return Rules(
        params_id=params_id,
        task_params_id=task_params_id,
        tip=tip,
        min_window=min_window,
        max_window=max_window,
        max_join_for=max_join_for,
        fee_bps=fee_bps,
        miss_bps=miss_bps,
        max_misses=max_misses,
        max_participants=max_participants,
        max_replicas=task_params[13],
        active_runners=await chain.call(chain.reputation.functions.activeRunners()),
    )


async def plan_session(
    chain: Chain, prepared: Prepared, terms: Terms, *, creator: str, sender: Sender
) -> SessionPlan:
    """Fill in the order from the chain, and simulate it. `InputError` names the flag, `InsufficientFunds`."""
    rules = await read_rules(chain)
    order = draw_up(
        prepared,
        terms,
        rules,
        creator=creator,
        head=await chain.block_number(),
        block_time_s=chain.network.block_time_s,
    )
    funding = await choose_funding(chain, payer=creator, reward=order.budget)
    if funding is Funding.AUTHORIZATION:
        fee = await foresee(chain, creator, Foreseen.CREATE_SESSION)
    else:
        call = chain.federated.functions.createSession(order.as_tuple())
        fee = (await sender.prepare(call, label=_LABEL)).most_it_costs
    return SessionPlan(
        prepared=prepared,
        order=order,
        session_id=session_id(order, _domain(chain)),
        rules=rules,
        funding=funding,
        network_fee=fee,
        fee_is_estimate=funding is Funding.AUTHORIZATION,
    )


def draw_up(
    prepared: Prepared, terms: Terms, rules: Rules, *, creator: str, head: int, block_time_s: float
) -> SessionOrder:
    """Write the order; `InputError` names the flag that does not fit the chain's rules or the others."""
    config = prepared.config
    rounds, seats = config.training.rounds, _seats(prepared, rules)
    replicas = _replicas(terms, rules)
    reward, aggregation = _rewards(terms, rules, rounds=rounds, seats=seats, replicas=replicas)
    bond = _bond(terms, rules, reward=reward)
    train_for = _window(terms.train_s, rules, block_time_s=block_time_s)
    secure = config.secure_aggregation
    order = SessionOrder(
        creator=creator,
        payer=creator,
        budget=0,
        reward=reward,
        aggregation_reward=aggregation,
        bond=bond,
        aggregation_bond=bond,
        rounds=rounds,
        min_participants=config.training.min_participants,
        max_participants=seats,
        threshold=secure.threshold or 0 if secure else 0,
        replicas=replicas,
        quorum=replicas // 2 + 1,
        flags=(SECURE_AGGREGATION if secure else 0) | (0 if prepared.index else PRIVATE_DATA),
        params_id=rules.params_id,
        task_params_id=rules.task_params_id,
        join_by=head + max(1, min(round(terms.join_s / block_time_s), rules.max_join_for - 1)),
        train_for=train_for,
        reveal_for=max(rules.min_window, train_for // REVEAL_SHARE),
        retention=round(RETENTION_S / block_time_s),
        config=config.digest(),
        salt=secrets.token_bytes(32),
    )
    cost = least_budget(order, tip=rules.tip)
    if terms.budget is not None and cost > terms.budget:
        raise _budget_too_small(terms.budget, cost)
    return _with_budget(order, cost)


def _seats(prepared: Prepared, rules: Rules) -> int:
    seats = prepared.config.partition.participants
    if seats > rules.max_participants:
        raise InputError(
            f"--max-participants: {seats}; the chain allows {rules.max_participants}",
            field="--max-participants",
            hint="Ask for fewer participants.",
        )
    return seats


def _replicas(terms: Terms, rules: Rules) -> int:
    """Three aggregators, of whom two must agree, where there are so many runners; else one."""
    wanted = terms.aggregators
    if wanted is None:
        return min(3, rules.max_replicas) if rules.active_runners >= 3 else 1
    if not 1 <= wanted <= rules.max_replicas:
        raise InputError(
            f"--aggregators: {wanted} is not possible",
            field="--aggregators",
            hint=f"Choose 1 to {rules.max_replicas}.",
        )
    return wanted


def _rewards(terms: Terms, rules: Rules, *, rounds: int, seats: int, replicas: int) -> tuple[int, int]:
    """Return what a contribution and what a round's aggregation earn. A budget alone is divided evenly among both."""
    reward = terms.reward
    if reward is None and terms.budget is not None:
        reward = (terms.budget // rounds - TIPS_PER_ROUND * rules.tip) // (seats + replicas)
        if reward < 1:
            tips = TIPS_PER_ROUND * rules.tip * rounds
            raise InputError(
                f"--budget: {format_usdfc(terms.budget)} USDFC leaves nothing for {seats} participants in {rounds} rounds",
                field="--budget",
                hint=f"{format_usdfc(tips)} USDFC of it is set aside for tips and comes back unused; use more, "
                "or ask for fewer rounds.",
            )
    if reward is None:
        reward = DEFAULT_REWARD
    if reward < 1:
        raise InputError(
            "--reward: nothing would be paid", field="--reward", hint="Use an amount above zero."
        )
    return reward, reward * replicas


def _bond(terms: Terms, rules: Rules, *, reward: int) -> int:
    """Ask participants to stake what a few rounds earn, and enough that silence costs more than a tip brings."""
    least = least_bond(rules)
    if terms.bond is not None and terms.bond < least:
        raise InputError(
            f"--bond: {format_usdfc(terms.bond)} USDFC is too little to keep participants at work",
            field="--bond",
            hint=f"Use at least {format_usdfc(least)} USDFC.",
        )
    return max(least, 2 * reward) if terms.bond is None else terms.bond


def least_bond(rules: Rules) -> int:
    """Return the bond of which even the last silence takes a tip: where earlier ones leave less than a whole slash, that."""
    left = _WHOLE_BPS - rules.miss_bps * (rules.max_misses - 1)
    taken = min(rules.miss_bps, left)
    if taken <= 0:
        return 1
    rounding = rules.max_misses if left < rules.miss_bps else 0
    return -(-(rules.tip + rounding) * _WHOLE_BPS // taken)


def _window(seconds: float, rules: Rules, *, block_time_s: float) -> int:
    blocks = round(seconds / block_time_s)
    if blocks > rules.max_window:
        most = rules.max_window * block_time_s
        raise InputError(
            f"--round-time: {seconds:g} seconds is longer than the chain allows",
            field="--round-time",
            hint=f"Use at most {most:g} seconds.",
        )
    return max(rules.min_window, blocks)


def _with_budget(order: SessionOrder, budget: int) -> SessionOrder:
    return SessionOrder.from_json({**order.to_json(), "budget": str(budget)})


def _budget_too_small(budget: int, cost: int) -> InputError:
    return InputError(
        f"--budget: {format_usdfc(budget)} USDFC does not cover the {format_usdfc(cost)} USDFC that the session may cost",
        field="--budget",
        hint="Raise it, or lower --reward, --total-rounds or --max-participants.",
    )


def _domain(chain: Chain) -> Any:
    return federated_domain(chain.deployment.chain_id, chain.deployment.federated_learning)


async def send(chain: Chain, plan: SessionPlan, *, account: "LocalAccount", sender: Sender) -> Transaction:
    """Send the order; what the free balance lacks is paid by one signed authorization that pays nothing else."""
    functions, order = chain.federated.functions, plan.order
    if plan.funding is Funding.FREE_BALANCE:
        return transaction(await sender.send(functions.createSession(order.as_tuple()), label=_LABEL), _LABEL)
    deployment = chain.deployment
    authorization = sign_authorization(
        account,
        payee=deployment.stake_wallet,
        value=order.budget,
        nonce=plan.session_id,
        valid_before=await block_time(chain) + AUTHORIZATION_S,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
    call = functions.createSessionWithAuthorization(order.as_tuple(), b"", authorization.as_tuple())
    return transaction(await sender.send(call, label=_LABEL), _LABEL)
