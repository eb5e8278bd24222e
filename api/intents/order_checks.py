"""Checks of an order before it is simulated, each with its own message."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.intents.signatures import SignedDomain, check_domain, check_signature, signer_of
from api.rejections import (
    BadSignature,
    Expired,
    InsufficientFunds,
    NotYetValid,
    Replayed,
    Revoked,
    UnknownParams,
)
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import TaskStatus
from protocol.money import format_usdfc
from protocol.order import Order
from protocol.typed_data import (
    Authorization,
    TypedData,
    authorization_typed_data,
    escrow_domain,
    order_typed_data,
    task_id,
    token_domain,
)

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRequest:
    """An order and what was signed for it; a signature that is not needed is empty."""

    order: Order
    client_signature: bytes = b""
    payer_signature: bytes = b""
    authorization: Authorization | None = None
    domain: SignedDomain | None = None

    @property
    def kind(self) -> str:
        """Return its name."""
        return "order"

    @property
    def account(self) -> str:
        """Return whose share of the relayer's gas it uses."""
        return self.order.client

    def identity(self, deployment: Deployment) -> bytes:
        """Return the task's id."""
        return task_id(self.order, escrow_domain(deployment.chain_id, deployment.task_escrow))

    async def check(self, chain: Chain) -> None:
        """Raise the first reason against the order that can be told before a simulation."""
        check_domain(self.domain, chain.deployment, contract=chain.deployment.task_escrow, what="order")
        await check_order(chain, self, self.identity(chain.deployment))

    def call(self, chain: Chain) -> "AsyncContractFunction":
        """Return the contract call that submits the order."""
        return submission(chain, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the chain says at its head. `funds` is what may pay the reward, base units; `time` Unix seconds."""

    head: int
    time: int
    status: TaskStatus
    epoch: int
    latest_params: int
    funds: int
    contracts: frozenset[str]


async def check_order(chain: Chain, request: RelayRequest, identity: bytes) -> None:
    """Check all that can be told apart before a simulation; raises the first reason found against the order."""
    order = request.order
    facts = await _facts(chain, request, identity)
    if facts.status is not TaskStatus.NONE:
        raise Replayed(
            f"task 0x{identity.hex()} exists already, and is {facts.status.name.lower()}",
            hint="Read it by its id. To ask for the same work again, sign an order with another salt.",
            more={"taskId": "0x" + identity.hex()},
        )
    if not 1 <= order.params_id <= facts.latest_params:
        raise UnknownParams(
            f"there is no parameter version {order.params_id}; the newest is {facts.latest_params}",
            field="order.paramsId",
            hint="Take paramsId from GET /api/v1/intents/order and sign again.",
        )
    if order.client_epoch != facts.epoch:
        raise Revoked(
            f"the order is of epoch {order.client_epoch}, and {order.client} is at epoch {facts.epoch}",
            field="order.clientEpoch",
            hint="Take clientEpoch from GET /api/v1/intents/order and sign again.",
        )
    # The next block is the earliest that can hold it.
    if order.claim_by <= facts.head:
        raise Expired(
            f"the order could be submitted up to block {order.claim_by}; the chain is at {facts.head}",
            field="order.claimBy",
            hint="Sign again with a later claimBy.",
        )
    _check_signatures(chain, request, facts=facts, identity=identity)
    if facts.funds < order.reward:
        where = "USDFC in its wallet" if request.authorization else "free USDFC in the StakeWallet"
        raise InsufficientFunds(
            f"{order.payer} has {format_usdfc(facts.funds)} {where}; the reward is {format_usdfc(order.reward)}",
            field="order.reward",
            hint="Deposit with `parity-client deposit`, or lower the reward.",
        )


def submission(chain: Chain, request: RelayRequest) -> "AsyncContractFunction":
    """Return the contract call that submits the order."""
    functions: Any = chain.escrow.functions
    order, client_signature = request.order.as_tuple(), request.client_signature
    if request.authorization is None:
        payer_signature = b"" if request.order.payer == request.order.client else request.payer_signature
        call: AsyncContractFunction = functions.submitFor(order, client_signature, payer_signature)
        return call
    if request.order.payer == request.order.client:
        client_signature = b""
    funded: AsyncContractFunction = functions.submitWithAuthorization(
        order, client_signature, request.authorization.as_tuple()
    )
    return funded


async def _facts(chain: Chain, request: RelayRequest, identity: bytes) -> _Facts:
    order = request.order
    escrow: Any = chain.escrow.functions
    funds: Any = (
        chain.token.functions.balanceOf(order.payer)
        if request.authorization
        else chain.wallet.functions.accountOf(order.payer)
    )
    parties = sorted({order.client, order.payer})
    head, status, epoch, latest, balance, *codes = await asyncio.gather(
        chain.w3.eth.get_block("latest"),
        chain.call(escrow.taskOf(identity)),
        chain.call(escrow.clientEpochOf(order.client)),
        chain.call(escrow.latestParamsId()),
        chain.call(funds),
        *(chain.w3.eth.get_code(chain.w3.to_checksum_address(party)) for party in parties),
    )
    return _Facts(
        head=head["number"],
        time=head["timestamp"],
        status=TaskStatus(status[-1]),
        epoch=epoch,
        latest_params=latest,
        funds=balance if request.authorization else balance[0],
        contracts=frozenset(party for party, code in zip(parties, codes, strict=True) if code),
    )


def _check_signatures(chain: Chain, request: RelayRequest, *, facts: _Facts, identity: bytes) -> None:
    order, deployment = request.order, chain.deployment
    same = order.payer == order.client
    document = order_typed_data(order, escrow_domain(deployment.chain_id, deployment.task_escrow))
    if request.authorization is None or not same:
        _check_order_signature(
            request.client_signature, document, signer=order.client, field="clientSignature", facts=facts
        )
    if request.authorization is not None:
        _check_authorization(
            request.authorization, order, deployment=deployment, facts=facts, identity=identity
        )
    elif not same:
        _check_order_signature(
            request.payer_signature, document, signer=order.payer, field="payerSignature", facts=facts
        )


def _check_order_signature(
    signature: bytes, document: TypedData, *, signer: str, field: str, facts: _Facts
) -> None:
    check_signature(
        signature, document, signer=signer, field=field, what="order", by_contract=signer in facts.contracts
    )


def _check_authorization(
    authorization: Authorization, order: Order, *, deployment: Deployment, facts: _Facts, identity: bytes
) -> None:
    if authorization.valid_before <= facts.time:
        raise Expired(
            f"the authorization counted before {authorization.valid_before}; the chain's time is {facts.time}",
            field="authorization.validBefore",
            hint="Sign it again with a later validBefore (Unix seconds).",
        )
    if authorization.valid_after >= facts.time:
        raise NotYetValid(
            f"the authorization counts after {authorization.valid_after}; the chain's time is {facts.time}",
            field="authorization.validAfter",
            hint="Wait, or sign it again with an earlier validAfter (Unix seconds).",
        )
    if order.payer in facts.contracts:
        return  # As for orders: the token asks the wallet contract.
    document = authorization_typed_data(
        payer=order.payer,
        payee=deployment.stake_wallet,
        value=order.reward,
        nonce=identity,
        valid_after=authorization.valid_after,
        valid_before=authorization.valid_before,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
    signature = authorization.r + authorization.s + bytes([authorization.v % 256])
    if signer_of(document, signature) != order.payer:
        raise BadSignature(
            f"the authorization is not {order.payer}'s of this order's reward to the StakeWallet",
            field="authorization",
            hint="Sign value = reward, to = the StakeWallet, nonce = the task id, with the payer's account.",
        )
