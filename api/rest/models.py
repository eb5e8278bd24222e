"""Models of REST's answers, in camelCase. OpenAPI is generated from these."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field
from pydantic.alias_generators import to_camel

from api.database import Record
from api.graphql.scalars import write_address, write_hex
from api.names import readable
from api.paging import Page
from protocol.cid import digest_to_cid
from protocol.money import format_usdfc


def _address(value: object) -> object:
    return write_address(value) if isinstance(value, bytes) else value


def _hex(value: object) -> object:
    return write_hex(value) if isinstance(value, bytes) else value


def _amount(value: object) -> object:
    return str(int(value)) if isinstance(value, int | Decimal) else value


AddressText = Annotated[str, BeforeValidator(_address), Field(pattern="^0x[0-9a-fA-F]{40}$")]
HashText = Annotated[str, BeforeValidator(_hex), Field(pattern="^0x[0-9a-f]{64}$")]
Amount = Annotated[
    str,
    BeforeValidator(_amount),
    Field(pattern="^[0-9]{1,78}$", description="USDFC base units (10^-18 USDFC)"),
]
Height = Annotated[int, Field(ge=0, description="block")]


class Model(BaseModel):
    """What every answer shares."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        frozen=True,
    )


class PageInfo(Model):
    """Where a page lies in its list; give `endCursor` as `after` for the next one."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None

    @classmethod
    def of(cls, page: Page) -> Self:
        """Describe a page."""
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursor(0),
            end_cursor=page.cursor(-1),
        )


class Seat(Model):
    """One runner's part in a task."""

    seat: int
    node: AddressText
    owner: AddressText
    state: str
    outcome: str | None
    result: HashText | None
    input_tokens: int | None
    output_tokens: int | None
    paid: Amount
    slashed: Amount
    claimed_tx: HashText
    committed_tx: HashText | None
    revealed_tx: HashText | None


class Task(Model):
    """An order that was submitted, with the state of its life."""

    id: HashText = Field(validation_alias="task_id")
    client: AddressText
    payer: AddressText
    status: str
    mode: str
    reward: Amount
    bond: Amount
    input_price: Amount
    output_price: Amount
    params_id: int
    replicas: int
    quorum: int
    claimed: int
    committed: int
    revealed: int
    claim_by: Height
    deadline: Height
    seed_block: Height
    spec: HashText
    result: HashText | None
    paid: Amount
    fee: Amount
    returned: Amount
    slashed: Amount
    created_block: Height
    created_tx: HashText
    created_at: datetime
    settled_block: Height | None
    settled_tx: HashText | None
    settled_at: datetime | None
    updated_block: Height

    @computed_field(description="`reward` in USDFC")  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def reward_usdfc(self) -> str:
        """Return the reward as a decimal."""
        return format_usdfc(int(self.reward))

    @computed_field(description="`paid` and `fee` in USDFC")  # type: ignore[prop-decorator]  # as above
    @property
    def cost_usdfc(self) -> str:
        """Return what the payer paid as a decimal."""
        return format_usdfc(int(self.paid) + int(self.fee))

    @computed_field(description="where IPFS has the specification")  # type: ignore[prop-decorator]  # as above
    @property
    def spec_cid(self) -> str:
        """Return the specification's content identifier."""
        return digest_to_cid(bytes.fromhex(self.spec[2:]))

    @computed_field(description="where IPFS has the result")  # type: ignore[prop-decorator]  # as above
    @property
    def result_cid(self) -> str | None:
        """Return the result's content identifier."""
        return digest_to_cid(bytes.fromhex(self.result[2:])) if self.result else None


class TaskWithSeats(Task):
    """A task, its seats, and its specification and result as far as they have been fetched."""

    seats: list[Seat]
    spec_document: Any = None
    result_document: Any = None


class Tasks(Model):
    """One page of tasks."""

    tasks: list[Task]
    page_info: PageInfo


class Prompt(Model):
    """A task seen as a prompt for a language model."""

    id: HashText = Field(validation_alias="task_id")
    creator: AddressText
    client_id: str | None
    model: str
    prompt: str
    status: str
    output: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost: Amount
    created_at: datetime
    completed_at: datetime | None


class Prompts(Model):
    """One page of prompts."""

    prompts: list[Prompt]
    page_info: PageInfo


class Runner(Model):
    """A runner with its record. `score` is in millionths as of `scoreBlock`, before decay."""

    node: AddressText
    owner: AddressText
    label: Annotated[str, BeforeValidator(readable)]
    profile: HashText
    status: str
    registered_block: Height
    banned_until: Height
    suspended_until: Height
    strikes: int
    score: int
    right: int
    wrong: int
    missed: int
    monitor_missed: int
    score_block: Height


class Runners(Model):
    """One page of runners."""

    runners: list[Runner]
    page_info: PageInfo


class OfferedModel(Model):
    """A model on offer. Prices are the lowest asked, per 1,000 tokens."""

    model: str
    digest: str
    context: int
    runners: int
    input_price: Amount
    output_price: Amount

    @computed_field(description="what a specification names")  # type: ignore[prop-decorator]  # as above
    @property
    def reference(self) -> str:
        """Return the model with its digest."""
        return f"{self.model}@sha256:{self.digest}"


class OfferedModels(Model):
    """The models on offer, the most offered first."""

    models: list[OfferedModel]


def read(model: type[Model], record: Record, **more: Any) -> Any:
    """Read a row into a model."""
    return model.model_validate({**record, **more})
