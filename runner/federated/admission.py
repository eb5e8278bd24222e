"""Whether this runner wants a learning session, decided from order and configuration before anything is promised."""

from collections.abc import Iterator
from decimal import Decimal

from learning.session_config import SessionConfig
from protocol.enums import PRIVATE_DATA
from protocol.money import format_usdfc
from protocol.session import SessionOrder
from runner.admission import Terms
from runner.federated.showing import audits

_LONGEST_SEGMENT = 10
_LEAST_TOLERANCE = Decimal("0.001")
"""How far honest processors are apart was measured over so many steps: by a third of this at most."""
_LEAST_NORM_CAP = Decimal(100)
"""Honest updates are many times shorter. Below, a session could have all work done, published, and refused for its length."""
ROOM = 0.5
"""The part of the time for training that it may take: the rest is for a slower hour, and for being heard in time."""


def refusal(order: SessionOrder, config: SessionConfig, *, terms: Terms, has_data: bool) -> str | None:
    """Return the first reason not to join, or none. `has_data` says whether the owner gave a file for this session."""
    return next(_refusals(order, config, terms, has_data), None)


def too_slow(seconds: float, *, window_s: float, others: int) -> str | None:
    """Return whether a round's training, at so many seconds, would be late beside `others` sessions' that were joined."""
    needed = seconds * (1 + others)
    if needed <= window_s * ROOM:
        return None
    beside = f" and {others} other sessions' as much" if others else ""
    return f"time: a round's training takes about {seconds:.0f} s here{beside}; {window_s:.0f} s are given"


def _refusals(order: SessionOrder, config: SessionConfig, terms: Terms, has_data: bool) -> Iterator[str]:
    yield from _by_order(order, terms)
    yield from _by_both(order, config)
    yield from _by_config(config)
    if not config.dataset.cid and not has_data:
        yield "it wants data of the participant's own; RUNNER_PRIVATE_DATA names none for it"


def _by_order(order: SessionOrder, terms: Terms) -> Iterator[str]:
    parties = {order.creator, order.payer}
    if parties & terms.deny:
        yield f"creator: {order.creator} is on the deny list"
    if terms.allow and order.creator not in terms.allow:
        yield f"creator: {order.creator} is not on the allow list"
    if terms.owner in parties:
        yield "self-dealing: the session is by this runner's own owner"
    if order.reward < terms.min_reward:
        least = format_usdfc(terms.min_reward)
        yield f"price: a contribution earns {format_usdfc(order.reward)} USDFC; the least is {least}"


def _by_both(order: SessionOrder, config: SessionConfig) -> Iterator[str]:
    training, secure = config.training, config.secure_aggregation
    if training.rounds != order.rounds:
        yield f"config: training.rounds is {training.rounds}, the order's {order.rounds}"
    if training.min_participants > order.min_participants:
        yield f"config: training.min_participants is above the order's {order.min_participants}"
    if config.partition.participants != order.max_participants:
        yield f"config: partition.participants is not the order's {order.max_participants}"
    if bool(secure) != order.secure:
        yield "config: secure_aggregation and the order's flag contradict each other"
    if secure and secure.threshold not in (None, order.threshold):
        yield f"config: secure_aggregation.threshold is not the order's {order.threshold}"
    if bool(order.flags & PRIVATE_DATA) == bool(config.dataset.cid):
        yield "config: dataset.cid and the order's flag for private data contradict each other"


def _by_config(config: SessionConfig) -> Iterator[str]:
    checks = config.verification
    if audits(config) and config.training.segment_steps > _LONGEST_SEGMENT:
        yield (
            f"config: training.segment_steps is {config.training.segment_steps}; in more than {_LONGEST_SEGMENT} steps honest "
            "work on other processors drifts too far apart to be told from a cheat's"
        )
    if audits(config) and checks.tolerance < _LEAST_TOLERANCE:
        yield f"config: verification.tolerance below {_LEAST_TOLERANCE} takes honest work on other processors for a cheat's"
    if not config.secure_aggregation and checks.norm_cap < _LEAST_NORM_CAP:
        yield (
            f"config: verification.norm_cap below {_LEAST_NORM_CAP} could refuse honest work for its length, unpaid"
        )
    if config.privacy and config.privacy.placement == "central":
        yield (
            "config: privacy.placement central hides nothing here, where everybody can read the updates; "
            "it takes distributed, with secure_aggregation"
        )
    if config.dataset.cid and not (config.partition.root and config.partition.index):
        yield "config: partition.root and partition.index do not say who trains on what"
    if not config.dataset.evaluation_cid and not (config.dataset.cid and config.dataset.evaluation_share):
        yield "config: it names no samples to evaluate on"
