"""Typed data to sign, with every value filled in that the chain knows, so that any wallet can be a client."""

import asyncio
import secrets
from typing import Any

from pydantic import Field

from api.intents.signed import time_now
from api.rest.models import HashText, Model
from api.rest.requests import OrderIntent, RelayBody
from api.services import Services
from protocol.enums import Mode
from protocol.order import Order
from protocol.typed_data import (
    TypedData,
    authorization_typed_data,
    escrow_domain,
    order_typed_data,
    token_domain,
)
from protocol.typed_data import task_id as id_of

AUTHORIZATION_S = 3600


class OrderToSign(Model):
    """An order and its typed data. Nothing is reserved: sign it, or forget it."""

    task_id: HashText
    order: dict[str, Any] = Field(description="send it back with the signature, as it is")
    typed_data: dict[str, Any] = Field(
        description="for eth_signTypedData_v4, by the client (and by another payer)"
    )
    authorization_typed_data: dict[str, Any] = Field(
        description="for the payer, instead of free funds in the StakeWallet: EIP-3009, good for an hour"
    )


class RelayedOrder(Model):
    """An order on its way to the chain."""

    task_id: HashText = Field(description="poll /api/v1/tasks/{id}")
    transaction_hash: HashText


async def order_intent(services: Services, asked: OrderIntent, _body: None) -> OrderToSign:
    """Fill in domain, parameter version, epoch, deadline and salt."""
    chain = await services.link.chain()
    deployment = chain.deployment
    head, epoch, params_id = await asyncio.gather(
        chain.block_number(),
        chain.call(chain.escrow.functions.clientEpochOf(asked.client)),
        chain.call(chain.escrow.functions.latestParamsId()),
    )
    rules: Any = await chain.call(chain.escrow.functions.paramsOf(params_id))
    longest = rules[4]
    order = Order(
        client=asked.client,
        payer=asked.payer or asked.client,
        reward=int(asked.reward),
        bond=int(asked.bond),
        input_price=int(asked.input_price),
        output_price=int(asked.output_price),
        params_id=params_id,
        replicas=asked.replicas,
        quorum=asked.quorum,
        mode=Mode.QUORUM,
        claim_by=asked.claim_by or head + max(longest // 2, 1),
        retention=asked.retention,
        client_epoch=epoch,
        spec=bytes.fromhex(asked.spec[2:]),
        salt=bytes.fromhex(asked.salt[2:]) if asked.salt else secrets.token_bytes(32),
    )
    domain = escrow_domain(deployment.chain_id, deployment.task_escrow)
    identity = id_of(order, domain)
    authorization = authorization_typed_data(
        payer=order.payer,
        payee=deployment.stake_wallet,
        value=order.reward,
        nonce=identity,
        valid_before=await time_now(chain) + AUTHORIZATION_S,
        domain=token_domain(deployment.chain_id, deployment.usdfc),
    )
    return OrderToSign(
        task_id="0x" + identity.hex(),
        order=order.to_json(),
        typed_data=_for_wallets(order_typed_data(order, domain)),
        authorization_typed_data=_for_wallets(authorization),
    )


async def relay_order(services: Services, _asked: Any, body: RelayBody) -> RelayedOrder:
    """Check an order and send it with this server's gas."""
    sent = await services.relay.submit(body.request())
    return RelayedOrder(task_id="0x" + sent.id.hex(), transaction_hash="0x" + sent.transaction_hash.hex())


def _for_wallets(document: TypedData) -> TypedData:
    """Write amounts as decimal strings: a browser would round a large JSON number, and sign another one."""
    message = {
        name: str(value) if isinstance(value, int) and value >= 2**32 else value
        for name, value in document["message"].items()
    }
    return {**document, "message": message}
