"""Sessions, and the endpoints that need one: heartbeats and webhooks of runners."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import Field

from api.fields import AddressIn, Body, HexIn, NoParameters, Parameters
from api.graphql.scalars import read_address, write_address
from api.hints import EVENTS
from api.outbound import MAX_URL, resolve
from api.queries import runners
from api.rejections import NotFound, NotYours, Refusal
from api.rest.endpoint import Caller, Endpoint
from api.rest.models import AddressText, Model
from api.services import Services
from api.shared import heartbeats, sessions, webhooks
from api.sign_in import message_for, require_own_domain, sign_in

_SIGN_IN = (400, 413, 422, 429, 503)
_PERSONAL = (400, 401, 403, 404, 413, 422, 429, 503)

EventName = Literal[EVENTS]  # type: ignore[valid-type]  # of the tuple


class TooManyWebhooks(Refusal):
    """The address has as many webhooks as it may."""

    slug = "too-many-webhooks"
    title = "Too many webhooks"
    status = 422


class WhoSignsIn(Parameters):
    """Whose message."""

    address: AddressIn


class Message(Model):
    """A text to sign with personal_sign; it counts once, for ten minutes."""

    message: str


class SignedMessage(Body):
    """The text and its signature."""

    message: str = Field(max_length=4096)
    signature: HexIn


class Session(Model):
    """A session: send `Authorization: Bearer <token>`."""

    token: str
    address: AddressText
    expires_at: datetime


class Done(Model):
    """The request was carried out."""

    done: bool = True


class HeartbeatBody(Body):
    """A runner's heartbeat."""

    node: AddressIn
    version: str = Field(max_length=100)
    slots: int = Field(ge=0, le=10_000, description="prompts that the runner can take at a time")
    busy: int = Field(ge=0, le=10_000, description="prompts that the runner is working on")
    url: str | None = Field(
        None, max_length=MAX_URL, description="address at which clients reach the runner, if they can"
    )


class HeartbeatKept(Model):
    """When it was received."""

    node: AddressText
    received_at: datetime


class WebhookBody(Body):
    """Where to send, and what of."""

    url: str = Field(max_length=MAX_URL)
    events: list[EventName] = Field(
        list(EVENTS),
        min_length=1,
        max_length=len(EVENTS),
        description="TaskSubmitted is sent for every task, the other events only for tasks in which the address takes part",
    )


class Webhook(Model):
    """A registered webhook."""

    id: uuid.UUID = Field(validation_alias="webhook_id")
    url: str
    events: list[str]
    created_at: datetime
    disabled_at: datetime | None = Field(
        description="since when nothing is sent any more, after many failures"
    )
    waiting: int = Field(0, description="deliveries that were not taken yet")


class NewWebhook(Webhook):
    """A webhook and its secret, which is shown this once."""

    secret: str = Field(description="hex; key of the HMAC-SHA256 in the header Parity-Signature")


class Webhooks(Model):
    """The address's webhooks, newest first."""

    webhooks: list[Webhook]


class WhichWebhook(Parameters):
    """One webhook."""

    id: uuid.UUID


async def sign_in_message(services: Services, asked: WhoSignsIn, _body: None, caller: Caller) -> Message:
    """Write the text to sign."""
    text = await message_for(
        services.shared,
        asked.address,
        domain=require_own_domain(caller.host, services.settings.server_domains),
        chain_id=services.link.deployment.chain_id,
        scheme=caller.scheme,
    )
    return Message(message=text)


async def open_session(
    services: Services, _asked: NoParameters, body: SignedMessage, caller: Caller
) -> Session:
    """Check the signed text and open a session."""
    address, opened = await sign_in(
        services.shared,
        services.link,
        text=body.message,
        signature=body.signature,
        domain=require_own_domain(caller.host, services.settings.server_domains),
        lasts_s=services.settings.session_s,
    )
    return Session(token=opened.token, address=address, expires_at=opened.expires_at)


async def close_session(services: Services, _asked: NoParameters, _body: None, caller: Caller) -> Done:
    """End the session that the request carries."""
    await sessions.close_session(services.shared, caller.token or "")
    return Done()


