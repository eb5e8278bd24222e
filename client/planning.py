"""From a question to a plan: what the model's runners ask, who pays and sends, and what the chain takes for it."""

from collections.abc import Sequence
from typing import Literal

from client import ordering
from client.api import ApiClient
from client.auditing import read_terms
from client.foreseen import Foreseen, foresee
from client.offers import of_others, read_market
from client.ordering import Placement
from client.pricing import estimate
from client.records import Estimate, Funding, Offer, Route
from client.signer import Signer
from protocol.chain import Chain
from protocol.content import ContentStore
from protocol.documents import LlmSpec
from protocol.enums import Mode
from protocol.errors import InputError
from protocol.order import Order

Via = Literal["auto", "wallet", "relay"]


async def price_prompt(
    chain: Chain,
    profiles: ContentStore,
    api: ApiClient,
    prompt: str,
    *,
    account: str | None,
    model: str,
    replicas: int,
    max_tokens: int,
    client_id: str | None,
) -> tuple[LlmSpec, Estimate]:
    """Write a prompt's spec and price it by the offers of the runners that could take it from `account`; `InputError`."""
    market = await read_market(chain, profiles, api)
    offers = of_others(market.of(market.resolve(model)), account, field="model")
    spec = ordering.spec_for(prompt, offers=offers, max_tokens=max_tokens, client_id=client_id)
    able = tuple(offer for offer in offers if offer.context >= spec.options.num_ctx)
    if replicas > 1:
        able = _comparing(able, model)
    return spec, estimate(spec, able, replicas=replicas)


def _comparing(offers: Sequence[Offer], model: str) -> tuple[Offer, ...]:
    found = tuple(offer for offer in offers if offer.compared)
    if not found:
        raise InputError(
            f"replicas: no runner of {model} takes prompts whose answers are compared",
            field="replicas",
            hint="Leave --replicas out, or have one answer audited: --mode audited.",
        )
    return found


async def place_order(
    chain: Chain,
    api: ApiClient,
    signer: Signer,
    *,
    order: Order,
    via: Via,
) -> Placement:
    """Settle where an order's money comes from and who sends it; `InsufficientFunds`, `TransactionReverted`."""
    funding = await ordering.choose_funding(chain, payer=order.payer, reward=order.reward)
    route = await ordering.choose_route(chain, payer=order.payer, via=via, api=api)
    by_wallet = route is Route.WALLET
    by_authorization = by_wallet and funding is Funding.AUTHORIZATION
    fee = 0
    if by_authorization:
        fee = await foresee(chain, order.payer, Foreseen.SUBMIT_ORDER)
    elif by_wallet:
        call = ordering.submit_call(chain, order)
        fee = (await signer.sender.prepare(call, label="submit order")).most_it_costs
    return Placement(
        order=order,
        task_id=ordering.order_id(chain, order),
        funding=funding,
        route=route,
        network_fee=fee,
        fee_is_estimate=by_authorization,
        audit=await read_terms(chain, order.params_id) if order.mode is Mode.AUDITED else None,
    )
