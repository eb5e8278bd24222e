"""From a prompt to an order: its spec, its terms, where its money comes from, and the one signature that binds it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from client.api import ApiClient
from client.auditing import AuditTerms, read_terms
from client.money import AUTHORIZATION_S, block_time
from client.pricing import estimate_tokens
from client.records import Estimate, Funding, Offer, Route
from protocol.chain import Chain
from protocol.documents import LlmOptions, LlmSpec, input_error
from protocol.enums import Mode
from protocol.errors import ApiError, InputError, InsufficientFunds
from protocol.money import format_usdfc
from protocol.order import Order
from protocol.typed_data import (
    Authorization,
    escrow_domain,
    sign_authorization,
    task_id,
    token_domain,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract.async_contract import AsyncContractFunction

RETENTION_S = 86_400
"""How long after settlement runners keep the result pinned: a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """An order ready to be signed for: nothing is sent or stored yet. `bond` of the order is a runner's, not yours.

    `network_fee` is the most the transaction may take of the chain's own coin, in its base units, and 0 where a relay pays
    it; about that much where `fee_is_estimate`, since only a signed authorization can be simulated. `audit` has the rules
    of an audited order.
    """

    order: Order
    task_id: bytes
    funding: Funding
    route: Route
    network_fee: int
    fee_is_estimate: bool
    audit: AuditTerms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Placement):
    """A prompt's order, with its spec and what it should cost."""

    spec: LlmSpec
    estimate: Estimate


def spec_for(prompt: str, *, offers: Sequence[Offer], max_tokens: int, client_id: str | None) -> LlmSpec:
    """Write the spec of a prompt, with room for it and its answer; `InputError` names what is wrong.

    `offers` are those of one model, at least one.
    """
    if not prompt.strip():
        raise InputError("prompt: empty", field="prompt", hint="Enter the question after --prompt.")
    longest = max(offer.context for offer in offers)
    try:
        draft = LlmSpec(
            model=offers[0].reference,
            prompt=prompt,
            options=LlmOptions(num_predict=max_tokens),
            client_id=client_id,
        )
    except ValidationError as error:
        raise input_error(error) from error
    context = _context_for(draft, longest=longest)
    return draft.model_copy(update={"options": LlmOptions(num_ctx=context, num_predict=max_tokens)})


def _context_for(spec: LlmSpec, *, longest: int) -> int:
    input_tokens, output_tokens = estimate_tokens(spec)
    context = spec.options.num_ctx
    while context < min(input_tokens + output_tokens, longest):
        context *= 2
    context = min(context, longest)
    if input_tokens + output_tokens > context:
        raise InputError(
            f"prompt: about {input_tokens:,} tokens and {output_tokens:,} for the answer; the model has room for {longest:,}",
            field="prompt",
            hint="Shorten the prompt, ask for fewer tokens (--max-tokens), or choose a model with a longer context.",
        )
    return context


async def draw_up(
    chain: Chain,
    *,
    client: str,
    spec_digest: bytes,
    prices: tuple[int, int],
    reward: int,
    bond: int,
    quorum: int,
    replicas: int,
    mode: Mode = Mode.QUORUM,
) -> Order:
    """Fill in an order from the chain: rules in force, epoch, and as long to be claimed as the rules allow.

    `prices` are base units per 1,000 tokens in and out; two of 0 mean that each seat earns its share of the reward. An
    audited order gets as large a bond as the AuditCourt asks for its reward, at least.
    """
    head = await chain.block_number()
    params_id = await chain.call(chain.escrow.functions.latestParamsId())
    params = await chain.call(chain.escrow.functions.paramsOf(params_id))
    max_claim_for, max_replicas = params[4], params[13]
    _check_seats(replicas=replicas, quorum=quorum, most=max_replicas)
    if mode is Mode.AUDITED:
        _check_alone(replicas)
        bond = max(bond, (await read_terms(chain, params_id)).least_bond(reward))
    return Order(
        client=client,
        payer=client,
        reward=reward,
        bond=bond,
        input_price=prices[0],
        output_price=prices[1],
        params_id=params_id,
        replicas=replicas,
        quorum=quorum,
        mode=mode,
        claim_by=head + max_claim_for,
        retention=round(RETENTION_S / chain.network.block_time_s),
        client_epoch=await chain.call(chain.escrow.functions.clientEpochOf(client)),
        spec=spec_digest,
        salt=secrets.token_bytes(32),
    )


def _check_alone(replicas: int) -> None:
    if replicas != 1:
        raise InputError(
            f"replicas: a panel judges one answer, not {replicas}",
            field="replicas",
            hint="Leave --replicas out, or compare answers: --mode quorum.",
        )


def _check_seats(*, replicas: int, quorum: int, most: int) -> None:
    if not 1 <= replicas <= most:
        raise InputError(
            f"replicas: {replicas} is not possible", field="replicas", hint=f"Choose 1 to {most} replicas."
        )
    least = replicas // 2 + 1
    if not least <= quorum <= replicas:
        raise InputError(
            f"quorum: {quorum} of {replicas} is not a majority",
            field="quorum",
            hint=f"With {replicas} replicas choose a quorum from {least} to {replicas}.",
        )


def order_id(chain: Chain, order: Order) -> bytes:
    """Compute an order's task id, 32 bytes."""
    return task_id(order, escrow_domain(chain.deployment.chain_id, chain.deployment.task_escrow))


async def choose_funding(chain: Chain, *, payer: str, reward: int) -> Funding:
    """Choose where the reward comes from: what is deposited first, else tokens in the account. `InsufficientFunds`."""
    free, _ = await chain.call(chain.wallet.functions.accountOf(payer))
    if free >= reward:
        return Funding.FREE_BALANCE
    tokens = await chain.call(chain.token.functions.balanceOf(payer))
    if tokens >= reward:
        return Funding.AUTHORIZATION
    have = f"{format_usdfc(free)} USDFC is free in the wallet and {format_usdfc(tokens)} USDFC in the account"
    if free + tokens >= reward:
        hint = f"Together it suffices: parity-client deposit --amount {format_usdfc(reward - free)}"
    else:
        hint = f"Add {format_usdfc(reward - free - tokens)} USDFC, or lower --max-price."
        hint += " On a local chain: parity-client faucet." if chain.deployment.local else ""
    raise InsufficientFunds(f"the order would escrow {format_usdfc(reward)} USDFC; only {have}", hint=hint)


async def choose_route(
    chain: Chain, *, payer: str, via: Literal["auto", "wallet", "relay"], api: ApiClient
) -> Route:
    """Choose who sends: the account itself if it can pay network fees, else the API server if it answers."""
    if via != "auto":
        return Route(via)
    if await chain.w3.eth.get_balance(chain.w3.to_checksum_address(payer)) > 0:
        return Route.WALLET
    try:
        alive = (await api.health()).alive
    except ApiError:
        alive = False
    return Route.RELAY if alive else Route.WALLET


def submit_call(chain: Chain, order: Order) -> "AsyncContractFunction":
    """Return the call that submits an order from its client's free balance."""
    return chain.escrow.functions.submit(order.as_tuple())


async def authorize(chain: Chain, order: Order, *, account: "LocalAccount") -> Authorization:
    """Sign the one EIP-3009 authorization that pays an order: its nonce is the task id, so it pays nothing else."""
    deployment = chain.deployment
    return sign_authorization(
        account,
        payee=deployment.stake_wallet,
        value=order.reward,
        nonce=order_id(chain, order),
        valid_before=await block_time(chain) + AUTHORIZATION_S,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
