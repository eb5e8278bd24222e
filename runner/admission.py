"""Whether this runner wants a task at all, decided from what it can check before it claims anything.

Each refusal has a code and a sentence, which `parity-runner status` shows: nobody has to guess why a task is left alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from protocol.documents import CommandLimits, CommandOffer, CommandSpec, LlmSpec, ModelOffer
from protocol.enums import Mode
from protocol.money import format_usdfc
from protocol.order import Order

BYTES_PER_TOKEN = 4
"""Rough length of a token in English text: used to estimate an order's worth, never to bill."""
SPARE_BLOCKS = 4
"""Blocks of a commit window left for storing the result and getting the commitment mined."""


class Cause(StrEnum):
    """Why a task is refused."""

    MODE = "mode"
    PARAMETERS = "parameters"
    CREATOR = "creator"
    SELF_DEALING = "self-dealing"
    PRICE = "price"
    DEADLINE = "deadline"
    BOND = "bond"
    SPEC = "spec"
    MODEL = "model"
    COMMAND = "command"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal. `passing` ones may go away by themselves (stake returns, a model is pulled): the task is looked at again."""

    cause: Cause
    detail: str
    passing: bool = False

    def __str__(self) -> str:
        return f"{self.cause}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the owner asks for. Amounts are USDFC base units; prices are in the model offers.

    `min_reward` is the least that one right seat may earn; an empty `allow` allows every creator; addresses are
    checksummed; `tokens_per_s` is the slowest generation to reckon with, `block_time_s` the chain's.
    """

    owner: str
    min_reward: int
    allow: frozenset[str] = field(default_factory=frozenset)
    deny: frozenset[str] = field(default_factory=frozenset)
    tokens_per_s: float
    block_time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the chain says at the moment: the head block, the order's commit window in blocks, unlocked stake in base units."""

    head_block: int
    commit_for: int
    free_stake: int


def check_order(order: Order, *, terms: Terms, now: Circumstances) -> Refusal | None:
    """Return the first reason not to take an order, from what is on chain alone."""
    return next(_order_refusals(order, terms, now), None)


def check_spec(
    spec: LlmSpec, order: Order, *, offers: Mapping[str, ModelOffer], terms: Terms, now: Circumstances
) -> Refusal | None:
    """Return the first reason not to take an order once its spec is known. `offers` is keyed by `name@sha256:digest`."""
    offer = offers.get(spec.model)
    if offer is None:
        return Refusal(cause=Cause.MODEL, detail=f"{spec.model} is not offered here", passing=True)
    return next(_spec_refusals(spec, order, offer, terms, now), None)


def check_command(
    spec: CommandSpec,
    order: Order,
    *,
    offer: CommandOffer | None,
    most_content: int,
    terms: Terms,
    now: Circumstances,
) -> Refusal | None:
    """Return the first reason not to take a command. `most_content` is bytes of image and inputs together."""
    if offer is None:
        return Refusal(cause=Cause.COMMAND, detail="commands are not taken here")
    if spec.content_bytes > most_content:
        detail = f"{spec.content_bytes:,} bytes to fetch; the most is {most_content:,}"
        return Refusal(cause=Cause.LIMITS, detail=detail)
    return next(_command_refusals(spec, order, offer, terms, now), None)


