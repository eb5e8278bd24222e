"""Intents of every kind through GraphQL: what to sign, and relaying it. The same code as `/api/v1/intents`."""

from enum import Enum

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from api.fields import bytes_of, checked
from api.graphql.mutation_inputs import DomainInput
from api.graphql.operation import Info
from api.graphql.scalars import Bytes, Bytes32, write_address, write_hex
from api.intents.kinds import BY_NAME
from api.transactions import send_raw


@strawberry.enum(description="Kind of intent; an order has a mutation of its own, `relay`.")
class IntentKind(Enum):
    DEPOSIT = "deposit"
    REGISTRATION = "registration"
    ACTION = "action"
    CHANNEL = "channel"
    VOUCHER = "voucher"
    BALLOT = "ballot"
    DELEGATION = "delegation"
    SESSION = "session"


@strawberry.type(description="An intent and its typed data. Nothing is reserved: sign it, or forget it.")
class IntentToSign:
    id: Bytes32 = strawberry.field(
        description="Digest of what is signed; the same digest is the same intent."
    )
    intent: JSON = strawberry.field(description="Send it back with the signature, as it is.")
    typed_data: JSON = strawberry.field(description="For eth_signTypedData_v4.")


@strawberry.input(description="An intent as it was given out, and what was signed.")
class SignedIntentInput:
    kind: IntentKind
    intent: JSON
    signature: Bytes
    node_signature: Bytes | None = strawberry.field(
        default=UNSET, description="Of a registration: the node key's signature of the same."
    )
    payer_signature: Bytes | None = strawberry.field(
        default=UNSET,
        description="Of a session that another account pays for: the payer's signature of the same.",
    )
    domain: DomainInput | None = UNSET


@strawberry.type(description="An intent on its way to the chain.")
class SentIntent:
    id: Bytes32
    transaction_hash: Bytes32


@strawberry.type
class IntentQuery:
    @strawberry.field(
        description="Typed data, ready to sign. `parameters` are those of GET /api/v1/intents/{kind}."
    )
    async def intent(self, info: Info, kind: IntentKind, parameters: JSON) -> IntentToSign:
        chosen = BY_NAME[kind.value]
        asked = checked(chosen.asked, parameters, place="parameters")
        chain = await info.context.services.link.chain()
        made = (await chosen.prepare(chain, asked)).to_sign(chain.deployment)
        return IntentToSign(
            id=Bytes32(bytes_of(made["id"])), intent=JSON(made["intent"]), typed_data=JSON(made["typed_data"])
        )


@strawberry.type
class IntentMutation:
    @strawberry.mutation(
        description="Check a signed intent, and send it with this server's gas. Nothing is sent unless it would succeed."
    )
    async def relay_intent(self, info: Info, input: SignedIntentInput) -> SentIntent:  # noqa: A002  # GraphQL name
        body: dict[str, object] = {"intent": input.intent, "signature": write_hex(input.signature)}
        if input.node_signature:
            body["nodeSignature"] = write_hex(input.node_signature)
        if input.payer_signature:
            body["payerSignature"] = write_hex(input.payer_signature)
        if input.domain:
            body["domain"] = {
                "chainId": input.domain.chain_id,
                "verifyingContract": write_address(input.domain.verifying_contract),
            }
        signed = checked(BY_NAME[input.kind.value].signed, body, place="input")
        sent = await info.context.services.relay.submit(signed)
        return SentIntent(id=Bytes32(sent.id), transaction_hash=Bytes32(sent.transaction_hash))

    @strawberry.mutation(
        description="Check a transaction that a wallet signed itself, and pass it on; gives its hash."
    )
    async def send_raw_transaction(self, info: Info, transaction: Bytes) -> Bytes32:
        return Bytes32(await send_raw(info.context.services.link, transaction))
