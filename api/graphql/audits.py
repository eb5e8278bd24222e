"""Audited tasks: what the beacon drew, who judged, and the outcome."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import strawberry
from strawberry import UNSET

from api.database import Record
from api.graphql.documents import Document, document_of
from api.graphql.enums import Outcome
from api.graphql.links import Columns, linked
from api.graphql.money import usdfc
from api.graphql.operation import Info, reading_of
from api.graphql.pages import Connection, connection, snapshot_of
from api.graphql.reading import Reading
from api.graphql.runners import Runner, runner_of
from api.graphql.scalars import Address, BigInt, Bytes32, UInt
from api.graphql.where import AddressFilter, Bytes32Filter, plain
from api.paging import page_request
from api.queries import audits

if TYPE_CHECKING:
    from api.graphql.tasks import Task


@strawberry.enum(description="How far the check of an audited task has come.")
class AuditStage(Enum):
    OPEN = "open"
    CLEARED = "cleared"
    VOTING = "voting"
    REVEALING = "revealing"
    APPEALABLE = "appealable"
    CLOSED = "closed"


@strawberry.input
class AuditStageFilter:
    eq: AuditStage | None = UNSET
    ne: AuditStage | None = UNSET


@strawberry.input
class BooleanFilter:
    eq: bool | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class AuditWhere:
    task_id: Bytes32Filter | None = UNSET
    node: AddressFilter | None = strawberry.field(default=UNSET, description="Whose answer is checked.")
    auditor: AddressFilter | None = strawberry.field(default=UNSET, description="Some seat of a panel.")
    stage: AuditStageFilter | None = UNSET
    valid: BooleanFilter | None = UNSET
    challenged: BooleanFilter | None = strawberry.field(
        default=UNSET, description="Whether somebody forced a panel with a bond."
    )


@strawberry.type(description="An auditor's seat on a panel, and its vote.")
class AuditVote:
    COLUMNS: ClassVar[Columns] = {}
    reading: strawberry.Private[Reading]
    seat: int
    node: Address
    owner: Address
    commitment: Bytes32
    valid: bool | None = strawberry.field(description="The vote; null until it is opened.")
    evidence: Bytes32 | None = strawberry.field(description="SHA-256 digest of the reasons, if any.")
    outcome: Outcome | None = strawberry.field(description="Null until the case is closed.")
    paid: BigInt
    paid_usdfc: str = usdfc("paid")
    slashed: BigInt
    sealed_block: UInt
    opened_block: UInt | None

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `audit_votes`."""
        row = {name: value for name, value in record.items() if name not in _VOTE_LEFT_OUT}
        outcome = Outcome(row["outcome"]) if row["outcome"] else None
        return cls(reading=reading, **{**row, "outcome": outcome})

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)

    @linked("document", by="evidence", absent=Document.absent)
    async def evidence_document(self) -> Document | None:
        return await document_of(self.reading, self.evidence)


@strawberry.type(description="A panel that votes: the first, or that of an appeal.")
class AuditPanel:
    COLUMNS: ClassVar[Columns] = {}
    reading: strawberry.Private[Reading]
    task_id: strawberry.Private[bytes]
    round: int = strawberry.field(description="0 for the first panel, 1 for the appeal's.")
    size: int = strawberry.field(description="Seats.")
    seed_block: UInt
    seated: int = strawberry.field(description="Seats taken, each with a sealed vote.")
    opened: int = strawberry.field(description="Votes opened.")
    valid: bool | None = strawberry.field(description="Its verdict; null until there is one.")
    carried: bool | None = strawberry.field(description="Whether a majority of all its seats said so.")
    convened_block: UInt

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `audit_panels`."""
        row = {name: value for name, value in record.items() if name != "updated_block"}
        return cls(reading=reading, **row)

    @linked("votes", by="task_id", matching=("round",))
    async def votes(self) -> list[AuditVote]:
        rows = await self.reading.votes.load(self.task_id)
        return [AuditVote.of(self.reading, row) for row in rows if row["round"] == self.round]


@strawberry.type(description="The check of an audited task, from its reveal on.")
class Audit:
    COLUMNS: ClassVar[Columns] = {}
    reading: strawberry.Private[Reading]
    task_id: Bytes32
    node: Address = strawberry.field(description="The runner whose answer it is.")
    stage: AuditStage
    rate_bps: int = strawberry.field(description="Chance of a panel, fixed at the reveal, basis points.")
    draw_block: UInt = strawberry.field(description="Block whose beacon value decides.")
    deadline: UInt = strawberry.field(description="Last block of the stage; 0 when closed.")
    audited: bool | None = strawberry.field(description="What the beacon drew; null until somebody asked.")
    challenger: Address | None = strawberry.field(description="Who forced a panel with a bond.")
    appellant: Address | None = strawberry.field(description="Who took the verdict to a second panel.")
    bond: BigInt = strawberry.field(
        description="Of the runner, of each auditor, of a challenge and of an appeal."
    )
    bond_usdfc: str = usdfc("bond")
    valid: bool | None = strawberry.field(description="The final verdict; null until closed.")
    fees: BigInt = strawberry.field(description="Paid to auditors out of the runner's pay.")
    fees_usdfc: str = usdfc("fees")
    opened_block: UInt
    closed_block: UInt | None

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `audits`."""
        row = {name: value for name, value in record.items() if name != "updated_block"}
        return cls(reading=reading, **{**row, "stage": AuditStage(row["stage"])})

    @linked("panels", by="task_id")
    async def panels(self) -> list[AuditPanel]:
        return [AuditPanel.of(self.reading, row) for row in await self.reading.panels.load(self.task_id)]

    @linked("runner", by="node")
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.node)

    @linked("task", by="task_id")
    async def task(self) -> Annotated["Task", strawberry.lazy("api.graphql.tasks")] | None:
        from api.graphql.tasks import Task  # noqa: PLC0415  # tasks and audits refer to each other

        record = await self.reading.task.load(self.task_id)
        return Task.of(self.reading, record) if record else None


_VOTE_LEFT_OUT = frozenset({"task_id", "round", "updated_block"})


@strawberry.type
class AuditQuery:
    @strawberry.field(description="Audited tasks that were revealed, newest first.")
    async def audits(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: AuditWhere | None = None,
        min_block: UInt | None = None,
    ) -> Connection[Audit]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block)
        page = await audits.page(snapshot_of(info, reading), request, where=plain(where))
        return await connection(info, reading, page, Audit)