def worth(spec: LlmSpec, offer: ModelOffer) -> int:
    """Estimate what the longest answer to a spec costs at an offer's prices, in base units."""
    input_tokens = -(-len((spec.prompt + (spec.system or "")).encode()) // BYTES_PER_TOKEN)
    asked = input_tokens * int(offer.input_price) + spec.options.num_predict * int(offer.output_price)
    return -(-asked // 1000)


def _order_refusals(order: Order, terms: Terms, now: Circumstances) -> Iterator[Refusal]:
    if order.client in terms.deny or order.payer in terms.deny:
        yield Refusal(cause=Cause.CREATOR, detail=f"{order.client} is on the deny list")
    if terms.allow and order.client not in terms.allow:
        yield Refusal(cause=Cause.CREATOR, detail=f"{order.client} is not on the allow list")
    if terms.owner in (order.client, order.payer):
        yield Refusal(cause=Cause.SELF_DEALING, detail="the order is by this runner's own owner")
    cap = order.reward // order.replicas
    if cap < terms.min_reward:
        detail = (
            f"a seat earns at most {format_usdfc(cap)} USDFC; the least is {format_usdfc(terms.min_reward)}"
        )
        yield Refusal(cause=Cause.PRICE, detail=detail)
    if now.head_block + 1 > order.claim_by:
        yield Refusal(cause=Cause.DEADLINE, detail=f"claims closed at block {order.claim_by}")
    if now.free_stake < order.bond:
        detail = f"the bond is {format_usdfc(order.bond)} USDFC; {format_usdfc(now.free_stake)} is not locked"
        yield Refusal(cause=Cause.BOND, detail=detail, passing=True)


def _spec_refusals(
    spec: LlmSpec, order: Order, offer: ModelOffer, terms: Terms, now: Circumstances
) -> Iterator[Refusal]:
    options = spec.options
    if options.num_ctx > offer.context:
        yield Refusal(cause=Cause.LIMITS, detail=f"num_ctx {options.num_ctx}; the model has {offer.context}")
    if order.mode is Mode.AUDITED and options.temperature > 0:
        # Auditors look for the committed tokens among the likeliest; sampling leaves those at times.
        yield Refusal(
            cause=Cause.MODE,
            detail=f"temperature {options.temperature:g}; audited answers are greedy (temperature 0)",
        )
    if order.replicas > 1 and not offer.compared:
        yield Refusal(
            cause=Cause.MODE,
            detail=f"{order.replicas} answers are compared byte for byte; RUNNER_COMPARED_PROMPTS is not set",
        )
    metered = order.input_price > 0 or order.output_price > 0
    if metered and (
        order.input_price < int(offer.input_price) or order.output_price < int(offer.output_price)
    ):
        detail = (
            f"pays {format_usdfc(order.input_price)} in and {format_usdfc(order.output_price)} out per 1,000 tokens;"
            f" asked are {format_usdfc(int(offer.input_price))} and {format_usdfc(int(offer.output_price))}"
        )
        yield Refusal(cause=Cause.PRICE, detail=detail)
    cap, asked = order.reward // order.replicas, worth(spec, offer)
    if cap < asked:
        detail = f"a seat earns at most {format_usdfc(cap)} USDFC; the longest answer is worth {format_usdfc(asked)}"
        yield Refusal(cause=Cause.PRICE, detail=detail)
    needed = round(options.num_predict / terms.tokens_per_s / terms.block_time_s) + SPARE_BLOCKS
    if needed > now.commit_for:
        detail = f"the longest answer takes about {needed} blocks; the commit window has {now.commit_for}"
        yield Refusal(cause=Cause.DEADLINE, detail=detail)


def _command_refusals(
    spec: CommandSpec, order: Order, offer: CommandOffer, terms: Terms, now: Circumstances
) -> Iterator[Refusal]:
    if order.mode is Mode.AUDITED:
        yield Refusal(cause=Cause.MODE, detail="commands are compared, not audited")
    if order.replicas > 1 and not spec.deterministic:
        yield Refusal(cause=Cause.MODE, detail="not declared deterministic, so that seats cannot be compared")
    if order.input_price or order.output_price:
        yield Refusal(cause=Cause.PRICE, detail="a command has no tokens to be paid by; use a fixed reward")
    if spec.image is not None and not offer.images:
        yield Refusal(cause=Cause.COMMAND, detail="images are not taken here")
    for name in CommandLimits.model_fields:
        asked, most = getattr(spec.limits, name), getattr(offer.limits, name)
        if asked > most:
            yield Refusal(cause=Cause.LIMITS, detail=f"{name} {asked}; the most is {most}")
    cap, price = order.reward // order.replicas, spec.limits.wall_s * int(offer.price_per_s)
    if cap < price:
        detail = f"a seat earns {format_usdfc(cap)} USDFC; {spec.limits.wall_s} s cost {format_usdfc(price)}"
        yield Refusal(cause=Cause.PRICE, detail=detail)
    needed = round(spec.limits.wall_s / terms.block_time_s) + SPARE_BLOCKS
    if needed > now.commit_for:
        detail = f"{spec.limits.wall_s} s are about {needed} blocks; the commit window has {now.commit_for}"
        yield Refusal(cause=Cause.DEADLINE, detail=detail)
