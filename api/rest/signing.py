"""A pair of routes for each kind of intent, one for the data to sign and one to relay it, and raw transactions."""

from typing import Any

from pydantic import Field

from api.fields import Body, HexIn, NoParameters, bytes_of
from api.intents.kinds import BY_NAME, KINDS, Kind
from api.rest.endpoint import Endpoint, Handler
from api.rest.models import HashText, Model
from api.services import Services
from api.transactions import send_raw

PREPARE_PROBLEMS = (400, 422, 503)
RELAY_PROBLEMS = (400, 402, 409, 413, 422, 429, 503, 504)


class IntentToSign(Model):
    """An intent and its typed data. Nothing is reserved: sign it, or forget it."""

    id: HashText = Field(description="digest of what is signed; the same digest is the same intent")
    intent: dict[str, Any] = Field(description="send it back with the signature, as it is")
    typed_data: dict[str, Any] = Field(description="for eth_signTypedData_v4")


class Relayed(Model):
    """An intent on its way to the chain."""

    id: HashText
    transaction_hash: HashText


class RawBody(Body):
    """A transaction that a wallet signed itself; its sender pays the network fee."""

    transaction: HexIn = Field(
        description="of type 1 or 2, calling a contract of this network", max_length=2**18
    )


class Passed(Model):
    """A transaction on its way."""

    transaction_hash: HashText


async def send_raw_transaction(services: Services, _asked: NoParameters, body: RawBody) -> Passed:
    """Check a signed transaction and pass it on."""
    sent = await send_raw(services.link, bytes_of(body.transaction))
    return Passed(transaction_hash="0x" + sent.hex())


def _preparing(kind: Kind) -> Handler:
    async def prepare(services: Services, asked: Any, _body: None) -> IntentToSign:
        chain = await services.link.chain()
        intent = await kind.prepare(chain, asked)
        return IntentToSign(**intent.to_sign(chain.deployment))

    prepare.__name__ = f"prepare_{kind.name}"
    return prepare


def _relaying(kind: Kind) -> Handler:
    async def relay(services: Services, _asked: NoParameters, body: Any) -> Relayed:
        sent = await services.relay.submit(body)
        return Relayed(id="0x" + sent.id.hex(), transaction_hash="0x" + sent.transaction_hash.hex())

    relay.__name__ = f"relay_{kind.name}"
    return relay


ENDPOINTS: tuple[Endpoint, ...] = (
    *(
        endpoint
        for kind in KINDS
        for endpoint in (
            Endpoint(
                method="GET",
                path=f"/api/v1/intents/{kind.name}",
                summary=f"Typed data, ready to sign: {kind.about}",
                handle=_preparing(kind),
                answer=IntentToSign,
                parameters=kind.asked,
                problems=PREPARE_PROBLEMS,
            ),
            Endpoint(
                method="POST",
                path=f"/api/v1/intents/{kind.name}",
                summary=f"Relay, signed: {kind.about}",
                handle=_relaying(kind),
                answer=Relayed,
                parameters=NoParameters,
                body=kind.signed,
                status=202,
                problems=RELAY_PROBLEMS,
            ),
        )
    ),
    Endpoint(
        method="POST",
        path="/api/v1/runners/register",
        operation_id="register_runner",
        summary="Relay a runner's registration; the same as POST /api/v1/intents/registration",
        handle=_relaying(BY_NAME["registration"]),
        answer=Relayed,
        parameters=NoParameters,
        body=BY_NAME["registration"].signed,
        status=202,
        problems=RELAY_PROBLEMS,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/federated-learning/sessions",
        operation_id="create_session",
        summary="Relay a signed learning session; the same as POST /api/v1/intents/session",
        handle=_relaying(BY_NAME["session"]),
        answer=Relayed,
        parameters=NoParameters,
        body=BY_NAME["session"].signed,
        status=202,
        problems=RELAY_PROBLEMS,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/transactions",
        summary="Pass on a transaction that a wallet signed itself",
        handle=send_raw_transaction,
        answer=Passed,
        parameters=NoParameters,
        body=RawBody,
        status=202,
        problems=RELAY_PROBLEMS,
    ),
)