async def heartbeat(
    services: Services, _asked: NoParameters, body: HeartbeatBody, caller: Caller
) -> HeartbeatKept:
    """Record a runner's heartbeat; only its node key or its owner may send one."""
    node = read_address(body.node)
    async with services.database.reading() as snapshot:
        found = await snapshot.fetch(runners.by_nodes(snapshot.tables), [node])
    if not found:
        raise NotFound(
            f"no runner has the node key {body.node}",
            field="node",
            hint="Stake USDFC and register it first: `parity-runner register`.",
        )
    if caller.address not in (node, found[0]["owner"]):
        raise NotYours(
            f"the session is {write_address(caller.signed_in())}'s, neither the runner's node nor its owner",
            field="node",
            hint="Sign in with the runner's node key, or its owner's.",
        )
    kept = await heartbeats.record(
        services.shared, node, version=body.version, slots=body.slots, busy=body.busy, url=body.url
    )
    return HeartbeatKept(node=kept["node"], received_at=kept["received_at"])


async def add_webhook(
    services: Services, _asked: NoParameters, body: WebhookBody, caller: Caller
) -> NewWebhook:
    """Register a webhook; its URL must lead to a public address."""
    await resolve(body.url, allow_private=services.settings.webhook_allow_private)
    row = await webhooks.add(services.shared, caller.signed_in(), body.url, sorted(set(body.events)))
    if row is None:
        raise TooManyWebhooks(
            f"an address may have {webhooks.MAX_PER_ADDRESS} webhooks",
            hint="Delete one: DELETE /api/v1/runners/webhooks?id=…",
        )
    return NewWebhook.model_validate({**row, "secret": row["secret"].hex()})


async def list_webhooks(services: Services, _asked: NoParameters, _body: None, caller: Caller) -> Webhooks:
    """Return the address's webhooks."""
    rows = await webhooks.of_address(services.shared, caller.signed_in())
    return Webhooks(webhooks=[Webhook.model_validate(dict(row)) for row in rows])


async def remove_webhook(services: Services, asked: WhichWebhook, _body: None, caller: Caller) -> Done:
    """Delete one of the address's webhooks."""
    if not await webhooks.remove(services.shared, caller.signed_in(), asked.id):
        raise NotFound(
            f"the address has no webhook {asked.id}",
            field="id",
            hint="GET /api/v1/runners/webhooks lists them.",
        )
    return Done()


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/auth/message",
        summary="Get a text to sign in with (EIP-4361)",
        handle=sign_in_message,
        answer=Message,
        parameters=WhoSignsIn,
        problems=(400, 429, 503),
        wants_caller=True,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/auth/sessions",
        summary="Sign in",
        handle=open_session,
        answer=Session,
        parameters=NoParameters,
        body=SignedMessage,
        status=201,
        keeps_answer=False,
        problems=_SIGN_IN,
        wants_caller=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/auth/sessions",
        summary="Sign out",
        handle=close_session,
        answer=Done,
        parameters=NoParameters,
        problems=_PERSONAL,
        needs_session=True,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/runners/heartbeat",
        summary="Record a runner's heartbeat",
        handle=heartbeat,
        answer=HeartbeatKept,
        parameters=NoParameters,
        body=HeartbeatBody,
        problems=_PERSONAL,
        needs_session=True,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/runners/webhooks",
        summary="Register a webhook",
        handle=add_webhook,
        answer=NewWebhook,
        parameters=NoParameters,
        body=WebhookBody,
        status=201,
        problems=_PERSONAL,
        needs_session=True,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/runners/webhooks",
        summary="List your webhooks",
        handle=list_webhooks,
        answer=Webhooks,
        parameters=NoParameters,
        problems=_PERSONAL,
        needs_session=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/runners/webhooks",
        summary="Delete a webhook",
        handle=remove_webhook,
        answer=Done,
        parameters=WhichWebhook,
        problems=_PERSONAL,
        needs_session=True,
    ),
)
