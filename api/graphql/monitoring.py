"""Runners watching runners: duties, reports and verdicts."""

from datetime import datetime
from enum import Enum
from typing import Self

import strawberry
from strawberry import UNSET

from api.database import Record
from api.graphql.documents import Document, document_of
from api.graphql.operation import Info, reading_of
from api.graphql.pages import Connection, connection
from api.graphql.reading import Reading
from api.graphql.runners import Runner, runner_of
from api.graphql.scalars import Address, Bytes32, UInt
from api.graphql.where import AddressFilter, Bytes32Filter, UIntFilter, plain
from api.paging import page_request
from api.queries import monitoring


@strawberry.enum(description="What a monitor says of a runner.")
class ReportKind(Enum):
    GOOD_BEHAVIOR = "good_behavior"
    POOR_PERFORMANCE = "poor_performance"
    SUSPICIOUS_ACTIVITY = "suspicious_activity"
    MALICIOUS_BEHAVIOR = "malicious_behavior"
    OFFLINE = "offline"
    RESOURCE_ABUSE = "resource_abuse"


@strawberry.enum(
    description="What became of an epoch's reports about one runner; SPLIT: no kind was reported by a quorum of monitors."
)
class Ruling(Enum):
    SPLIT = "split"
    AGREED = "agreed"
    CHALLENGED = "challenged"
    UPHELD = "upheld"
    OVERTURNED = "overturned"
    UNDECIDED = "undecided"


@strawberry.enum(description="How a monitor failed, as somebody reported.")
class MonitorMark(Enum):
    SILENT = "silent"
    LYING = "lying"


@strawberry.input
class ReportKindFilter:
    eq: ReportKind | None = UNSET
    ne: ReportKind | None = UNSET


@strawberry.input
class RulingFilter:
    eq: Ruling | None = UNSET
    ne: Ruling | None = UNSET


@strawberry.input
class MonitorMarkFilter:
    eq: MonitorMark | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class MonitoringAssignmentWhere:
    round: Bytes32Filter | None = UNSET
    epoch: UIntFilter | None = UNSET
    monitor: AddressFilter | None = UNSET
    mark: MonitorMarkFilter | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class MonitoringReportWhere:
    round: Bytes32Filter | None = UNSET
    epoch: UIntFilter | None = UNSET
    target: AddressFilter | None = UNSET
    monitor: AddressFilter | None = UNSET
    kind: ReportKindFilter | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class MonitoringVerdictWhere:
    epoch: UIntFilter | None = UNSET
    target: AddressFilter | None = UNSET
    ruling: RulingFilter | None = UNSET
    kind: ReportKindFilter | None = UNSET


@strawberry.type(description="What a monitor or a judge said of a runner.")
class MonitoringReport:
    reading: strawberry.Private[Reading]
    round: Bytes32
    epoch: UInt | None = strawberry.field(description="Null for a judges' round.")
    target: Address
    monitor: Address
    kind: ReportKind
    evidence: Bytes32 = strawberry.field(description="SHA-256 digest of a document; zero for none.")
    counted: bool = strawberry.field(
        description="False when its owner had reported before, or the target was gone."
    )
    revealed_block: UInt
    revealed_tx: Bytes32
    revealed_at: datetime

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `monitoring_reports` with its epoch."""
        row = {name: value for name, value in record.items() if name != "updated_block"}
        return cls(reading=reading, **{**row, "kind": ReportKind(row["kind"])})

    @strawberry.field
    async def evidence_document(self) -> Document | None:
        return await document_of(self.reading, self.evidence) if any(self.evidence) else None

    @strawberry.field(description="The runner that it is about.")
    async def target_runner(self) -> Runner | None:
        return await runner_of(self.reading, self.target)

    @strawberry.field(description="The runner that said it.")
    async def monitor_runner(self) -> Runner | None:
        return await runner_of(self.reading, self.monitor)


@strawberry.type(
    description="A monitor's duty in one round, once something was heard of it or its silence was reported."
)
class MonitoringAssignment:
    reading: strawberry.Private[Reading]
    round: Bytes32
    epoch: UInt | None = strawberry.field(description="Null for the judges' round of a challenge.")
    monitor: Address
    commitment: Bytes32 | None
    committed_block: UInt | None
    committed_tx: Bytes32 | None
    revealed_block: UInt | None
    revealed_tx: Bytes32 | None
    mark: MonitorMark | None
    mark_target: Address | None = strawberry.field(description="Runner about which it was silent or lied.")
    mark_block: UInt | None
    updated_block: UInt

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `monitoring_assignments` with its epoch."""
        row = {name: value for name, value in record.items() if name != "reports"}
        mark = MonitorMark(row["mark"]) if row["mark"] else None
        return cls(reading=reading, **{**row, "mark": mark})

    @strawberry.field
    async def reports(self) -> list[MonitoringReport]:
        rows = await self.reading.duty_reports.load((self.round, self.monitor))
        return [MonitoringReport.of(self.reading, row) for row in rows]

    @strawberry.field
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.monitor)


@strawberry.type(description="What became of an epoch's reports about one runner.")
class MonitoringVerdict:
    reading: strawberry.Private[Reading]
    round: Bytes32
    epoch: UInt
    target: Address
    ruling: Ruling
    kind: ReportKind = strawberry.field(description="What most monitors said.")
    agreeing: UInt = strawberry.field(description="Reports of that kind.")
    reports: UInt = strawberry.field(description="Reports that counted.")
    concluded_block: UInt
    concluded_at: datetime
    challenge_round: Bytes32 | None
    challenger: Address | None
    judged_kind: ReportKind | None = strawberry.field(description="What most judges said.")
    judged_agreeing: UInt | None
    judged_reports: UInt | None
    resolved_block: UInt | None

    @classmethod
    def of(cls, reading: Reading, record: Record) -> Self:
        """Dress a row of `monitoring_verdicts`."""
        left_out = ("challenged_block", "updated_block")
        row = {name: value for name, value in record.items() if name not in left_out}
        row["judged_kind"] = ReportKind(row["judged_kind"]) if row["judged_kind"] else None
        return cls(
            reading=reading, **{**row, "ruling": Ruling(row["ruling"]), "kind": ReportKind(row["kind"])}
        )

    @strawberry.field
    async def runner(self) -> Runner | None:
        return await runner_of(self.reading, self.target)


@strawberry.type
class MonitoringQuery:
    @strawberry.field(description="Monitors' duties, of which something was heard last first.")
    async def monitoring_assignments(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: MonitoringAssignmentWhere | None = None,
        min_block: UInt | None = None,
    ) -> Connection[MonitoringAssignment]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block)
        page = await monitoring.assignment_page(reading.snapshot, request, where=plain(where))
        return await connection(info, reading, page, MonitoringAssignment)

    @strawberry.field(description="Monitors' and judges' reports, revealed last first.")
    async def monitoring_reports(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: MonitoringReportWhere | None = None,
        min_block: UInt | None = None,
    ) -> Connection[MonitoringReport]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block)
        page = await monitoring.report_page(reading.snapshot, request, where=plain(where))
        return await connection(info, reading, page, MonitoringReport)

    @strawberry.field(description="Verdicts about runners, concluded last first.")
    async def monitoring_verdicts(
        self,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        where: MonitoringVerdictWhere | None = None,
        min_block: UInt | None = None,
    ) -> Connection[MonitoringVerdict]:
        request = page_request(first=first, after=after, last=last, before=before)
        reading = await reading_of(info, min_block)
        page = await monitoring.verdict_page(reading.snapshot, request, where=plain(where))
        return await connection(info, reading, page, MonitoringVerdict)
