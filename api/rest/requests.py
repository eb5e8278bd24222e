"""Models of REST's requests: parameters of paths and queries, and the body of a relayed order."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.fields import AddressIn, AmountIn, HashIn, HexIn, Parameters, bytes_of
from api.graphql.enums import Outcome, TaskStatus
from api.intents.signed import DomainBody
from api.relay import RelayRequest
from protocol.order import ORDER_FIELDS, Order
from protocol.typed_data import Authorization

MAX_HEIGHT = 2**53 - 1


def _day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("expected a day, such as 2026-01-31")
    return value


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Day = Annotated[date, BeforeValidator(_day)]


class ById(Parameters):
    """One thing, by its id."""

    id: HashIn
    min_block: int | None = Field(None, ge=0, le=MAX_HEIGHT, description="block that the answer must include")


class Paged(Parameters):
    """A page of a list."""

    first: int | None = Field(None, description="rows from the start, at most 100; 20 if nothing is given")
    after: str | None = Field(None, description="only rows after this cursor")
    last: int | None = Field(None, description="rows from the end, at most 100")
    before: str | None = Field(None, description="only rows before this cursor")
    min_block: int | None = Field(None, ge=0, le=MAX_HEIGHT, description="block that the answer must include")


class ListTasks(Paged):
    """Which tasks."""

    client: AddressIn | None = None
    payer: AddressIn | None = None
    node: AddressIn | None = Field(None, description="some seat's runner")
    status: Literal[tuple(status.value for status in TaskStatus)] | None = None  # type: ignore[valid-type]  # of the enum


class ListPrompts(Paged):
    """Which prompts."""

    creator: AddressIn | None = None
    client_id: str | None = Field(None, max_length=200)
    model: str | None = Field(None, max_length=300)
    status: Literal[tuple(status.value for status in TaskStatus)] | None = None  # type: ignore[valid-type]  # of the enum


class ListRunners(Paged):
    """Which runners."""

    owner: AddressIn | None = None
    status: Literal["active", "retired"] | None = None
    model: str | None = Field(None, max_length=300, description="name of a model that it offers")


class ByNode(Parameters):
    """One runner, by its node key."""

    id: AddressIn = Field(description="address of the node key")
    min_block: int | None = Field(None, ge=0, le=MAX_HEIGHT, description="block that the answer must include")


class EventsOfNode(Paged):
    """A page of one runner's events."""

    id: AddressIn = Field(description="address of the node key")
    outcome: Literal[tuple(outcome.value for outcome in Outcome)] | None = None  # type: ignore[valid-type]  # of the enum


class Fresh(Parameters):
    """Nothing but how new the answer must be."""

    min_block: int | None = Field(None, ge=0, le=MAX_HEIGHT, description="block that the answer must include")


class Billing(Parameters):
    """Whose use, of what, when."""

    client_id: str | None = Field(None, max_length=200)
    creator: AddressIn | None = None
    model: str | None = Field(None, max_length=300)
    since: Day | None = Field(None, description="first UTC day; 30 days before `until`, if left out")
    until: Day | None = Field(None, description="last UTC day; today, if left out")


class OrderIntent(Parameters):
    """An order to be signed; what is left out is filled in."""

    client: AddressIn
    payer: AddressIn | None = Field(None, description="the client, if left out")
    spec: HashIn = Field(description="SHA-256 digest of the specification on IPFS")
    reward: AmountIn
    bond: AmountIn = "0"
    input_price: AmountIn = "0"
    output_price: AmountIn = "0"
    replicas: int = Field(3, ge=1, le=255)
    quorum: int = Field(2, ge=1, le=255)
    claim_by: int | None = Field(None, ge=1, description="half of the longest allowed, if left out")
    retention: int = Field(0, ge=0, le=2**32 - 1)
    salt: HashIn | None = Field(None, description="random, if left out")


class AuthorizationBody(BaseModel):
    """A signed EIP-3009 receiveWithAuthorization whose nonce is the task's id; times are Unix seconds."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    valid_after: int = Field(ge=0)
    valid_before: int = Field(ge=0)
    v: int = Field(ge=0, le=255)
    r: HashIn
    s: HashIn


class OrderBody(BaseModel):
    """An order as it was signed; read by the protocol's own rules."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "properties": {
                name: {"type": "string" if kind in ("uint96", "address", "bytes32") else "integer"}
                for _, name, kind in ORDER_FIELDS
            },
            "required": [name for _, name, _ in ORDER_FIELDS],
            "additionalProperties": False,
        },
    )


class RelayBody(BaseModel):
    """An order and what was signed for it."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    order: OrderBody
    client_signature: HexIn | None = Field(None, description="the client's EIP-712 signature of the order")
    payer_signature: HexIn | None = Field(None, description="the payer's, when the payer is another")
    authorization: AuthorizationBody | None = Field(
        None, description="instead of free funds in the StakeWallet"
    )
    domain: DomainBody | None = None

    def request(self) -> RelayRequest:
        """Return the relay's own form; `InputError` names a field of the order that is wrong."""
        return RelayRequest(
            order=Order.from_json(self.order.model_extra or {}),
            client_signature=bytes_of(self.client_signature),
            payer_signature=bytes_of(self.payer_signature),
            authorization=Authorization.from_json(self.authorization.model_dump(by_alias=True))
            if self.authorization
            else None,
            domain=self.domain.read() if self.domain else None,
        )
