"""Audited answers: what the beacon drew, who challenged or appealed, and how it ended."""

from typing import Literal

from pydantic import Field

from api.fields import AddressIn
from api.graphql.audits import AuditStage
from api.queries import audits
from api.rest.endpoint import Endpoint
from api.rest.models import AddressText, Amount, HashText, Height, Model, PageInfo, read
from api.rest.reads import bytes_or_none, equal, page_of, reading
from api.rest.requests import Paged
from api.services import Services


class ListAudits(Paged):
    """Which audits."""

    node: AddressIn | None = Field(None, description="node key of the runner whose answer is checked")
    auditor: AddressIn | None = Field(None, description="node key of somebody on a panel")
    stage: Literal[tuple(stage.value for stage in AuditStage)] | None = None  # type: ignore[valid-type]  # of the enum
    valid: bool | None = Field(None, description="the final verdict")
    challenged: bool | None = Field(None, description="whether somebody forced a panel with a bond")


class Audit(Model):
    """The check of an audited task, from its reveal on."""

    task_id: HashText
    node: AddressText = Field(description="the runner whose answer it is")
    stage: str
    rate_bps: int = Field(description="chance of a panel, fixed at the reveal, basis points")
    draw_block: Height
    deadline: Height
    audited: bool | None = Field(description="what the beacon drew; null until somebody asked")
    challenger: AddressText | None = Field(description="who forced a panel with a bond")
    appellant: AddressText | None = Field(description="who took the verdict to a second panel")
    bond: Amount
    valid: bool | None = Field(description="the final verdict; null until closed")
    fees: Amount
    opened_block: Height
    closed_block: Height | None


class Audits(Model):
    """One page of audits, revealed last first."""

    audits: list[Audit]
    page_info: PageInfo


async def list_audits(services: Services, asked: ListAudits, _body: None) -> Audits:
    """Return one page of audits."""
    where = equal(
        node=bytes_or_none(asked.node),
        auditor=bytes_or_none(asked.auditor),
        stage=asked.stage,
        valid=asked.valid,
        challenged=asked.challenged,
    )
    async with reading(services, asked.min_block) as snapshot:
        page = await audits.page(snapshot, page_of(asked), where=where)
    return Audits(audits=[read(Audit, row) for row in page.rows], page_info=PageInfo.of(page))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/reputation/audits",
        summary="Audited answers and challenges, the most recently revealed first",
        handle=list_audits,
        answer=Audits,
        parameters=ListAudits,
        problems=(400, 503),
    ),
)
