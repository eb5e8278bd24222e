"""Who could take a seat of an open task, from when, and what keeps the others from it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from client.api import ApiClient
from client.offers import Market, registered_profiles
from client.pricing import metered
from client.records import Offer
from client.reputation.records import RunnerRecord
from client.reputation.standing import read_runner, standing_reasons
from client.tasks import TaskState
from protocol.chain import Chain
from protocol.documents import LlmSpec
from protocol.enums import RunnerStatus
from protocol.errors import TransactionReverted
from protocol.lottery import opens_at_block, ticket
from protocol.money import format_usdfc

RUNNERS_BYTES_PER_TOKEN = 4
"""What runners reckon with before they take an order."""
_MATURITY = 5
"""Its place in `ITaskEscrow.Params`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of an order decides who can take it. Prices are base units per 1,000 tokens; `spec` is `None` if unread."""

    client: str
    input_price: int
    output_price: int
    seated: frozenset[str]
    spec: LlmSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A registered runner. `rank` (from 0) and `opens_at_block` are its ticket's in the draw in force; `None` before it.

    `obstacles` say what the chain and its profile show against it; whether it is busy or awake, only it knows.
    """

    node: str
    owner: str
    rank: int | None
    opens_at_block: int | None
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    block: int
    seed: int
    active: int
    widening_step: int
    registered_by: int


async def read_candidates(
    chain: Chain, api: ApiClient, market: Market, task_id: bytes, *, state: TaskState, terms: Terms
) -> tuple[Candidate, ...]:
    """Judge every active runner as a candidate for the task, the earliest first."""
    head = await chain.block_number()
    nodes = await registered_profiles(chain, api, head=head)
    records = await asyncio.gather(*(read_runner(chain, node) for node in nodes))
    active = [record for record in records if record.status is RunnerStatus.ACTIVE]
    draw = await _read_draw(chain, task_id, state)
    tickets = _tickets(task_id, active, draw)
    offers = {offer.node: [o for o in market.offers if o.node == offer.node] for offer in market.offers}
    found = [
        _candidate(record, state=state, terms=terms, offers=offers, draw=draw, tickets=tickets)
        for record in active
    ]
    return tuple(sorted(found, key=lambda each: (each.rank is None, each.rank or 0, each.node)))


async def _read_draw(chain: Chain, task_id: bytes, state: TaskState) -> _Draw | None:
    try:
        block, seed = await chain.call(chain.escrow.functions.seedOf(task_id))
    except TransactionReverted:
        return None  # its seed block has not passed
    active, step, params = await asyncio.gather(
        chain.call(chain.reputation.functions.activeRunners()),
        chain.call(chain.escrow.functions.wideningStep()),
        chain.call(chain.escrow.functions.paramsOf(state.params_id)),
    )
    return _Draw(
        block=block,
        seed=seed,
        active=active,
        widening_step=step,
        registered_by=max(block - params[_MATURITY], 0),
    )


def _tickets(
    task_id: bytes, active: Sequence[RunnerRecord], draw: _Draw | None
) -> dict[str, tuple[int, int]]:
    """Map each node to its rank and ticket."""
    if draw is None:
        return {}
    drawn = sorted((ticket(draw.seed, task_id, record.node), record.node) for record in active)
    return {node: (rank, number) for rank, (number, node) in enumerate(drawn)}


def _candidate(
    record: RunnerRecord,
    *,
    state: TaskState,
    terms: Terms,
    offers: Mapping[str, list[Offer]],
    draw: _Draw | None,
    tickets: Mapping[str, tuple[int, int]],
) -> Candidate:
    obstacles = [*standing_reasons(record), *_order_obstacles(record, state, terms)]
    obstacles += _offer_obstacles(
        offers.get(record.node, []), terms, cap=state.reward // state.replicas, replicas=state.replicas
    )
    if draw is not None and record.registered_block > draw.registered_by:
        obstacles.append(f"registered in block {record.registered_block}, too late for this draw")
    rank, opens = None, None
    if draw is not None:
        rank, number = tickets[record.node]
        opens = opens_at_block(
            number,
            active=draw.active,
            replicas=state.replicas,
            seed_block=state.seed_block,
            widening_step=draw.widening_step,
        )
    return Candidate(
        node=record.node, owner=record.owner, rank=rank, opens_at_block=opens, obstacles=tuple(obstacles)
    )


def _order_obstacles(record: RunnerRecord, state: TaskState, terms: Terms) -> list[str]:
    found = []
    if {record.node, record.owner} & {terms.client, state.payer}:
        found.append("belongs to the account that ordered or pays")
    if record.owner in terms.seated:
        found.append("its owner has a seat already")
    free = record.bonded - record.locked
    if free < state.bond:
        found.append(
            f"its owner has {format_usdfc(free)} USDFC of stake free, and a seat takes {format_usdfc(state.bond)}"
        )
    return found


def _offer_obstacles(offers: Sequence[Offer], terms: Terms, *, cap: int, replicas: int) -> list[str]:
    if not offers:
        return ["offers no model, or its profile cannot be read"]
    if terms.spec is None:
        return []
    offer = next((offer for offer in offers if offer.reference == terms.spec.model), None)
    if offer is None:
        return ["does not offer this model"]
    found = []
    if replicas > 1 and not offer.compared:
        found.append("takes no prompts whose answers are compared (RUNNER_COMPARED_PROMPTS)")
    if offer.context < terms.spec.options.num_ctx:
        found.append(f"has room for {offer.context:,} tokens, and {terms.spec.options.num_ctx:,} are asked")
    metered = terms.input_price or terms.output_price
    if metered and (offer.input_price > terms.input_price or offer.output_price > terms.output_price):
        found.append(
            f"asks {format_usdfc(offer.input_price)} USDFC in and {format_usdfc(offer.output_price)} out per 1,000 tokens"
        )
    worth = _longest_answer(offer, terms.spec)
    if worth > cap:
        found.append(
            f"the longest answer is worth {format_usdfc(worth)} USDFC to it, and a seat earns {format_usdfc(cap)} at most"
        )
    return found


def _longest_answer(offer: Offer, spec: LlmSpec) -> int:
    """Estimate what the longest answer is worth at an offer's prices, in base units, as runners do before they claim."""
    size = len(spec.prompt.encode()) + len((spec.system or "").encode())
    return metered(
        -(-size // RUNNERS_BYTES_PER_TOKEN),
        spec.options.num_predict,
        input_price=offer.input_price,
        output_price=offer.output_price,
    )
